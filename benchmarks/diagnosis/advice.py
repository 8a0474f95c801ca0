"""From what is said to what is done: which remedy of the menu a claimed cause asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .diagnosed import Said
from .fault import PROGRAM
from .labels import REGIME

DONE: Mapping[str, tuple[str, str]] = {
    "inputs not scaled": ("inputs", "normalize"),
    "inputs corrupt": ("inputs", "normalize"),
    "inputs missing": ("inputs", "normalize"),
    "inputs without signal": ("inputs", "normalize"),
    "labels wrong": ("labels", "loss"),
    "labels unpaired": ("labels", "loss"),
    "classes imbalanced": ("class weights", "loss"),
    "duplicates across parts": ("dev rows", "keep best"),
    "target leak": ("without the leak", "network"),
    "groups across parts": ("dev rows", "keep best"),
    "future in train": ("dev rows", "keep best"),
    "dev unlike train": ("dev rows", "keep best"),
    "dev too small": ("dev rows", "keep best"),
    "init symmetric": ("initializer auto", "init"),
    "init too large": ("initializer auto", "init"),
    "init too small": ("initializer auto", "init"),
    "output bias": ("initializer auto", "init"),
    "no nonlinearity": ("activation relu", "network"),
    "gradients vanish": ("activation relu", "network"),
    "units dead": ("initializer auto", "init"),
    "units saturated": ("initializer auto", "init"),
    "network too small": ("bigger", "network"),
    "network too large": ("more rows", "network"),
    "output layer wrong": ("optimizer defaults", "network"),
    "rows mixed": ("batch of 64", "network"),
    "loss wrong": ("optimizer defaults", "loss"),
    "loss scaled": ("optimizer defaults", "loss"),
    "penalty misplaced": ("no regularizing", "loss"),
    "gradient wrong": ("optimizer defaults", "gradient"),
    "rate too high": ("rate / 5", "rate / 10"),
    "rate too low": ("rate x 5", "rate x 10"),
    "rule misconfigured": ("optimizer defaults", "update"),
    "rate falls too early": ("constant rate", "longer"),
    "clipped too hard": ("no clipping", "update"),
    "updates lost": ("optimizer defaults", "update"),
    "regularized too much": ("no regularizing", "loss"),
    "regularized too little": ("regularize", "keep best"),
    "augmentation wrong": ("no regularizing", "augment"),
    "modes disagree": ("batch of 64", "predict"),
    "batch too small": ("batch of 64", "update"),
    "trained too short": ("longer", "longer"),
    "trained too long": ("shorter", "keep best"),
    "high bias": ("bigger", "longer"),
    "high variance": ("regularize", "keep best"),
    "noise floor": ("patience 0", "keep best"),
    "mismatch": ("dev rows", "normalize"),
    "dev overfitted": ("dev rows", "keep best"),
}
"""Claimed cause -> what to do in a study, what to do in a program; both from the menus."""


ASKS: Mapping[str, str] = {
    "DW110": "dev rows",
    "DW111": "more rows",
    "DW113": "dev rows",
    "DW120": "dev rows",
}
"""A finding that cannot tell, for want of rows -> the rows that it asks for."""


def first_advice(said: Sequence[Said]) -> Said | None:
    """Return what would be acted on first: an alarm with a change or a cause, then the regime."""
    problems = [s for s in said if s.level == "problem" and (s.values or s.cause)]
    alarms = [s for s in problems if s.code not in REGIME]
    return next(iter([*alarms, *problems]), None)


def remedy_for(cause: str, kind: str) -> str:
    """Return the remedy of the menu of a kind of case that a cause asks for."""
    return DONE[cause][int(kind == PROGRAM)]
