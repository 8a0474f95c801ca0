"""What an examination looks into, and how much of it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepwell.diagnosis._changes import TWIN_RATES, Change
from deepwell.diagnosis._layer_symptoms import Symptom

RUNS = 8  # pairs of runs: 256 sign patterns, so p-values go down to 0.004
PILOTS = 2  # runs that choose between the two best rates of a twin; of the others one does
FINALISTS = 2  # rates


@dataclass(frozen=True)
class Suspicion:
    """What there is a reason to look into.

    Attributes:
        symptoms: of its layers.
        factors: of the learning rate.
        stuck: whether it has learnt nothing and no symptom says why.
        raw_inputs: whether its inputs are not normalized.
        batch: a larger batch size, 0 for none.
        odd: changes that set back what is out of its usual range.
        against: changes against overfitting, none where it does not.
        longer: epochs to train on for, most first; none where there is no reason to.
    """

    symptoms: tuple[Symptom, ...]
    factors: tuple[float, ...]
    stuck: bool
    raw_inputs: bool
    batch: int
    odd: tuple[Change, ...] = ()
    against: tuple[Change, ...] = ()
    longer: tuple[int, ...] = ()


NOTHING = Suspicion((), (), False, False, 0)


@dataclass(frozen=True)
class Size:
    """How much of an examination is made.

    Attributes:
        runs: of the network, of twins and of each change.
        pilots: further runs that choose a twin's rate: one of each, so many of the two best.
        rates: that a twin may have.
        factors: whether other learning rates and batches are tried.
        cures: whether the changes that should mend symptoms are.
    """

    runs: int = RUNS
    pilots: int = PILOTS
    rates: tuple[float, ...] = TWIN_RATES
    factors: bool = True
    cures: bool = True

    @property
    def twins(self) -> int:
        """How many networks healthy twins of one kind take, pilots included."""
        return len(self.rates) + (self.pilots - 1) * FINALISTS + self.runs


# From all that is asked to what twins alone can tell; the first one that there is room for is made.
SIZES = (
    Size(),
    Size(factors=False),
    Size(factors=False, pilots=1, rates=TWIN_RATES[1:3]),
    Size(factors=False, pilots=1, rates=TWIN_RATES[1:3], cures=False, runs=6),
)


@dataclass(frozen=True)
class Plan:
    """What is made: how much, for how many epochs, and of what there is a program for it."""

    size: Size
    epochs: int
    groups: tuple[bool, ...]
    cures: Mapping[str, Mapping[str, object]]
    factors: tuple[float, ...]
    odd: tuple[Change, ...]
    against: tuple[Change, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Those that are tried for themselves, of no symptom and no rate."""
        return (*self.odd, *self.against)
