"""What is wrong inside a network: vanishing, exploding, dead and saturated.

No figure of a layer is right or wrong by itself: 60 % zeros in a ReLU layer are healthy, a
gradient of exactly 0 is what a perfect fit looks like, and each depends on depth, width and data.
So a network is compared with *healthy twins*: networks of its widths that start as their
activation asks for, trained with Adam at a rate found good, on the same batches. A symptom is

1. suspected where it passes a loose gate, which costs next to nothing;
2. there, where it lies beyond what the twins show, at an error rate shared by layers and checks;
3. a problem, where the network's score is worse than its twins' as well, seed by seed.

The change that should mend it is trained beside them, and what it brought is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Finding, Probe

from ._check_finding import Check, check_finding
from ._metrics import METRICS
from ._paired_runs import Effect, helps
from ._texts import figure_text

SYMPTOM_LEVEL = 0.01  # chance of seeing any symptom in a healthy network, all layers and checks
HARM_LEVEL = 0.02  # chance of a score that much worse, where nothing is wrong: 5 of 256 patterns
_PER_LAYER = 2.0  # a layer that halves, or doubles, the gradient: gate
_GATE = 10.0  # times the gradient of untrained twins, or the output layer's, or a tenth: gate
_SHARE = 0.25  # of units without use: gate
_NO_GRADIENT = -38.0  # log10 of what float32 cannot tell from 0


@dataclass(frozen=True)
class Symptom:
    """What a layer finding measures.

    Attributes:
        code: of the finding.
        claim: in a few words.
        words: what the figure is.
        unit_share: whether it is a share of units, else a ratio: of gradient norms, or of
            activations that are flat to those that are not.
        sign: 1 where more is worse, -1 where less is.
    """

    code: str
    claim: str
    words: str
    unit_share: bool
    sign: int


VANISHING = Symptom("DW401", "vanishing gradients", "of the output layer's gradient", False, -1)
EXPLODING = Symptom("DW402", "exploding gradients", "of the output layer's gradient", False, 1)
DEAD = Symptom("DW403", "dead units", "of units with one value on all dev rows", True, 1)
SATURATED = Symptom("DW404", "saturated units", "of activations in a flat part", False, 1)
SYMPTOMS = (VANISHING, EXPLODING, DEAD, SATURATED)
_OF_UNITS = {DEAD: _SHARE, SATURATED: 0.0}  # gates: half flat is even odds, whose log is 0
_LEAST_FLAT = 1e-6  # a share of none is as good as this


@dataclass(frozen=True, eq=False)
class Sight:
    """What is inside a network at a moment.

    Attributes:
        probe: the record.
        flat: (L,) share of activations in a flat part, of all units and rows but those of dead
            units; NaN where there is none.
    """

    probe: Probe
    flat: np.ndarray


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
        cure: what the change did to the network, or None when it was not trained.
        change: the change, in words; values: as hyperparameters.
    """

    moments: tuple[Moment, ...]
    units: tuple[int, ...]
    harm: Effect
    epochs: int
    cure: Effect | None
    change: str
    values: dict[str, object]


