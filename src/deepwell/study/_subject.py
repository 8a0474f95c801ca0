"""The network that is examined at the end of a study, and where others like it may be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepwell.data._data import Data
from deepwell.diagnosis._curves import Curves
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import member_of
from deepwell.execution._memory_plan import native_member_bytes
from deepwell.records import Trial, TrialSpec
from deepwell.training._epochs import Epochs
from deepwell.training._program import Member, State

from ._other_epochs import Shortening, in_other_epochs

_LANES = 1024


@dataclass(frozen=True)
class StudyPrograms:
    """The compiled programs of a study, for networks like one of its trials.

    Attributes:
        engine: that has them.
        like: the trial.
    """

    engine: LocalEngine
    like: Trial

    def ways(self) -> list[Epochs]:
        """Return those that are there and their rows, the trial's own first."""
        return self.engine.ways(self.like.number, self.like.spec)

    def compiled(self, member: Member, spec: TrialSpec) -> Epochs:
        """Return one that a network fits; compiles."""
        return self.engine.compiled(self.like.number, member, spec)


@dataclass(frozen=True, eq=False)
class Subject:
    """The network that is examined.

    Attributes:
        spec: its configuration.
        state: its state; best weights under `best/`.
        data: its train and dev rows.
        ways: programs that may train networks like it, first those to be preferred.
        metric: that it was chosen by.
        scale: from a program's score to the metric's unit.
        score: its best dev score, in the metric's unit.
        curves: of its training.
        constant_cost: train cost of the constant guess.
        allowance: multiply-adds of the native program that twins and changes may take.
        memory: bytes that they may take; None for no bound.
        searched: 0.1 and 10 where the search has tried lower and higher rates.
        constant_output: whether it says the same of every dev row.
        searched_batches: whether the search has tried larger batches.
        programs: make one more for a network that none of `ways` has; None for none.
    """

    spec: TrialSpec
    state: State
    data: Data
    ways: Sequence[Epochs]
    metric: str
    scale: float
    score: float
    curves: Curves
    constant_cost: float
    allowance: float
    memory: int | None = None
    searched: frozenset[float] = frozenset()
    constant_output: bool = False
    searched_batches: bool = False
    programs: StudyPrograms | None = None

    @property
    def epochs(self) -> int:
        """Epochs it trained; all that it was to where it diverged, since a change may not."""
        return self.curves.epochs if self.curves.finite else self.spec.whole("epochs")

    def room(self) -> int:
        """Return how many such networks, each with a copy that is probed, the memory holds."""
        if self.memory is None:
            return _LANES
        return min(_LANES, int(self.memory / (2 * native_member_bytes(self.member({}, 0)))))

    def member(self, values: Mapping[str, object], run: int, epochs: int | None = None) -> Member:
        """Return the network with other values; run 0 has its own seed. See `changed`."""
        spec, task = self.changed(values, run, epochs), self.data.task
        inputs = self.data.train.x.shape[1]
        return member_of(spec, inputs, task.outputs, task.loss, self.data.image)

    def changed(
        self, values: Mapping[str, object], run: int, epochs: int | None = None
    ) -> TrialSpec:
        """Return its configuration with other values.

        Args:
            values: to be changed.
            run: added to its seed.
            epochs: for how many it is to train: in fewer than it did, its schedule goes as far as
                it went (`in_other_epochs`); None for as many.
        """
        changed: dict[str, Any] = {**self.spec.hyperparameters, **values, "patience": 0}
        spec, of_folds = self.spec, bool(self.ways[0].rows.others)
        fold = (spec.fold, spec.folds) if of_folds else (0, 0)
        spec = TrialSpec(changed, spec.seed + run, spec.order_seed, spec.dtype, *fold)
        if epochs is None or epochs >= self.epochs:
            return spec
        share = epochs / self.epochs
        return in_other_epochs(spec, Shortening(share, self.epochs, epochs, steps=share))

    def units(self) -> tuple[int, ...]:
        """Return the units of each hidden layer; of convolutional ones their channels."""
        return (*self.spec.conv_channels, *self.spec.hidden_units)
