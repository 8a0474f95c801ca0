"""Causes: the vocabulary of the benchmark, and what each finding of Deepwell claims in it.

This is the one table from codes of findings to causes. A code whose finding names a change is
mapped by that change, since it says what the cause is believed to be: vanishing gradients that
another initializer mends are the initializer's doing.
"""

from __future__ import annotations

from collections.abc import Mapping

FAMILIES = (
    "data", "labels", "split", "init", "network", "loss", "gradient", "optimizer",
    "regularizing", "duration", "regime",
)  # fmt: skip

LABELS: Mapping[str, str] = {
    "inputs not scaled": "data",
    "inputs corrupt": "data",
    "inputs missing": "data",
    "inputs without signal": "data",
    "labels wrong": "labels",
    "labels unpaired": "labels",
    "classes imbalanced": "labels",
    "duplicates across parts": "split",
    "target leak": "split",
    "groups across parts": "split",
    "future in train": "split",
    "dev unlike train": "split",
    "dev too small": "split",
    "init symmetric": "init",
    "init too large": "init",
    "init too small": "init",
    "output bias": "init",
    "no nonlinearity": "network",
    "gradients vanish": "network",
    "units dead": "network",
    "units saturated": "network",
    "network too small": "network",
    "network too large": "network",
    "output layer wrong": "network",
    "rows mixed": "network",
    "loss wrong": "loss",
    "loss scaled": "loss",
    "penalty misplaced": "loss",
    "gradient wrong": "gradient",
    "rate too high": "optimizer",
    "rate too low": "optimizer",
    "rule misconfigured": "optimizer",
    "rate falls too early": "optimizer",
    "clipped too hard": "optimizer",
    "updates lost": "optimizer",
    "regularized too much": "regularizing",
    "regularized too little": "regularizing",
    "augmentation wrong": "regularizing",
    "modes disagree": "regularizing",
    "batch too small": "regularizing",
    "trained too short": "duration",
    "trained too long": "duration",
    "high bias": "regime",
    "high variance": "regime",
    "noise floor": "regime",
    "mismatch": "regime",
    "dev overfitted": "regime",
}
"""Cause label -> family."""

ANY = ""

CAUSES: Mapping[tuple[str, str], str] = {
    ("DW301", ANY): "init too large",
    ("DW302", "--initializer auto"): "init symmetric",
    ("DW302", "--initializer-scale 1"): "init too small",
    ("DW302", "--learning-rate 0.001"): "updates lost",
    ("DW302", ANY): "gradients vanish",
    ("DW303", "--initializer-scale 1"): "init too small",
    ("DW303", ANY): "inputs without signal",
    ("DW304", ANY): "rows mixed",
    ("DW305", ANY): "init symmetric",
    ("DW306", ANY): "gradient wrong",
    ("DW401", "initializer"): "init too small",
    ("DW401", "learning_rate"): "rate too high",
    ("DW401", ANY): "gradients vanish",
    ("DW402", "learning_rate"): "rate too high",
    ("DW402", ANY): "init too large",
    ("DW403", "learning_rate"): "rate too high",
    ("DW403", "initializer"): "units dead",
    ("DW403", ANY): "units dead",
    ("DW404", "initializer"): "units saturated",
    ("DW404", ANY): "units saturated",
    ("DW405", ANY): "rate too high",
    ("DW406", ANY): "rate too low",
    ("DW407", ANY): "inputs not scaled",
    ("DW408", ANY): "rate too high",
    **{
        (code, change): cause
        for code in ("DW409", "DW410")
        for changes, cause in (
            (("beta1", "beta2", "epsilon", "momentum", "optimizer"), "rule misconfigured"),
            (("clip_norm", "clip_value"), "clipped too hard"),
            (("decay", "warmup_epochs"), "rate falls too early"),
            (("activation",), "gradients vanish"),
        )
        for change in changes
    },
    ("DW411", ANY): "modes disagree",
    ("DW412", ANY): "trained too short",
    ("DW413", ANY): "trained too long",
    ("DW414", ANY): "regularized too little",
    ("DW415", ANY): "batch too small",
    **{
        ("DW416", change): cause
        for changes, cause in (
            (
                (
                    "dropout",
                    "input_dropout",
                    "weight_decay",
                    "label_smoothing",
                    "mixup",
                    "input_noise",
                    "gradient_noise",
                    "l2",
                    "l1",
                ),
                "regularized too much",
            ),
            (("activation",), "no nonlinearity"),
            (("hidden_units",), "network too small"),
            (("beta1", "beta2", "epsilon", "epsilon_root", "momentum"), "rule misconfigured"),
            (("clip_norm", "clip_value"), "clipped too hard"),
            (("decay",), "rate falls too early"),
        )
        for change in changes
    },
    ("DW101", ANY): "high variance",
    ("DW102", ANY): "high bias",
    ("DW106", ANY): "mismatch",
    ("DW108", ANY): "noise floor",
    ("DW120", ANY): "dev overfitted",
    ("DW201", ANY): "duplicates across parts",
    ("DW202", ANY): "target leak",
    ("DW203", ANY): "dev unlike train",
    ("DW204", ANY): "groups across parts",
    ("DW206", ANY): "inputs corrupt",
    ("DW207", ANY): "labels unpaired",
    ("DW208", ANY): "inputs missing",
    ("DW211", ANY): "labels wrong",
    ("checked gradient", ANY): "gradient wrong",
    ("refused", "infinite"): "inputs corrupt",
    ("refused", "two classes"): "classes imbalanced",
}
"""(Code, the change that its finding names, or `ANY`) -> cause label.

Codes that are not here (DW105; DW409 constant output and DW410 plateau, unless the change that
makes a healthy twin says which setting is odd) say that something is wrong and name no cause: they
alarm without a label.
"""

REGIME = (
    "DW100", "DW101", "DW102", "DW103", "DW104", "DW106", "DW107", "DW108", "DW110", "DW111",
    "DW112", "DW113",
)  # fmt: skip
"""What kind of error is left: a verdict on every run, no alarm; where a problem, a claim."""

GAPS = ("DW101", "DW102")
"""Of these the gaps that a change of the network may mend."""

ADVICE = ("DW5", "DW6", "DW7")
"""How codes begin that tell what would help where nothing is wrong: no alarm either."""

NOT_OF_PROGRAMS = ("DW1", "DW2", "DW303", "DW401", "DW402", "DW403", "DW404", "DW411", "DW415",
                   "DW416")  # fmt: skip
"""How codes begin that are not said of a user's own program today."""


def nameable(cause: str, *, program: bool) -> bool:
    """Return whether any finding of today can name a cause; a fault of others counts as missed.

    >>> nameable("units dead", program=False), nameable("units dead", program=True)
    (True, False)
    """
    codes = {code for (code, _), named in CAUSES.items() if named == cause}
    return any(not (program and code.startswith(NOT_OF_PROGRAMS)) for code in codes)