def figures(symptom: Symptom, sight: Sight, at_start: bool) -> np.ndarray:
    """Return the figure of each hidden layer, (L - 1,); NaN for unknown.

    A share of dead units; log10 of the odds that an activation is in a flat part; or log10 of a
    gradient's norm, at the start, which no training has changed yet, and later of its ratio to the
    output layer's, since both fall with the cost.
    """
    probe = sight.probe
    if symptom is DEAD:
        return np.asarray(probe.dead[:-1], np.float64)
    if symptom is SATURATED:
        flat = np.clip(np.asarray(sight.flat[:-1], np.float64), _LEAST_FLAT, 1 - _LEAST_FLAT)
        return np.log10(flat / (1 - flat))
    norms = np.asarray(probe.gradient_norm, np.float64)
    unit = 1.0 if at_start else norms[-1]
    if not (math.isfinite(unit) and unit > 0):
        return np.full(len(norms) - 1, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log10(norms[:-1] / unit)
    return np.where(norms[:-1] == 0, _NO_GRADIENT, ratios)


def suspected(best: Sight, start: Sequence[Sight] = ()) -> list[Symptom]:
    """Return the symptoms that are worth a comparison with trained twins; a gate, not a verdict.

    At the start, gradients ten times those of twins, or a tenth; later, of the output layer's, or
    a factor of 2 a layer where that is more; a quarter of a layer's units dead, or half of its
    activations flat.

    Args:
        best: of the network at its best weights.
        start: of the network and of some twins before their first step; empty where the network
            starts as its twins do.
    """
    return [s for s in SYMPTOMS if _suspected(s, best, start)]


def _suspected(symptom: Symptom, best: Sight, start: Sequence[Sight]) -> bool:
    later = figures(symptom, best, at_start=False)
    before = [figures(symptom, sight, at_start=True) for sight in start]
    if symptom in _OF_UNITS:
        gate = _OF_UNITS[symptom]
        return bool((later > gate).any() or (before and (before[0] > gate).any()))
    below = len(later) - np.arange(len(later))  # layers down from the output layer
    gates = np.maximum(math.log10(_GATE), below * math.log10(_PER_LAYER))
    steep = bool((symptom.sign * later > gates).any())
    if not before:
        return steep
    usual = np.mean(before[1:], axis=0)
    return steep or bool((symptom.sign * (before[0] - usual) > math.log10(_GATE)).any())


def quiet_finding(symptom: Symptom, sight: Sight) -> Finding:
    """Return `ok` for a symptom that the gate did not pass."""
    values = figures(symptom, sight, at_start=False)
    worst = _worst(symptom, values)
    gate = _shown(symptom, _OF_UNITS.get(symptom, symptom.sign * math.log10(_GATE)))
    words = {DEAD: "a quarter of a layer's units", SATURATED: "half of a layer's activations"}
    check = Check(
        measured=None if worst is None else _shown(symptom, values[worst]),
        threshold=gate,
        threshold_source="a gate below which no twins are trained: "
        + words.get(symptom, "a factor of 10"),
        more={"layers": list(sight.probe.layers[:-1]), "figures": _plain(symptom, values)},
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
        `problem` when the symptom lies beyond the twins, the score is worse than theirs by what
        matters, and the change mended it where it was tried; `unsure` when the change did not
        mend it; `ok` else.
    """
    worst = _most_unlike(symptom, seen, checks)
    check = _check(symptom, seen, worst, worth)
    code, claim, detail = symptom.code, symptom.claim, _place_words(symptom, worst)
    if not worst.there:
        return check_finding(code, "ok", f"{claim} not beyond healthy twins", detail, check)
    percent, label = METRICS[metric].percent, METRICS[metric].label
    own, twins = (figure_text(s, percent) for s in (seen.harm.without, seen.harm.with_it))
    detail += f"; dev {label} {own} against their {twins} after {seen.epochs} epochs"
    if not helps(seen.harm, worth, HARM_LEVEL):
        return check_finding(code, "ok", f"{claim}, but no harm", detail, check)
    if seen.cure is None:
        return check_finding(code, "problem", claim, detail, check)
    detail += f"; {seen.change}: {figure_text(seen.cure.with_it, percent)}"
    mended = helps(seen.cure, worth, HARM_LEVEL)
    return check_finding(code, "problem" if mended else "unsure", claim, detail, check)


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
            told = _compare(symptom, own[n], others[:, n], units, level)
            there = told.p_value <= level and told.beyond_all
            p = min(1.0, told.p_value * tests)
            where = moment.own.probe.layers[n], moment.when, moment.at_start
            places.append(_Place(*where, float(own[n]), told.limit, p, tests, there))
    return min(places, key=lambda place: (not place.there, place.p_value))


def _check(symptom: Symptom, seen: Twins, worst: _Place, worth: float) -> Check:
    by_moment = {
        moment.when: {
            "own": _plain(symptom, figures(symptom, moment.own, moment.at_start)),
            "twins": [
                _plain(symptom, figures(symptom, twin, moment.at_start)) for twin in moment.twins
            ],
        }
        for moment in seen.moments
    }
    return Check(
        measured=_shown(symptom, worst.own),
        threshold=_shown(symptom, worst.limit),
        threshold_source=f"{len(seen.moments[0].twins)} healthy twins after {seen.epochs} epochs, "
        f"chance {SYMPTOM_LEVEL:.0%} over {worst.tests} comparisons",
        change=seen.change,
        values=seen.values,
        p_value=worst.p_value,
        more={
            "layer": worst.layer,
            "when": worst.when,
            "figures": by_moment,
            "harm": seen.harm.to_plain(),
            "worth": worth,
            "change_effect": None if seen.cure is None else seen.cure.to_plain(),
        },
    )


def _place_words(symptom: Symptom, place: _Place) -> str:
    bound = "at least" if symptom.sign < 0 else "at most"
    absolute = place.at_start and symptom not in _OF_UNITS
    words = "gradient norm" if absolute else symptom.words
    own, limit = (_figure_words(symptom, value) for value in (place.own, place.limit))
    return f"{place.layer} {place.when}: {own} {words}, healthy twins {bound} {limit}"


@dataclass(frozen=True)
class _Compared:
    """One layer against its twins: chance of so much, what the chance allows, beyond all."""

    p_value: float
    limit: float
    beyond_all: bool


_NOTHING = _Compared(1.0, math.nan, False)


def _compare(
    symptom: Symptom, here: float, there: np.ndarray, units: int, level: float
) -> _Compared:
    there = there[np.isfinite(there)]
    if not math.isfinite(here) or len(there) < 2:
        return _NOTHING
    beyond = bool((symptom.sign * (here - there) > 0).all())
    if symptom.unit_share:
        p, limit = _share_test(here, there, units, level)
    else:
        p, limit = _ratio_test(symptom.sign, here, there, level)
    return _Compared(p, limit, beyond)


def _ratio_test(sign: int, here: float, there: np.ndarray, level: float) -> tuple[float, float]:
    """Return p-value and limit of one more value like the twins' (t prediction interval).

    Logarithms of norms of sums of many terms are near normal. Few twins that happen to agree
    would make a needle's width a symptom, so their spread counts as a factor of 2 at least: what
    the gate asks of a single layer.
    """
    from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped]

    k = len(there)
    spread = max(float(there.std(ddof=1)), math.log10(_PER_LAYER)) * math.sqrt(1 + 1 / k)
    t = sign * (here - float(there.mean())) / spread
    limit = float(there.mean()) + sign * float(stdtrit(k - 1, 1 - level)) * spread
    return float(stdtr(k - 1, -t)), limit


def _share_test(here: float, there: np.ndarray, units: int, level: float) -> tuple[float, float]:
    """Return p-value and limit of a share of units, by Fisher's exact test.

    Of all units of the layer, the network's and its twins', as many are affected as there are;
    how likely is it that the network has so many of them?
    """
    k = len(there)
    affected, others = round(here * units), round(float(there.sum()) * units)
    p = _hypergeometric(affected, units, affected + others, (k + 1) * units)
    low, high = -1, units  # the share of all units has a chance of at most `level`, or none has
    while high - low > 1:
        middle = (low + high) // 2
        if _hypergeometric(middle, units, middle + others, (k + 1) * units) <= level:
            high = middle
        else:
            low = middle
    limit = high
    return p, limit / units


def _hypergeometric(seen: int, drawn: int, marked: int, total: int) -> float:
    """Return P(X >= seen) of the marked among `drawn` of `total`, of which `marked` are marked."""
    most = min(drawn, marked)
    base = _log_choose(total, drawn)
    terms = [
        _log_choose(marked, n) + _log_choose(total - marked, drawn - n) - base
        for n in range(seen, most + 1)
        if drawn - n <= total - marked
    ]
    return min(1.0, sum(math.exp(term) for term in terms))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _worst(symptom: Symptom, values: np.ndarray) -> int | None:
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return None
    return int(known[(symptom.sign * values[known]).argmax()])


def _shown(symptom: Symptom, value: float) -> float | None:
    if not math.isfinite(value):
        return None
    if symptom.unit_share:
        return float(value)
    if symptom is SATURATED:
        return float(1 / (1 + 10.0**-value))
    return 0.0 if value <= _NO_GRADIENT else float(10.0**value)


def _plain(symptom: Symptom, values: np.ndarray) -> list[float | None]:
    return [_shown(symptom, float(v)) for v in values]


def _figure_words(symptom: Symptom, value: float) -> str:
    if not math.isfinite(value):
        return "unknown"
    if symptom in _OF_UNITS:
        return f"{100 * (_shown(symptom, value) or 0.0):.3g} %"
    return "0" if value <= _NO_GRADIENT else f"{10.0**value:.2g}"
