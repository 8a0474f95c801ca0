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
    "DW211": "rows most likely mislabeled, with a false-discovery rate",
    "DW212": "slices of the rows where the model is worse than elsewhere",
    "DW213": "probabilities that are too sure or too mild, and what a temperature does to them",
    "DW214": "a decision threshold that is better than 0.5",
    "DW215": "which classes are taken for which",
    "DW216": "what columns are worth: the score when they are shuffled",
    "DW217": "what sets or intervals that hold the truth as often as asked look like",
    "DW301": "the loss at the start is higher than a healthy start of the same network explains",
    "DW302": "the network cannot fit a few rows, or its steps change no weight",
    "DW303": "inputs are ignored, or carry no signal that shows",
    "DW304": "rows of a batch change each other's outputs or gradients",
    "DW305": "all units of a hidden layer are alike",
    "DW306": "the gradient is not that of the cost",
    "DW401": "vanishing gradients: the first layer hardly learns, and the score suffers",
    "DW402": "exploding gradients: they grow towards the first layer, and the score suffers",
    "DW403": "dead units: they give one value on every dev row, and the score suffers",
    "DW404": "saturated units: in a flat part of their activation, and the score suffers",
    "DW405": "learning rate too high for this network",
    "DW406": "learning rate too low for this network",
    "DW407": "inputs not normalized",
    "DW408": "networks diverged: at which learning rates, and what was first not finite",
    "DW409": "constant output: the network says the same of every row",
    "DW410": "plateau: the train cost stands still where a healthy twin's falls",
    "DW411": "train and prediction modes disagree: averages that batch norm kept are off",
    "DW412": "best step in the last quarter: training longer would help",
    "DW413": "best step in the first tenth: the score got worse from there",
    "DW414": "dev cost rising while the train cost falls",
}
"""Code -> what the finding is about. Both DW102 and DW101 together mean high bias and variance."""
