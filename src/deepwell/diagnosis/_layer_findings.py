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
HARM_LEVEL = 0.01  # chance of a score that much worse, where nothing is wrong
_PER_LAYER = 2.0  # a layer that halves, or doubles, the gradient: gate
_SHARE = 0.1  # of units without use: gate


@dataclass(frozen=True)
class Symptom:
    """What a layer finding measures.

    Attributes:
        code: of the finding.
        claim: in a few words.
        words: what the figure is.
        unit_share: whether it is a share of units, else log10 of a ratio of gradient norms.
        sign: 1 where more is worse, -1 where less is.
    """

    code: str
    claim: str
    words: str
    unit_share: bool
    sign: int


VANISHING = Symptom("DW401", "vanishing gradients", "gradient over the output layer's", False, -1)
EXPLODING = Symptom("DW402", "exploding gradients", "gradient over the output layer's", False, 1)
DEAD = Symptom("DW403", "dead units", "units with one value on all dev rows", True, 1)
SATURATED = Symptom("DW404", "saturated units", "units in a flat part of the activation", True, 1)
SYMPTOMS = (VANISHING, EXPLODING, DEAD, SATURATED)


@dataclass(frozen=True)
class Twins:
    """What healthy twins showed, and what a change did.

    Attributes:
        own: probe of the network, trained beside its twins.
        twins: their probes, of layers of the same sizes.
        units: units of each hidden layer.
        harm: what it is to be the twin in place of the network: gain of the twins.
        epochs: for how many all were trained.
        cure: what the change did to the network, or None when it was not trained.
        change: the change, in words; values: as hyperparameters.
    """

    own: Probe
    twins: tuple[Probe, ...]
    units: tuple[int, ...]
    harm: Effect
    epochs: int
    cure: Effect | None
    change: str
    values: dict[str, object]


