"""Reads the result files of all stages; the report knows nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas_core import catalog
from nas_core.space import SearchSpace
from tasks import data
from tasks.reporting.champion import best_candidate
from tasks.reporting.examples import ExampleWords, example_words
from tasks.reporting.searches import SearchResult, read_search

Document = Mapping[str, Any]

MAIN_SET = "search and test"
"""What the data set of the search is used for, as the page says it."""


@dataclass(frozen=True)
class Results:
    """What the stages found, as their files say it.

    Attributes:
        searches: in the order of params.yaml.
        selection: selection.json.
        candidates: metrics.json of every rank that was trained, in the order of the ranks.
        empty: (rank, why) of those that were not.
        reference: metrics of the reference network.
        named: metrics of further networks that were trained for comparison, by name.
        random: the random networks of baselines.json.
        regression: logistic regression of baselines.json.
        transfer: transfer.json.
        robustness: robustness.json.
        stage_metrics: metrics/STAGE.json by stage.
        data_sets: what is known of each data set, by what it was used for.
        space: the search space.
        pooling_examples: graphs and which of their nodes a network kept, by the network's name as in robustness.json;
            of those alone that pool.
    """

    searches: tuple[SearchResult, ...]
    selection: Document
    candidates: tuple[Document, ...]
    empty: tuple[tuple[int, str], ...]
    reference: Document
    named: Mapping[str, Document]
    random: Document
    regression: Document
    transfer: Document
    robustness: Document
    stage_metrics: Mapping[str, Document]
    data_sets: Mapping[str, Document]
    space: SearchSpace
    pooling_examples: Mapping[str, Sequence[Document]]

    @property
    def examples(self) -> ExampleWords:
        """What the examples of the data set are called."""
        return example_words(self.data_sets[MAIN_SET].get("learning_task", data.IMAGE_CLASSIFICATION))

    @property
    def winner(self) -> Document | None:
        """The candidate with the highest mean validation accuracy, the lower rank at a tie; None without candidates."""
        return best_candidate(self.candidates)

    @property
    def device(self) -> str:
        """Where networks were trained."""
        return str(self.reference.get("device", "unknown"))

    @property
    def num_test(self) -> int:
        """Examples in the test set."""
        return int(self.reference["num_test"])

    def robustness_of(self, name: str) -> Document | None:
        """Return what robustness.json says of one network, ``rank 0`` or ``reference``; None if it lacks it."""
        return next((each for each in self.robustness["networks"] if each["name"] == name), None)


def read(root: Path, keys: Sequence[str], ranks: Sequence[int]) -> Results:
    """Return the results in a checkout.

    Args:
        root: the checkout's top folder.
        keys: of the searches.
        ranks: of the candidates.

    Raises:
        ValueError: a file is damaged or lacks what belongs into it; one line that names it.
        FileNotFoundError: a file is absent.
    """
    baselines = _document(root / "results/baselines/baselines.json")
    retrained = [_document(root / f"results/retrain/{rank}/metrics.json") for rank in ranks]
    searches = tuple(_search(root / f"results/search/{key}") for key in keys)
    described = _document(root / f"results/search/{keys[0]}/recommendations.json")["space"]
    settings = {name: value for name, value in described.items() if name != "name"}
    space: SearchSpace = catalog.load("space", described["name"]).build(**settings)
    return Results(
        searches=searches,
        selection=_document(root / "results/select/selection.json"),
        candidates=tuple(each for each in retrained if each["status"] == "trained"),
        empty=tuple((each["rank"], each["reason"]) for each in retrained if each["status"] == "empty"),
        reference=baselines["reference"],
        named=baselines.get("named", {}),
        random=baselines["random"],
        regression=baselines["logistic_regression"],
        transfer=_document(root / "results/transfer/transfer.json"),
        robustness=_document(root / "results/robustness/robustness.json"),
        stage_metrics=_stage_metrics(root / "metrics", keys, ranks),
        data_sets=_data_sets(root),
        space=space,
        pooling_examples=_pooling_examples(root, [each["rank"] for each in retrained if each["status"] == "trained"]),
    )


def _pooling_examples(root: Path, ranks: Sequence[int]) -> dict[str, Sequence[Document]]:
    """Return what networks that pool wrote about example graphs; others wrote nothing."""
    folders = {f"rank {rank}": root / f"results/retrain/{rank}" for rank in ranks}
    folders["reference"] = root / "results/baselines/reference"
    paths = {name: folder / "pooling_examples.json" for name, folder in folders.items()}
    return {name: _documents(path) for name, path in paths.items() if path.is_file()}


def _stage_metrics(folder: Path, keys: Sequence[str], ranks: Sequence[int]) -> dict[str, Document]:
    """Return the metrics of the stages that there are now; files of stages that were taken away stay behind."""
    searches, retrainings = (f"search-{key}" for key in keys), (f"retrain-{rank}" for rank in ranks)
    stages = {"prepare", "select", "baselines", "transfer", "robustness", *searches, *retrainings}
    return {path.stem: _document(path) for path in sorted(folder.glob("*.json")) if path.stem in stages}


def _data_sets(root: Path) -> dict[str, Document]:
    found: dict[str, Document] = {MAIN_SET: _document(root / "data/search/dataset.json")}
    if (root / "data/transfer/dataset.json").is_file():
        found["transfer"] = _document(root / "data/transfer/dataset.json")
    shift = root / "data/shift/shift.json"
    if shift.is_file():
        content = _document(shift)
        for role, name in content["names"].items():
            found[role] = {"name": name, "num_examples": {role: content.get("num_examples", {}).get(role)}}
        for name, shifted in content.get("shifted", {}).items():
            own = {"name": found[MAIN_SET]["name"], "num_examples": {"test": shifted["num_examples"]}}
            found[f"shift, {name.replace('_', ' ')}"] = own
    return found


def _search(folder: Path) -> SearchResult:
    try:
        return read_search(folder)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} is damaged ({type(error).__name__}: {error}); run its stage again") from None


def _document(path: Path) -> dict[str, Any]:
    content = _content(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, not an object; run the stage that writes it again")
    return content


def _documents(path: Path) -> list[Document]:
    content = _content(path)
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise ValueError(f"{path} holds no list of objects; run the stage that writes it again")
    return content


def _content(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); run the stage that writes it again") from None
