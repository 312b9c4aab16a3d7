"""Reads the pipeline's stages, and what each waits for, out of DVC's own graph."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    """One stage of dvc.yaml ("search@darts") and the names of the stages whose outputs it reads."""

    name: str
    upstream: tuple[str, ...]

    @property
    def group(self) -> str:
        """The name under which dvc.yaml lists it: "search" for "search@darts"."""
        return self.name.partition("@")[0]


def read_stages(root: Path) -> tuple[Stage, ...]:
    """Returns every stage of the dvc.yaml in `root`, each after all it waits for, else in dvc.yaml's order.

    `Repo.index.graph` is not part of DVC's documented interface; this is the only place that uses it.

    Raises:
        ValueError: If DVC cannot read the pipeline; its own message, in one line.
    """
    import networkx
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.stage import PipelineStage

    try:
        with Repo(str(root)) as repository:
            index = repository.index
            position = {stage: number for number, stage in enumerate(index.stages)}
            order = networkx.lexicographical_topological_sort(
                index.graph.reverse(),  # DVC's edges point from a stage to the one it needs
                key=position.__getitem__,
            )
            chosen = [stage for stage in order if isinstance(stage, PipelineStage)]  # not files added to DVC by hand
            needs = {stage: set(index.graph.successors(stage)) for stage in chosen}
            return tuple(
                Stage(str(stage.name), tuple(sorted(str(other.name) for other in chosen if other in needs[stage])))
                for stage in chosen
            )
    except DvcException as error:
        raise ValueError(f"DVC cannot read the pipeline in {root}: {' '.join(str(error).split())}") from error


def select_stages(stages: Sequence[Stage], names: Sequence[str]) -> tuple[Stage, ...]:
    """Returns the stages with one of these names ("search@darts") or of one of these groups ("search"), in their order.

    What a chosen stage waits for is cut down to the chosen ones.

    Raises:
        ValueError: If a name is neither a stage nor a group; the message suggests the nearest ones.
    """
    known = {stage.name for stage in stages} | {stage.group for stage in stages}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=3) or sorted({stage.group for stage in stages})
            raise ValueError(f"unknown stage {name!r}; did you mean {', '.join(near)}?")
    chosen = [stage for stage in stages if stage.name in names or stage.group in names]
    chosen_names = {stage.name for stage in chosen}
    return tuple(Stage(stage.name, tuple(n for n in stage.upstream if n in chosen_names)) for stage in chosen)