def figures(symptom: Symptom, probe: Probe) -> np.ndarray:
    """Return the figure of each hidden layer, (L - 1,): a share, or a log10; NaN for unknown."""
    if symptom is DEAD:
        return np.asarray(probe.dead[:-1], np.float64)
    if symptom is SATURATED:
        return np.asarray(probe.saturated[:-1], np.float64)
    norms = np.asarray(probe.gradient_norm, np.float64)
    usable = np.isfinite(norms) & (norms > 0)
    if not usable[-1]:
        return np.full(len(norms) - 1, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log10(norms[:-1] / norms[-1])
    # Of a gradient that is 0 in one layer alone the ratio is as small as float32 can tell.
    return np.where(norms[:-1] == 0, -38.0, ratios)


def suspected(probe: Probe) -> list[Symptom]:
    """Return the symptoms that are worth a comparison with twins; a gate, not a verdict.

    Gradients that more than halve or double from layer to layer, and a tenth of a layer's units
    dead or saturated: a layer that is narrower by less than that is hardly another network.
    """
    found: list[Symptom] = []
    for symptom in SYMPTOMS:
        values = figures(symptom, probe)
        if symptom.unit_share:
            gates = np.full(len(values), _SHARE)
        else:
            below = len(values) - np.arange(len(values))  # layers down from the output layer
            gates = symptom.sign * below * math.log10(_PER_LAYER)
        with np.errstate(invalid="ignore"):
            if (symptom.sign * (values - gates) > 0).any():
                found.append(symptom)
    return found


def quiet_finding(symptom: Symptom, probe: Probe) -> Finding:
    """Return `ok` for a symptom that the gate did not pass."""
    values = figures(symptom, probe)
    worst = _worst(symptom, values)
    check = Check(
        measured=None if worst is None else _shown(symptom, values[worst]),
        threshold=_SHARE if symptom.unit_share else _PER_LAYER ** (symptom.sign * len(values)),
        threshold_source="a gate below which no twins are trained: "
        + ("a tenth of a layer's units" if symptom.unit_share else "a factor of 2 a layer"),
        more={"layers": list(probe.layers[:-1]), "figures": _plain(symptom, values)},
    )
    return check_finding(symptom.code, "ok", f"no {symptom.claim}", "", check)


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
    own = figures(symptom, seen.own)
    others = np.array([figures(symptom, twin) for twin in seen.twins])
    level = SYMPTOM_LEVEL / max(1, checks * len(own))
    compared = [_compare(symptom, own, others, seen.units, n, level) for n in range(len(own))]
    worst = min(range(len(own)), key=lambda n: compared[n].p_value)
    told = compared[worst]
    there = told.p_value <= level and told.beyond_all
    p = min(1.0, told.p_value * max(1, checks * len(own)))
    check = Check(
        measured=_shown(symptom, own[worst]),
        threshold=_shown(symptom, told.limit),
        threshold_source=f"{len(seen.twins)} healthy twins after {seen.epochs} epochs, chance "
        f"{SYMPTOM_LEVEL:.0%} over {checks * len(own)} comparisons",
        change=seen.change,
        values=seen.values,
        p_value=p,
        more={
            "layer": seen.own.layers[worst],
            "figures": _plain(symptom, own),
            "twins": [_plain(symptom, row) for row in others],
            "harm": seen.harm.to_plain(),
            "worth": worth,
            "change_effect": None if seen.cure is None else seen.cure.to_plain(),
        },
    )
    figure = _figure_words(symptom, own[worst])
    detail = f"{seen.own.layers[worst]}: {figure}, twins at most "
    detail = detail.replace("at most", "at least") if symptom.sign < 0 else detail
    detail += _figure_words(symptom, told.limit)
    if not there:
        return check_finding(
            *(symptom.code, "ok", f"{symptom.claim} not beyond healthy twins", detail, check)
        )
    harmful = helps(seen.harm, worth, HARM_LEVEL)
    percent = METRICS[metric].percent
    scores = (
        f"dev {METRICS[metric].label} {figure_text(seen.harm.without, percent)} against their "
        f"{figure_text(seen.harm.with_it, percent)}"
    )
    if not harmful:
        return check_finding(
            *(symptom.code, "ok", f"{symptom.claim}, but no harm", f"{detail}; {scores}", check)
        )
    mended = seen.cure is None or helps(seen.cure, worth, HARM_LEVEL)
    if seen.cure is not None:
        scores += f"; {seen.change}: {figure_text(seen.cure.with_it, percent)}"
    level_word = "problem" if mended else "unsure"
    return check_finding(symptom.code, level_word, symptom.claim, f"{detail}; {scores}", check)


@dataclass(frozen=True)
class _Compared:
    """One layer against its twins: chance of so much, what the chance allows, beyond all."""

    p_value: float
    limit: float
    beyond_all: bool


_NOTHING = _Compared(1.0, math.nan, False)


def _compare(
    symptom: Symptom,
    own: np.ndarray,
    others: np.ndarray,
    units: Sequence[int],
    layer: int,
    level: float,
) -> _Compared:
    here, there = own[layer], others[:, layer]
    there = there[np.isfinite(there)]
    if not math.isfinite(here) or len(there) < 2:
        return _NOTHING
    beyond = bool((symptom.sign * (here - there) > 0).all())
    if symptom.unit_share:
        p, limit = _share_test(here, there, units[layer], level)
    else:
        p, limit = _ratio_test(symptom.sign, here, there, level)
    return _Compared(p, limit, beyond)


def _ratio_test(sign: int, here: float, there: np.ndarray, level: float) -> tuple[float, float]:
    """Return p-value and limit of one more value like the twins' (t prediction interval).

    Logarithms of norms of sums of many terms are near normal. Few twins that happen to agree
    would make a needle's width a symptom, so their spread counts as a factor of 2 at least: what
    the gate asks of a single layer.
    """
    from scipy.special import stdtr, stdtrit

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
    limit = next(
        (n for n in range(units + 1) if _hypergeometric(n, units, n + others, (k + 1) * units)
         <= level),
        units,
    )
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
    return float(value) if symptom.unit_share else float(10.0**value)


def _plain(symptom: Symptom, values: np.ndarray) -> list[float | None]:
    return [_shown(symptom, float(v)) for v in values]


def _figure_words(symptom: Symptom, value: float) -> str:
    if not math.isfinite(value):
        return "unknown"
    if symptom.unit_share:
        return f"{100 * value:.3g} % of {symptom.words}"
    return f"{symptom.words} {10.0**value:.2g}"
