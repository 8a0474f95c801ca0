"""What is wrong inside a network: vanishing, exploding, dead and saturated.

No figure of a layer is right or wrong by itself: 60 % zeros in a ReLU layer are healthy, a
gradient of exactly 0 is what a perfect fit looks like, and each depends on depth, width and data.
So a network is compared with *healthy twins*: networks of its widths that start as their
activation asks for, trained with Adam at a rate found good, on the same batches. A symptom is

1. suspected where it passes a loose gate, which costs next to nothing;
2. there, where it lies beyond what the twins show, at an error rate shared by layers and checks;
3. a problem, where the network's score is worse than its twins' as well, seed by seed.

The change that should mend it is trained beside them, and what it brought is told. Where it does
not help, or much less, what makes the network its twin is told in its place: that was trained too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepwell.records import Finding

from ._changes import Change
from ._check_finding import Check, check_finding
from ._layer_comparison import compare
from ._layer_symptoms import (
    DEAD,
    GATE,
    SATURATED,
    UNIT_GATES,
    Sight,
    Symptom,
    figure_words,
    figures,
    plain,
    shown,
    worst_layer,
)
from ._metrics import METRICS
from ._paired_runs import Effect, helps
from ._texts import figure_text

SYMPTOM_LEVEL = 0.01  # chance of seeing any symptom in a healthy network, all layers and checks
HARM_LEVEL = 0.02  # chance of a score that much worse, where nothing is wrong: 5 of 256 patterns


@dataclass(frozen=True)
class Moment:
    """A network and its healthy twins at one moment of their training.

    Attributes:
        when: in words, as in `at the start`.
        at_start: whether no step was made yet.
        own: of the network, trained beside its twins.
        twins: of them, of layers of the same sizes.
    """

    when: str
    at_start: bool
    own: Sight
    twins: tuple[Sight, ...]


@dataclass(frozen=True)
class Twins:
    """What healthy twins showed, and what a change did.

    Attributes:
        moments: at which they were looked at.
        units: units of each hidden layer.
        harm: what it is to be the twin in place of the network: gain of the twins.
        epochs: for how many all were trained.
        cure: what the change that should mend the symptom did to the network, or None when it was
            not trained.
        change: that change, in words; values: as hyperparameters.
        twin: what makes the network its twin, in words and as hyperparameters.
    """

    moments: tuple[Moment, ...]
    units: tuple[int, ...]
    harm: Effect
    epochs: int
    cure: Effect | None
    change: str
    values: dict[str, object]
    twin: Change = ("", {})


def quiet_finding(symptom: Symptom, sight: Sight) -> Finding:
    """Return `ok` for a symptom that the gate did not pass."""
    values = figures(symptom, sight, at_start=False)
    worst = worst_layer(symptom, values)
    gate = shown(symptom, UNIT_GATES.get(symptom, symptom.sign * math.log10(GATE)))
    words = {DEAD: "a quarter of a layer's units", SATURATED: "half of a layer's activations"}
    check = Check(
        measured=None if worst is None else shown(symptom, values[worst]),
        threshold=gate,
        threshold_source="a gate below which no twins are trained: "
        + words.get(symptom, "a factor of 10"),
        more={"layers": list(sight.probe.layers[:-1]), "figures": plain(symptom, values)},
    )
    return check_finding(symptom.code, "ok", f"no {symptom.claim}", "", check)


def unseen_finding(symptom: Symptom, why: str) -> Finding:
    """Return `unsure` for a symptom that was not looked for, and why."""
    check = Check(None, None, "healthy twins of the network")
    return check_finding(symptom.code, "unsure", f"{symptom.claim} not looked for", why, check)


def layer_finding(
    symptom: Symptom, seen: Twins, metric: str, worth: float, checks: int = 1
) -> Finding:
    """Return what twins say about a suspected symptom.

    Args:
        symptom: that was suspected.
        seen: the network beside its twins.
        metric: what the scores are.
        worth: smallest change of the score that matters, in its unit.
        checks: how many symptoms are compared; they share the error rate.

    Returns:
        `problem` when the symptom lies beyond the twins and the score is worse than theirs by what
        matters: with the change that should mend it where that helped, else with what makes the
        network its twin, and with that too where it gained more by what matters. `ok` else.
    """
    worst = _most_unlike(symptom, seen, checks)
    remedy = _remedy(seen, worth)
    check = _check(symptom, seen, worst, worth, remedy)
    code, claim, detail = symptom.code, symptom.claim, _place_words(symptom, worst)
    if not worst.there:
        return check_finding(code, "ok", f"{claim} not beyond healthy twins", detail, check)
    percent, label = METRICS[metric].percent, METRICS[metric].label
    own, twins = (figure_text(s, percent) for s in (seen.harm.without, seen.harm.with_it))
    detail += f"; dev {label} {own} against their {twins} after {seen.epochs} epochs"
    if not helps(seen.harm, worth, HARM_LEVEL):
        return check_finding(code, "ok", f"{claim}, but no harm", detail, check)
    if seen.cure is not None:
        detail += f"; {seen.change}: {figure_text(seen.cure.with_it, percent)}"
    if remedy.twin:
        detail += f"; its twins differ by {remedy.change[0]}"
    return check_finding(code, "problem" if remedy.sure else "unsure", claim, detail, check)


@dataclass(frozen=True)
class _Remedy:
    """The change that is told.

    Attributes:
        change: in words and as hyperparameters; effect: what it did, None where it was not tried.
        twin: whether it is what makes the network its twin.
        cause_gain: gain of the change that is for the symptom alone; None where that did not help.
        sure: whether it helped, or nothing was tried that did not.
    """

    change: Change
    effect: Effect | None
    twin: bool
    cause_gain: float | None
    sure: bool


def _remedy(seen: Twins, worth: float) -> _Remedy:
    cure = seen.cure
    mended = cure.gain if cure is not None and helps(cure, worth, HARM_LEVEL) else None
    outdone = mended is None or seen.harm.gain > mended + worth
    if seen.twin[1] and outdone and helps(seen.harm, worth, HARM_LEVEL):
        return _Remedy(seen.twin, seen.harm, True, mended, True)
    sure = mended is not None or cure is None
    return _Remedy((seen.change, seen.values), cure, False, mended, sure)


@dataclass(frozen=True)
class _Place:
    """A layer at a moment beside its twins: the one that is most unlike them.

    Attributes:
        layer, when, at_start: where and when.
        own: its figure; limit: what the chance allows.
        p_value: all comparisons taken into account; tests: how many those are.
        there: whether it lies beyond the limit and beyond every twin.
    """

    layer: str
    when: str
    at_start: bool
    own: float
    limit: float
    p_value: float
    tests: int
    there: bool


def _most_unlike(symptom: Symptom, seen: Twins, checks: int) -> _Place:
    tests = max(1, checks * len(seen.units) * len(seen.moments))
    level = SYMPTOM_LEVEL / tests
    places: list[_Place] = []
    for moment in seen.moments:
        own = figures(symptom, moment.own, moment.at_start)
        others = np.array([figures(symptom, twin, moment.at_start) for twin in moment.twins])
        for n, units in enumerate(seen.units):
            told = compare(symptom, own[n], others[:, n], units, level)
            there = told.p_value <= level and told.beyond_all
            p = min(1.0, told.p_value * tests)
            where = moment.own.probe.layers[n], moment.when, moment.at_start
            places.append(_Place(*where, float(own[n]), told.limit, p, tests, there))
    return min(places, key=lambda place: (not place.there, place.p_value))


def _check(symptom: Symptom, seen: Twins, worst: _Place, worth: float, remedy: _Remedy) -> Check:
    by_moment = {
        moment.when: {
            "own": plain(symptom, figures(symptom, moment.own, moment.at_start)),
            "twins": [
                plain(symptom, figures(symptom, twin, moment.at_start)) for twin in moment.twins
            ],
        }
        for moment in seen.moments
    }
    return Check(
        measured=shown(symptom, worst.own),
        threshold=shown(symptom, worst.limit),
        threshold_source=f"{len(seen.moments[0].twins)} healthy twins after {seen.epochs} epochs, "
        f"chance {SYMPTOM_LEVEL:.0%} over {worst.tests} comparisons",
        change=remedy.change[0],
        values=remedy.change[1],
        p_value=worst.p_value,
        more={
            "layer": worst.layer,
            "when": worst.when,
            "figures": by_moment,
            "harm": seen.harm.to_plain(),
            "worth": worth,
            "change_effect": None if remedy.effect is None else remedy.effect.to_plain(),
            **({"cause_gain": remedy.cause_gain} if remedy.twin else {}),
        },
    )


def _place_words(symptom: Symptom, place: _Place) -> str:
    bound = "at least" if symptom.sign < 0 else "at most"
    absolute = place.at_start and symptom not in UNIT_GATES
    words = "gradient norm" if absolute else symptom.words
    own, limit = (figure_words(symptom, value) for value in (place.own, place.limit))
    return f"{place.layer} {place.when}: {own} {words}, healthy twins {bound} {limit}"
