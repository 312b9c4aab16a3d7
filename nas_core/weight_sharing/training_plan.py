"""How many epochs shared weights are trained, and where in that plan an epoch is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """Where an epoch of the training is.

    Attributes:
        progress: share of the whole training that is done when the epoch begins, from 0 to 1.
        learner_epoch: whole epochs that the learner has taken part in when it begins.
        num_learner_epochs: of how many.
    """

    progress: float
    learner_epoch: int
    num_learner_epochs: int

    def learner_progress(self, fraction: float) -> float:
        """Return the share of the learner's epochs that is done when a fraction of this one is, from 0 to 1."""
        return min(1.0, (self.learner_epoch + fraction) / max(1, self.num_learner_epochs))


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """A warm-up on uniform paths, then some epochs at the start of each round.

    Attributes:
        warmup_epochs: before the first round, at least 0.
        epochs_per_round: at the start of each round, at least 0.
        num_rounds: rounds that train, at least 1.
    """

    warmup_epochs: int
    epochs_per_round: int
    num_rounds: int

    def __post_init__(self) -> None:
        if min(self.warmup_epochs, self.epochs_per_round, self.num_rounds - 1) < 0:
            raise ValueError(f"{self} is not a plan; epochs are at least 0 and num_rounds at least 1")
        if self.num_epochs == 0:
            raise ValueError("epochs_per_round and warmup_epochs are both 0; raise one, or no weight is ever trained")

    @property
    def num_epochs(self) -> int:
        """All epochs."""
        return self.warmup_epochs + self.epochs_per_round * self.num_rounds

    def position(self, epoch: int) -> Position:
        """Return where the epoch is that begins after so many epochs."""
        return Position(
            progress=epoch / self.num_epochs,
            learner_epoch=max(0, epoch - self.warmup_epochs),
            num_learner_epochs=self.epochs_per_round * self.num_rounds,
        )
