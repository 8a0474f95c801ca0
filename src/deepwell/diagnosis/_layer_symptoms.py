"""What can be wrong inside a network's layers: how it is measured, and when it is suspected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Probe

PER_LAYER = 2.0
"""Factor on the gradient, layer by layer, from which on it is suspected."""

GATE = 10.0
"""Times the gradient of untrained twins, or the output layer's, or a tenth: suspected."""

_SHARE = 0.25  # of units without use: suspected
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
UNIT_GATES = {DEAD: _SHARE, SATURATED: 0.0}
"""Figures of units from which on they are suspected: half flat is even odds, whose log is 0."""

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
    if symptom in UNIT_GATES:
        gate = UNIT_GATES[symptom]
        return bool((later > gate).any() or (before and (before[0] > gate).any()))
    below = len(later) - np.arange(len(later))  # layers down from the output layer
    gates = np.maximum(math.log10(GATE), below * math.log10(PER_LAYER))
    steep = bool((symptom.sign * later > gates).any())
    if not before:
        return steep
    usual = np.mean(before[1:], axis=0)
    return steep or bool((symptom.sign * (before[0] - usual) > math.log10(GATE)).any())


def worst_layer(symptom: Symptom, values: np.ndarray) -> int | None:
    """Return the place of the layer with the worst figure, None where none is known."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return None
    return int(known[(symptom.sign * values[known]).argmax()])


def shown(symptom: Symptom, value: float) -> float | None:
    """Return a figure as a share or a ratio, None where it is unknown."""
    if not math.isfinite(value):
        return None
    if symptom.unit_share:
        return float(value)
    if symptom is SATURATED:
        return float(1 / (1 + 10.0**-value))
    return 0.0 if value <= _NO_GRADIENT else float(10.0**value)


def plain(symptom: Symptom, values: np.ndarray) -> list[float | None]:
    """Return the figures of all layers as shares or ratios."""
    return [shown(symptom, float(v)) for v in values]


def figure_words(symptom: Symptom, value: float) -> str:
    """Return a figure in words, as in `12 %`."""
    if not math.isfinite(value):
        return "unknown"
    if symptom in UNIT_GATES:
        return f"{100 * (shown(symptom, value) or 0.0):.3g} %"
    return "0" if value <= _NO_GRADIENT else f"{10.0**value:.2g}"
