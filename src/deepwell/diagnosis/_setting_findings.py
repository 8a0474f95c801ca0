"""Is a setting far out of its usual range, and does the usual one do better? Tried, not guessed.

Dropout of 0.9, an epsilon of 1, layers without a nonlinearity or of two units, gradients clipped to
nothing are choices that may be right, and mostly are slips. What is usual is what the default
search spans, or where it spans nothing what the method's authors recommend; a network whose
settings all lie within costs nothing here. Those outside are set back, one family at a time, and
the network is trained with and without, seed by seed: an odd setting that does no harm is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from deepwell.records import Finding

from ._changes import Change, in_words
from ._check_finding import Check, check_finding
from ._curves import worth_source
from ._metrics import METRICS
from ._paired_runs import Tried, best_of, helps, may_help
from ._texts import figure_text

LEVEL = 0.02  # chance of a finding where no setting does harm, over all that are set back
FADED = 0.01  # of its largest: a learning rate that has fallen so far by the middle is spent
_MOST = 5  # changes: of more, 8 pairs of runs could tell none at that chance
_FEW_ROWS = 1_000  # below, the default search has stronger penalties
_PENALTY, _PENALTY_OF_FEW = 1e-2, 1e-1
_STRENGTHS: Mapping[str, float] = {
    "dropout": 0.5,  # the default search's range, as in Srivastava et al. 2014
    "input_dropout": 0.5,
    "weight_decay": 0.3,  # Loshchilov and Hutter 2019 go up to a quarter of it
    "label_smoothing": 0.3,  # Szegedy et al. 2016 use 0.1
    "mixup": 1.0,  # Zhang et al. 2018: even shares; above, halves of two rows
    "input_noise": 0.5,  # half of an input's own deviation
    "gradient_noise": 1.0,  # Neelakantan et al. 2015 use 0.01 to 1
}
_NUMBERS: Mapping[str, tuple[tuple[str, float, float, float], ...]] = {
    "adam": (
        ("beta1", 0.0, 0.95, 0.9),
        ("beta2", 0.9, 0.99999, 0.999),
        ("epsilon", 0.0, 1e-3, 1e-8),
        ("epsilon_root", 0.0, 1e-3, 0.0),
    ),
    "rmsprop": (("beta2", 0.8, 0.999, 0.9), ("epsilon", 0.0, 1e-3, 1e-8)),
    "adagrad": (("epsilon", 0.0, 1e-3, 1e-8),),
    "momentum": (("momentum", 0.0, 0.97, 0.9),),
    "velocity": (("momentum", 0.0, 0.97, 0.9),),
    "nesterov": (("momentum", 0.0, 0.97, 0.9),),
}
"""Optimizer -> its numbers: name, usual range, default."""
_NARROW = 8  # units: half of the fewest that the default search tries
_USUAL_UNITS = 32
_LEAST_CLIP: Mapping[str, float] = {"clip_norm": 0.1, "clip_value": 0.01}


def odd_settings(values: Mapping[str, object], rows: int, faded: float) -> tuple[Change, ...]:
    """Return what would set each family of odd settings back; mostly nothing.

    Args:
        values: hyperparameters of the network.
        rows: train rows.
        faded: share of its largest learning rate that is left in the middle of the training.
    """
    clipped: dict[str, object] = {
        name: 0.0 for name, low in _LEAST_CLIP.items() if 0 < _number(values, name) < low
    }
    constant: dict[str, object] = {"decay": "constant"} if faded < FADED else {}
    numbers = _numbers(values)
    families = _narrow(values), _regularizing(values, rows), _linear(values), numbers, clipped
    every = [family for family in (*families, constant, _slower(values, numbers)) if family]
    return tuple((in_words(family), family) for family in every[:_MOST])


def _narrow(values: Mapping[str, object]) -> dict[str, object]:
    """Return usual widths for layers through which next to nothing can pass."""
    units = cast(tuple[int, ...], values.get("hidden_units", ()))
    if not units or min(units) >= _NARROW:
        return {}
    return {"hidden_units": tuple(max(n, _USUAL_UNITS) if n < _NARROW else n for n in units)}


def _regularizing(values: Mapping[str, object], rows: int) -> dict[str, object]:
    penalty = _PENALTY_OF_FEW if rows < _FEW_ROWS else _PENALTY
    most = {**_STRENGTHS, "l2": penalty, "l1": penalty}
    return {name: 0.0 for name, limit in most.items() if _number(values, name) > limit}


def _linear(values: Mapping[str, object]) -> dict[str, object]:
    """Return the usual nonlinearity for layers that are linear one upon the other."""
    layered = bool(values.get("hidden_layers"))
    if not layered or values["activation"] != "identity":
        return {}
    return {"activation": "relu", "initializer": "auto"}


def _numbers(values: Mapping[str, object]) -> dict[str, object]:
    ranges = _NUMBERS.get(str(values["optimizer"]), ())
    odd = [one for one in ranges if not one[1] <= _number(values, one[0]) <= one[2]]
    return {name: usual for name, _, _, usual in odd}


def _slower(values: Mapping[str, object], numbers: Mapping[str, object]) -> dict[str, object]:
    """Return the usual momentum with a tenth of the rate, where gradients add up in a velocity.

    A step is then the rate over 1 - momentum: a rate that 0.999 made ruinous may be so with 0.9.
    """
    if "momentum" not in numbers or values["optimizer"] == "momentum":
        return {}
    return {**numbers, "learning_rate": float(f"{_number(values, 'learning_rate') / 10:.3g}")}


def setting_finding(tried: Tried, metric: str, worth: float) -> Finding:
    """Return DW416: `problem` where a usual setting does better by what matters.

    Args:
        tried: odd settings, and what setting them back did.
        metric: what the scores are.
        worth: smallest change of the score that matters.
    """
    if not tried.changes:
        check = Check(None, worth, "settings are set back only where they are out of range")
        return check_finding("DW416", "ok", "all settings in their usual ranges", "", check)
    if not tried.effects:
        words, values = tried.changes[0]
        check = Check(None, worth, worth_source(metric), change=words, values=values)
        why = f"trying {words} would take more than a hundredth of the study's time"
        return check_finding("DW416", "unsure", "a setting out of its usual range", why, check)
    level = LEVEL / len(tried.effects)
    best = best_of(tried.effects, worth, level)
    (words, values), found = tried.changes[best], tried.effects[best]
    check = Check(
        measured=found.gain,
        threshold=worth,
        threshold_source=worth_source(metric),
        change=words,
        values=values,
        p_value=min(1.0, found.p_value * len(tried.effects)),
        more={"change_effect": found.to_plain(), "significant_below": LEVEL},
    )
    percent = METRICS[metric].percent
    detail = (
        f"dev {METRICS[metric].label} {figure_text(found.without, percent)}, with {words} "
        f"{figure_text(found.with_it, percent)}: {found.runs} pairs of runs"
    )
    if helps(found, worth, level):
        return check_finding("DW416", "problem", "an unusual setting does harm", detail, check)
    if may_help(found, worth, len(tried.effects)):
        claim = "an unusual setting, perhaps with harm"
        return check_finding("DW416", "unsure", claim, detail, check)
    return check_finding("DW416", "ok", "an unusual setting, but no harm", detail, check)


def _number(values: Mapping[str, object], name: str) -> float:
    """Return a setting as a number, the largest of several; 0 where it is not there."""
    value = values.get(name, 0.0)
    several = cast(Sequence[object], value) if isinstance(value, tuple) else (value,)
    return max((float(v) for v in several if isinstance(v, int | float)), default=0.0)
