"""What the first steps of one network say: faults that no training would mend.

Each threshold comes with the measurement: derived from the rows, or measured on a healthy twin.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from deepwell.records import Finding, FirstSteps, InputsUsed

_LINEAR_CERTAIN = 0.001  # of the linear model, before a network is accused of ignoring inputs
_MATERIAL = 0.1  # of the loss on zeroed inputs: a smaller gain matters to nobody
_MOVED = 0.5  # share of the weights below which most of a step is lost in rounding


@dataclass(frozen=True)
class _Fault:
    """A finding in the making; `source` says where the threshold comes from."""

    code: str
    claim: str
    detail: str
    change: str
    measured: float
    threshold: float
    source: str
    p_value: float | None = None
    level: str = "problem"


def diagnose_first_steps(found: FirstSteps) -> list[Finding]:
    """Return DW301 to DW306 as they apply; nothing for a network that passes, or is not told apart.

    A finding's `evidence` holds `measured`, `threshold`, `threshold_source`, `change` (the one
    change that would test it), `trial`, and `p_value` where there is one.
    """
    told = {f.code: f for f in (rule(found) for rule in _RULES) if f is not None}
    hidden = {code for cause, codes in _CONSEQUENCES.items() if cause in told for code in codes}
    return [_finding(fault, found) for code, fault in told.items() if code not in hidden]


def _start(found: FirstSteps) -> _Fault | None:
    start = found.start
    if start is None or start.mean <= start.limit:  # NaN is not below
        return None
    change = "--initializer auto"
    if found.initializer_scale != 1.0:
        change = "--initializer-scale 1"
    return _Fault(
        "DW301",
        "the loss at the start is too high",
        f"{_short(start.mean)} over {start.seeds} seeds, a constant guess has "
        f"{_short(start.constant)} and a healthy start at most {_short(start.limit)}; "
        f"the initial weights are too large",
        change,
        start.mean,
        start.limit,
        f"mean and spread over {start.seeds} seeds of the same network with the initializer of its "
        "activation, 1 in 1,000",
    )


def _fits(found: FirstSteps) -> _Fault | None:
    if found.moved < _MOVED:
        rate = f"{found.learning_rate:g}"
        return _Fault(
            "DW302",
            f"steps at learning rate {rate} are lost in rounding",
            f"they move {100 * found.moved:.0f} % of the output layer's weights",
            "--learning-rate 0.001",
            found.moved,
            _MOVED,
            "half of the weights that steps of another size do move",
        )
    failed = [fit for fit in found.fits if not fit.fitted]
    if not failed:
        return None
    fit = failed[0]
    # Less than one row was learned: that is not slow, it does not learn.
    nothing = fit.loss > fit.constant - fit.threshold
    return _Fault(
        "DW302",
        f"cannot fit {fit.rows} rows" if nothing else f"slow to fit {fit.rows} rows",
        f"loss {_short(fit.loss)} after {fit.steps:,} steps at the best of several rates and "
        f"seeds, {_short(fit.threshold)} would do and a constant guess has {_short(fit.constant)}",
        _to_learn(found),
        fit.loss,
        fit.threshold,
        "the loss of one row left unfitted",
        level="problem" if nothing else "unsure",
    )


def _to_learn(found: FirstSteps) -> str:
    """Return what lets gradients through: the usual start, then what the network has not."""
    if found.initializer in ("zeros", "large", "small", "identity"):
        return "--initializer auto"
    if found.initializer_scale != 1.0:
        return "--initializer-scale 1"
    words = [] if found.activation == "relu" else ["--activation relu"]
    words += ["--batch-norm before"] if found.batch_norm in ("", "none") else []
    return " ".join(words) or "another optimizer, or fewer layers"


def _to_use_inputs(found: FirstSteps) -> str:
    if found.initializer_scale != 1.0:  # of weights near 0 nothing comes through
        return "--initializer-scale 1"
    return "--hidden-layers 1 --initializer auto"


def _inputs(found: FirstSteps) -> _Fault | None:
    used = found.inputs
    if used is None or (used.p_value < used.certain and used.explained_high >= _MATERIAL):
        return None
    if used.varying == 0:
        return _Fault(
            "DW303",
            "the inputs are the same in every row",
            f"{found.rows:,} train rows do not differ in any input",
            "other columns as inputs (--keep, --ignore)",
            0,
            1,
            "an input that tells rows apart must differ",
        )
    told = (
        f"on {used.rows:,} dev rows, {used.steps:,} steps on the inputs against zeroed ones gain "
        f"{_short(used.difference)} [{_short(used.low)}, {_short(used.high)}] of loss "
        f"{_short(used.zeroed)}"
    )
    if used.linear_p < _LINEAR_CERTAIN:
        return _Fault(
            "DW303",
            "the inputs are ignored",
            f"{told}, where a linear model gains for certain (p {used.linear_p:.1g})",
            _to_use_inputs(found),
            used.difference,
            0.0,
            "the same network trained on zeros, paired by dev row",
            used.p_value,
        )
    if used.p_value < used.certain or used.high >= _MATERIAL * abs(used.zeroed):
        return None if used.explained_high >= _MATERIAL else _no_signal_in_train(used, told)
    return _Fault(
        "DW303",
        "no signal is seen in the inputs",
        f"{told}; a linear model gains nothing either",
        "rows whose target belongs to their inputs, or other columns",
        used.difference,
        _MATERIAL * abs(used.zeroed),
        "a tenth of the loss on zeroed inputs, which the interval excludes",
        used.p_value,
        level="unsure",
    )


def _no_signal_in_train(used: InputsUsed, told: str) -> _Fault:
    return _Fault(
        "DW303",
        "no signal is seen in the train rows",
        f"{told}, too little to tell; and train rows that are predicted from one another by simple "
        f"models explain at most {100 * max(0.0, used.explained_high):.2g} % of the target",
        "train rows whose target belongs to their inputs, or other columns",
        used.explained_high,
        _MATERIAL,
        "a tenth of the targets' squared error, which the interval excludes",
        used.p_value,
        level="unsure",
    )


def _mixed(found: FirstSteps) -> _Fault | None:
    mixed = found.mixed
    if mixed is None or mixed.error <= mixed.threshold:
        return None
    return _Fault(
        "DW304",
        "rows of a batch mix",
        f"a batch and its parts by themselves differ by {mixed.error:.1g} of cost and gradient, "
        f"rounding explains {mixed.threshold:.1g}",
        "--program jax, and deepwell doctor",
        mixed.error,
        mixed.threshold,
        "rounding of float64 over the rows of the batch",
    )


def _symmetry(found: FirstSteps) -> _Fault | None:
    layers = [place for place, share in enumerate(found.alike, 1) if share == 1.0]
    if not layers:
        return None
    which = f"hidden layer {layers[0]}" if len(layers) == 1 else f"{len(layers)} hidden layers"
    return _Fault(
        "DW305",
        f"all units of {which} are alike",
        "equal weights get equal gradients and stay equal, so a layer is worth one unit",
        "--initializer auto",
        1.0,
        1.0,
        "units with unlike weights compute unlike things",
    )


def _gradient(found: FirstSteps) -> _Fault | None:
    gradient = found.gradient
    if gradient is None or not gradient.wrong:
        return None
    return _Fault(
        "DW306",
        "the gradient is wrong",
        f"{', '.join(gradient.wrong)}: relative error {gradient.error:.1g} against differences of "
        "the cost in float64",
        "--program jax, and deepwell doctor",
        gradient.error,
        gradient.threshold,
        "rounding and curvature leave less, at each of four distances",
    )


# A fault that explains another one is told alone.
_CONSEQUENCES = {
    "DW301": ("DW303",),  # outputs too large to be unlearned in a few steps
    "DW305": ("DW302", "DW303"),  # one unit a layer learns little, or nothing
}
_RULES: tuple[Callable[[FirstSteps], _Fault | None], ...] = (
    _start,
    _fits,
    _inputs,
    _mixed,
    _symmetry,
    _gradient,
)


def _finding(fault: _Fault, found: FirstSteps) -> Finding:
    evidence: dict[str, object] = {
        "measured": fault.measured,
        "threshold": fault.threshold,
        "threshold_source": fault.source,
        "change": fault.change,
        "trial": found.trial,
        "network": found.network,
    }
    if fault.p_value is not None:
        evidence["p_value"] = fault.p_value
    return Finding(fault.code, fault.level, fault.claim, fault.detail, evidence)


def _short(value: float) -> str:
    """Return a loss with three significant digits."""
    return f"{value:.3g}" if math.isfinite(value) else "not finite"
