"""Classification of small images that were prepared as tensors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nas_core import catalog
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch

    from nas_core.task import Shift

INPUTS = "images"
FORMAT = 1
COLOR_CORRUPTIONS = ("saturate",)
"""What leaves images with one channel as they are."""


def build(
    folder: Path,
    *,
    test_folder: Path | None = None,
    device: str = "cpu",
    horizontal_flip: bool = False,
    statistics_folder: Path | None = None,
) -> ImageClassification:
    """Return the task of a prepared image set, its images on the device as bytes.

    Args:
        folder: holds `dataset.json`, `train.safetensors` and `validation.safetensors`.
        test_folder: holds `test.safetensors`; without it the task has no test split.
        device: "cpu" or "cuda".
        horizontal_flip: whether training images are also mirrored: only where that keeps the label, so neither for
            digits nor for letters.
        statistics_folder: its `dataset.json` says by which mean and standard deviation inputs are normalized: that of
            other data for a network that was trained on those; None is `folder`.

    Raises:
        FileNotFoundError: a file is absent.
        ValueError: a file is not of the prepared format, or the statistics are of images of another shape.
    """
    import torch

    description = _description(folder / "dataset.json")
    if statistics_folder is not None:
        other = _description(statistics_folder / "dataset.json")
        if other.image_shape != description.image_shape:
            raise ValueError(
                f"{statistics_folder} has images of shape {other.image_shape}, {folder} of {description.image_shape}; "
                "prepare the data again"
            )
        description = replace(description, channel_mean=other.channel_mean, channel_std=other.channel_std)
    place = torch.device(device)
    files = {split: folder / f"{split}.safetensors" for split in ("train", "validation")}
    if test_folder is not None:
        files["test"] = test_folder / "test.safetensors"
    return ImageClassification(
        description=description,
        splits={split: _read_split(path, description, place) for split, path in files.items()},
        device=place,
        horizontal_flip=horizontal_flip,
    )


def shift_names() -> tuple[str, ...]:
    """Return the names of all corruptions, without importing torch."""
    return catalog.names("corruption")


@dataclass(frozen=True)
class Description:
    """What `dataset.json` says that learning needs.

    Attributes:
        name: name of the data set.
        class_names: by label.
        image_shape: (height, width, channels).
        channel_mean: of the training images, in 0..1.
        channel_std: of the training images, in 0..1.
    """

    name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    channel_mean: tuple[float, ...]
    channel_std: tuple[float, ...]

    def __post_init__(self) -> None:
        channels = self.image_shape[2]
        if not len(self.channel_mean) == len(self.channel_std) == channels:
            raise ValueError(f"channel_mean and channel_std must have {channels} values, as image_shape has channels")
        if not min(self.channel_std) > 0:
            raise ValueError(f"channel_std is {self.channel_std}; constant channels cannot be normalized: remove them")


class ImageClassification:
    """Images as bytes on the device, normalized and augmented batch by batch.

    Networks take ``(pixel / 255 - mean) / std``. The augmentation moves an image by up to 1/8 of its side with black
    moving in and, if the set allows it, mirrors it (He et al. 2016, arXiv:1512.03385, section 4.2: CIFAR).
    """

    metric = "accuracy"

    def __init__(
        self,
        description: Description,
        splits: Mapping[str, tuple[torch.Tensor, torch.Tensor]],
        device: torch.device,
        horizontal_flip: bool,
    ) -> None:
        """Hold splits of (images uint8 (num, channels, height, width), labels int64 (num,)) that are on the device."""
        import torch

        height, width, channels = description.image_shape
        self.name = description.name
        self.class_names = description.class_names
        self.shape = TaskShape((channels, height, width), (len(description.class_names),))
        self.device = device
        self._image_shape = description.image_shape
        self._splits = dict(splits)
        self._flip = horizontal_flip
        self._margin = max(1, round(max(height, width) / 8))
        self._mean = torch.tensor(description.channel_mean, device=device).view(1, channels, 1, 1)
        self._std = torch.tensor(description.channel_std, device=device).view(1, channels, 1, 1)

    def num_examples(self, split: str) -> int:
        """Return the number of examples of a split."""
        return len(self._split(split)[1])

    def batches(
        self,
        split: str,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        fraction: float = 1.0,
        augment: bool = False,
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (normalized images (batch, channels, height, width), labels (batch,)), one pass; see `Task.batches`.

        A fraction of n examples is the first ceil(fraction n) of a fixed order in which every start has the classes in
        (nearly) their shares of the whole.

        Raises:
            ValueError: the task was built without the split, or is to augment without a generator.
        """
        import torch

        from nas_core.data.stratified_order import order_of_pass
        from nas_core.training import augmentation

        images, labels = self._split(split)
        if augment and generator is None:
            raise ValueError("augment needs a generator; give a CPU generator, or augment=False")
        order = order_of_pass(labels, fraction, generator)
        num_taken = len(labels) if order is None else len(order)
        # the whole pass is drawn at once: one transfer to the device, not one a batch
        if order is not None:
            order = order.to(self.device)
        if augment:
            offsets = torch.randint(2 * self._margin + 1, (num_taken, 2), generator=generator).to(self.device)
            flipped = (torch.rand(num_taken, generator=generator) < 0.5).to(self.device) if self._flip else None
        for start in range(0, num_taken, batch_size):
            window = slice(start, start + batch_size)
            index = window if order is None else order[window]
            batch = images[index]
            if augment:
                batch = augmentation.shift(batch, offsets[window], self._margin)
                if flipped is not None:
                    batch = augmentation.flip(batch, flipped[window])
            yield self._normalized(batch), labels[index]

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean cross entropy of logits (batch, classes) and labels (batch,)."""
        return self.smoothed_loss(outputs, targets, 0.0)

    def smoothed_loss(self, outputs: torch.Tensor, targets: torch.Tensor, label_smoothing: float) -> torch.Tensor:
        """Return the mean cross entropy to targets of which a share is spread evenly over all classes.

        Szegedy et al. (2016, arXiv:1512.00567), section 7.
        """
        from nas_core.training import classification

        return classification.cross_entropy(outputs, targets, label_smoothing)

    def metrics(self, outputs: torch.Tensor, targets: torch.Tensor) -> Mapping[str, float]:
        """Return "accuracy" in 0..1 and "loss", the mean cross entropy, of logits (num, classes) and labels (num,)."""
        from nas_core.training import classification

        return classification.metrics(outputs, targets)

    def plain_features(self, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the pixels in 0..1 (num, height * width * channels) float64 and the labels, on the CPU, as stored."""
        images, labels = self._split(split)
        pixels = images.cpu().permute(0, 2, 3, 1).flatten(1).double() / 255
        return pixels, labels.cpu()

    def shifted_batches(self, path: Path, batch_size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (normalized images, labels) of a prepared file of images of this shape, with classes of its own.

        Raises:
            ValueError: the file is damaged, or its images have another shape.
        """
        images, labels = _read_images(path, self._image_shape)
        for start in range(0, len(labels), batch_size):
            window = slice(start, start + batch_size)
            yield self._normalized(images[window].to(self.device)), labels[window].to(self.device)

    def shifts(self, severity: int) -> Mapping[str, Shift]:
        """Return the corruptions by name; they take and give normalized images, as the network does."""
        from nas_core.robustness import suite

        return {name: self._shift(suite.corruption(name), severity) for name in suite.names()}

    def shift_families(self) -> Mapping[str, str]:
        """Return the family of every corruption."""
        from nas_core.robustness import suite

        return {name: suite.corruption(name).family for name in suite.names()}

    def ineffective_shifts(self) -> Mapping[str, str]:
        """Return the corruptions that change colors alone, if the images have none."""
        reason = "changes colors alone, and the images have one channel"
        return {name: reason for name in COLOR_CORRUPTIONS if self.shape.inputs[0] == 1}

    def published_shifts(self) -> tuple[str, ...]:
        """Return the 15 corruptions over which the mean corruption error is taken."""
        from nas_core.robustness import suite

        return suite.benchmark_names()

    def pixels(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the images in 0..1 that normalized inputs (batch, channels, height, width) stand for."""
        return (inputs * self._std + self._mean).clamp(0, 1)

    def normalized(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the network's inputs for images in 0..1 (batch, channels, height, width); undoes `pixels`."""
        return (pixels - self._mean) / self._std

    def _shift(self, corruption: Callable[[torch.Tensor, int, torch.Generator], torch.Tensor], severity: int) -> Shift:
        def shifted(inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            return self.normalized(corruption(self.pixels(inputs), severity, generator))

        return shifted

    def _normalized(self, images: torch.Tensor) -> torch.Tensor:
        return self.normalized(images.float().div_(255)).contiguous()

    def _split(self, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        if split not in self._splits:
            raise ValueError(
                f"this task was built without the split {split!r}; it has {', '.join(self._splits)}; "
                "a test split needs test_folder"
            )
        return self._splits[split]


def _description(path: Path) -> Description:
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise ValueError(f"{path} has format {content.get('format')!r}; expected {FORMAT}: prepare the data again")
    try:
        height, width, channels = map(int, content["image_shape"])
        return Description(
            name=str(content["name"]),
            class_names=tuple(map(str, content["class_names"])),
            image_shape=(height, width, channels),
            channel_mean=tuple(map(float, content["channel_mean"])),
            channel_std=tuple(map(float, content["channel_std"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} does not describe an image set ({error!r}); prepare the data again") from None


def _read_split(path: Path, description: Description, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = _read_images(path, description.image_shape)
    num_classes = len(description.class_names)
    if int(labels.max()) >= num_classes:
        raise ValueError(
            f"{path} does not fit dataset.json (labels hold {int(labels.max())}, allowed are 0 to {num_classes - 1}); "
            "prepare the data again"
        )
    return images.to(device), labels.to(device)


def _read_images(path: Path, image_shape: tuple[int, int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images uint8 (num, channels, height, width) and labels (num,) of a prepared file, on the CPU."""
    import torch

    from nas_core.data import storage

    image_set = storage.read(path)
    if image_set.image_shape != image_shape:
        raise ValueError(
            f"{path} holds images of shape {image_set.image_shape}, dataset.json says {image_shape}; "
            "prepare the data again"
        )
    images = torch.tensor(image_set.images).permute(0, 3, 1, 2).contiguous()
    return images, torch.tensor(image_set.labels)
