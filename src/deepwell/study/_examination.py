"""A network beside healthy twins and with one thing changed: trained where there is a suspicion.

A healthy network costs a probe and some arithmetic. Only what passes a gate is paid for, and no
more than a hundredth of the study's work, or what takes less than half a second: all arms train
for fewer epochs, with a whole schedule in these, where there is no room for all of them, and the
less urgent ones are left out where there is none for a few epochs. The limit is counted in
multiply-adds, so that the same study gives the same findings on a slow machine and a fast one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepwell.checking._arms import Bench
from deepwell.diagnosis._changes import SQUASHING, against_overfitting, change_for, healthy
from deepwell.diagnosis._curve_findings import epochs_to_try, overfits
from deepwell.diagnosis._layer_symptoms import SATURATED, Sight, Symptom, suspected
from deepwell.diagnosis._noise_findings import larger_batch, sign_of_noise
from deepwell.diagnosis._paired_runs import Tried
from deepwell.diagnosis._plateau_findings import stands_still
from deepwell.diagnosis._rate_findings import LOWER, factors_to_try, untried
from deepwell.diagnosis._setting_findings import odd_settings
from deepwell.optimization._learning_rate import learning_rates
from deepwell.training._state import at_best

from ._examination_arms import Arms
from ._examination_plan import NOTHING, PILOTS, Suspicion
from ._examination_seen import Examination
from ._examination_twins import probes_of, starts_as_twins
from ._subject import Subject

SHARE = 0.01
FLOOR = 2e10  # multiply-adds: about 0.4 s of two cores
_FEW_ROWS = 64  # that tell what a network is like before its first step


def examine(subject: Subject, raw_inputs: bool = False) -> Examination | None:
    """Return what is inside a network, and what twins and changes show of what looks odd.

    None comes back where the memory does not hold the network a few times over, or no program
    is there that can train it.

    Args:
        subject: the network, with at least one program.
        raw_inputs: whether its inputs are not normalized.
    """
    bench, own = Bench(subject.ways), subject.member({}, 0)
    if subject.room() < 2 + PILOTS or not bench.has(own):
        return None
    values = subject.spec.hyperparameters
    [sight] = probes_of(bench, [own], [at_best(subject.state)])
    start: list[Sight] = []  # of the network and of twins, where it does not start as they do
    layered = len(sight.probe.layers) > 1
    if layered and not starts_as_twins(values):
        # What a rule would do with a gradient is not looked at: the network's own one will do.
        twin = {**healthy(values, 1e-3, True), "optimizer": values["optimizer"]}
        twins = [subject.member(twin, run) for run in range(1, 1 + PILOTS)]
        if all(map(bench.has, twins)):
            start = probes_of(bench, [own, *twins], bench.start([own, *twins]), _FEW_ROWS)
    suspects = suspected(sight, start) if layered else []
    # A ReLU unit that only a few rows make active is sparse, not stuck: dead is another matter.
    squashing = values["activation"] in SQUASHING
    suspects = [s for s in suspects if s is not SATURATED or squashing]
    settled = tuple(s for s in suspects if LOWER in subject.searched and _by_rate(s, values))
    symptoms = tuple(s for s in suspects if s not in settled)
    stuck = stands_still(subject.curves, subject.constant_cost) or subject.constant_output
    wanted = factors_to_try(subject.curves, subject.constant_cost)
    factors = untried(wanted, subject.spec.number("learning_rate"), subject.searched)
    batch = _larger_batch(subject)
    odd = odd_settings(values, len(subject.data.train), _left_in_the_middle(values))
    against = against_overfitting(values) if overfits(subject.curves) else ()
    longer = epochs_to_try(subject.curves)
    seen = Examination(sight, symptoms, settled, factors, batch=batch, tried=Tried(odd))
    why = Suspicion(symptoms, factors, stuck, raw_inputs, batch, odd, against, longer)
    if why == NOTHING:
        return seen
    return Arms(subject, bench, why).seen(seen)


def _left_in_the_middle(values: Mapping[str, Any]) -> float:
    """Return the share of its largest learning rate that is left in the middle of the training."""
    rates = learning_rates(1, **values)
    return float(rates[(len(rates) - 1) // 2] / rates.max())


def _by_rate(symptom: Symptom, values: Mapping[str, object]) -> bool:
    """Return whether the change that should mend a symptom is a lower learning rate."""
    return list(change_for(symptom.code, values)[1]) == ["learning_rate"]


def _larger_batch(subject: Subject) -> int:
    batch, normed = subject.spec.whole("batch_size"), subject.spec.text("batch_norm") != "none"
    sign = sign_of_noise(subject.curves, subject.constant_cost, batch, normed=normed)
    if subject.searched_batches or not sign:
        return 0
    return larger_batch(batch, len(subject.data.train), normed=normed)
