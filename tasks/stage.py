"""What every stage has in common: checked settings, verified inputs, a work folder of its own, errors for people."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nas_core.atomic_files import is_temporary, replace_folder, write_text
from nas_core.data import manifest
from tasks.settings import Settings, SettingsError, load
from tasks.tracking.locking import held

INTERRUPTED = 130
LOCK_SECONDS = 5.0
"""How long a stage waits for another process that is ending."""


@dataclass(frozen=True)
class Stage:
    """A stage at work.

    Attributes:
        name: as DVC knows it, such as ``search@darts``.
        root: the checkout's top folder, against which all paths of results are meant.
        settings: all of params.yaml, checked.
        work: folder for checkpoints, the same one for the same settings, inputs and code; outlives a kill.
    """

    name: str
    root: Path
    settings: Settings
    work: Path

    @property
    def device(self) -> str:
        """The torch device of `compute.device` on this machine.

        Raises:
            SettingsError: a GPU is asked for that this machine does not have.
        """
        return _device(self.settings.compute.device)

    def publish(self, folder: str, fill: Callable[[Path], None]) -> Path:
        """Fill a folder of results, seal it with a manifest, and put it in its place at once.

        Args:
            folder: where it goes, relative to the root.
            fill: writes the files into the folder that it is given.
        """
        final = self.root / folder
        draft = final.with_name(f".{final.name}.partial")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        fill(draft)
        manifest.write(draft)
        replace_folder(draft, final)
        return final


def run(
    name: str,
    do: Callable[[Stage], None],
    *,
    inputs: Sequence[str] | Callable[[Settings], Sequence[str]] = (),
    identity: Callable[[Settings], object] = lambda settings: None,
    root: Path | None = None,
    device_matters: bool = True,
) -> int:
    """Run a stage and return its exit code; whatever goes wrong is one line on stderr that starts with ``error:``.

    Args:
        name: as DVC knows it.
        do: the stage's work.
        inputs: folders of earlier stages, or single files in them, relative to the root; the manifests of the folders
            are verified first. A function of the settings names those that hang on them.
        identity: the settings that decide the stage's results, as values for JSON.
        root: the checkout's top folder; None is the current one.
        device_matters: whether results depend on the device; if not, torch is not imported to look for one.
    """
    top = Path.cwd() if root is None else root
    log = top / ".work" / name / "error.log"
    try:
        settings = load(top / "params.yaml")
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[variable] = str(settings.compute.threads)
        decisive = identity(settings)
        digests = [_verified(top / path) for path in (inputs(settings) if callable(inputs) else inputs)]
        device = _device(settings.compute.device) if device_matters else None
        key = _digest([decisive, settings.compute.threads, device, digests, _code_digest()])
        work = top / ".work" / name / key
        with held(work.with_name("lock"), LOCK_SECONDS) as alone:
            if not alone:
                raise RuntimeError(
                    "another process is at work on it in this folder; wait until it has ended, or end it"
                )
            work.mkdir(exist_ok=True)
            _sweep(work)
            do(Stage(name, top, settings, work))
            for other in work.parent.iterdir():
                if other.is_dir() and other != work:
                    shutil.rmtree(other, ignore_errors=True)
        return 0
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted: {name} stopped; the same command goes on from where it was", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        # the edge of the process: plug-ins are anybody's code, and people get one line whatever it raises
        print(f"error: {name}: {_reason(error)}{_kept(log, error)}", file=sys.stderr)
        return 1


def _device(chosen: str) -> str:
    """Return the torch device of a setting: ``auto`` is the GPU if there is one.

    Raises:
        SettingsError: a GPU is asked for that this machine does not have.
    """
    if chosen == "cpu":
        return chosen
    import torch

    num_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if chosen == "auto":
        return "cuda" if num_gpus else "cpu"
    if int(chosen.partition(":")[2] or 0) >= num_gpus:
        allowed = ", ".join(["auto", "cpu", *(f"cuda:{index}" for index in range(num_gpus))])
        raise SettingsError(f"params.yaml: compute.device is {chosen!r}; allowed on this machine: {allowed}")
    return chosen


def _verified(path: Path) -> str:
    """Verify the folder that is named, or that holds the file that is named; return the digest of its content."""
    folder = path if path.is_dir() or not path.suffix else path.parent
    manifest.verify(folder)
    return hashlib.sha256((folder / manifest.FILE_NAME if folder == path else path).read_bytes()).hexdigest()


def _sweep(work: Path) -> None:
    """Take away what a process that was killed amid a write has left; whoever holds the lock writes alone."""
    for path in work.rglob(".*.tmp"):
        if is_temporary(path):
            path.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    """Return one line; errors that do not speak to people are named by their kind too."""
    text = " ".join(str(error).strip().split("\n", 1)[0].split())
    if text and isinstance(error, (ValueError, OSError, RuntimeError)):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _kept(log: Path, error: BaseException) -> str:
    """Write the traceback to a file, if that can be written, and return words that say where."""
    try:
        write_text(log, "".join(traceback.format_exception(error)))
    except OSError:
        return ""
    return f" (details: {log})"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _code_digest() -> str:
    """Return a digest of the project's sources: another version of the code never takes up this one's checkpoints."""
    import nas_core

    top = Path(nas_core.__file__).parent.parent
    digest = hashlib.sha256()
    for package in ("nas_core", "gnn_space", "tasks"):
        for path in sorted((top / package).rglob("*.py")):
            digest.update(str(path.relative_to(top)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
