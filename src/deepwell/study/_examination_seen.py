"""What an examination has seen of a network, its twins and the changes that were tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepwell.diagnosis._changes import Change
from deepwell.diagnosis._curve_findings import TrainedOn
from deepwell.diagnosis._layer_findings import Sight, Symptom, Twins
from deepwell.diagnosis._paired_runs import Effect, Tried
from deepwell.diagnosis._rate_findings import Rates


@dataclass(frozen=True)
class Examination:
    """What was seen.

    Attributes:
        sight: of the network at its best weights.
        symptoms: that were suspected.
        settled: that were as well, but the search has tried the change, a lower rate.
        factors: of the learning rate that there was a reason to try.
        twins: symptom's code -> network and twins side by side; without those for which there
            were no twins.
        harm: gain of healthy twins over the network, None where none were trained.
        twin: change that makes the network its twin.
        rates: the network at other rates, None where none were tried.
        inputs: what normalizing the inputs did, None where they are or it was not tried.
        batch: the larger batch size that there was a reason to try, 0 for none.
        larger: what it did, None where it was not tried.
        tried: settings out of their usual ranges, and what the usual ones did.
        regularized: changes against overfitting, and what they did.
        longer: what training on did, where the curves were too short to tell; None if not tried.
        lacking: whether a program was missing that would have been needed.
    """

    sight: Sight
    symptoms: tuple[Symptom, ...] = ()
    settled: tuple[Symptom, ...] = ()
    factors: tuple[float, ...] = ()
    twins: Mapping[str, Twins] | None = None
    harm: Effect | None = None
    twin: Change = ("", {})
    rates: Rates | None = None
    inputs: Effect | None = None
    batch: int = 0
    larger: Effect | None = None
    tried: Tried = field(default_factory=Tried)
    regularized: Tried = field(default_factory=Tried)
    longer: TrainedOn | None = None
    lacking: bool = False
