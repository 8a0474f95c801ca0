"""The codes of findings, stable from release to release; scripts may rely on them."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "DW100": "neither high bias nor high variance",
    "DW101": "high variance: dev is worse than train by more than a material size",
    "DW102": "high bias: train is worse than the best possible by more than a material size",
    "DW103": "no high variance, where bias cannot be told",
    "DW104": "no high bias, where variance cannot be told",
    "DW105": "the network against the best of the simple models, on the same dev rows",
    "DW110": "too few dev rows to tell whether variance is high",
    "DW111": "too few train rows to tell whether bias is high",
    "DW112": "the best possible score is not known, so bias cannot be told",
    "DW408": "networks diverged: at which learning rates, and what was first not finite",
    "DW301": "the loss at the start is higher than a healthy start of the same network explains",
    "DW302": "the network cannot fit a few rows, or its steps change no weight",
    "DW303": "inputs are ignored, or carry no signal that shows",
    "DW304": "rows of a batch change each other's outputs or gradients",
    "DW305": "all units of a hidden layer are alike",
    "DW306": "the gradient is not that of the cost",
}
"""Code -> what the finding is about. Both DW102 and DW101 together mean high bias and variance."""
