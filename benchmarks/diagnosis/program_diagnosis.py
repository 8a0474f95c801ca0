"""What Deepwell can say today about a training program of a user's own.

Deepwell checks any JAX loss itself (`dw.check_gradients`). The rest are its pure rules over records
of curves, rates, inputs and first steps; the harness measures what these need by running the user's
functions. What needs the inside of Deepwell's own networks (healthy twins of layers: DW401 to
DW404) is not said of such programs, and faults that only it would show count as missed. What other
rates and normalized inputs do is judged as it is of Deepwell's own networks: by the lowest mean of
3 epochs, seed by seed, where the cost agrees and something was learnt.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import deepwell as dw
from deepwell.checking._arms import lowest
from deepwell.diagnosis._baselines import constant_guess
from deepwell.diagnosis._bias_variance import BiasVarianceEvidence, diagnose_bias_variance
from deepwell.diagnosis._causes import (
    causes_first,
    gaps_after,
    most_urgent_first,
    starts_first,
)
from deepwell.diagnosis._curve_findings import diagnose_curves
from deepwell.diagnosis._curves import Curves, matters
from deepwell.diagnosis._first_steps import diagnose_first_steps
from deepwell.diagnosis._input_findings import SLOW, input_finding, input_scales
from deepwell.diagnosis._intervals import estimate, unpaired_difference
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._output_findings import output_finding, output_spread
from deepwell.diagnosis._paired_runs import Effect, effect, learning
from deepwell.diagnosis._rate_findings import (
    Rates,
    diagnose_rate,
    factors_to_try,
    untested_rate,
    untried,
)
from deepwell.records import QUANTILES, FewRows, Finding, FirstSteps, Probe, RowsMixed, StartLoss

from .diagnosed import Diagnosed, Measured, Said, said_of
from .program import Params, he, objective, trained
from .program_case import ProgramCase
from .training import METRIC

_RUNS = 8
MOST_RUNS = 6 * _RUNS  # at its own rate, at four others, on normalized inputs
_STUDENT = 4.785  # of 7 degrees of freedom, 1 in 1,000
_FEW, _FEW_STEPS = 20, 400
_MIXED = 1e-4  # of a cost in float32


def diagnosed(case: ProgramCase, seed: int) -> Diagnosed:
    """Return what Deepwell says about a program."""
    began = time.perf_counter()
    rows = {n: jnp.asarray(v) for n, v in case.rows.items() if "deployed" not in n}
    key = jax.random.key(seed)
    runs = _several(case, rows, key, 1.0)
    run = jax.tree.map(lambda a: np.asarray(a[0]), runs)
    took = time.perf_counter() - began
    gradient = _gradient(case, run, key)
    said = (*gradient, *said_of(_findings(case, runs, rows, key, gradient)))
    measured = _measured(case, run, rows, key)
    return Diagnosed(said, measured, time.perf_counter() - began, took)


def _gradient(case: ProgramCase, run: Mapping[str, Any], key: jax.Array) -> tuple[Said, ...]:
    """Check the gradient of what training descends, as a user would who calls Deepwell."""
    cost = objective(case.program, key, jnp.asarray(case.amount))
    try:
        check = dw.check_gradients(
            cost, run["start"], case.rows["x"][:32], case.rows["y"][:32], every_entry_up_to=200
        )
    except dw.UsageError as error:
        return (Said("checked gradient", "unsure", str(error)),)
    level = "problem" if check.verdict == "wrong" else "ok"
    blocks = ", ".join(check.wrong_blocks)
    return (Said("checked gradient", level, f"{check.verdict} {blocks}".strip()),)


def _findings(
    case: ProgramCase,
    runs: Mapping[str, Any],
    rows: Mapping[str, Any],
    key: jax.Array,
    gradient: tuple[Said, ...],
) -> list[Finding]:
    """Return the findings about the first of these runs; the others are its equals."""
    run = jax.tree.map(lambda a: np.asarray(a[0]), runs)
    metric = METRIC[case.program.kind]
    curves = _curves(case, run, rows)
    if not np.isfinite(np.asarray(run["train_cost"])).all():
        broke = "the cost is not a finite number"
        return [Finding("DW408", "problem", "diverged", broke)]
    size = matters(curves)
    said = np.asarray(_predict(case, run["best"], rows["x_dev"], key))
    starts = diagnose_first_steps(_first_steps(case, run, rows, key))
    training = [
        *_rates(case, runs, rows, key, curves),
        _inputs(case, runs, rows, key, curves),
        output_finding(output_spread(said, case.rows["y_dev"]), metric, size, None, None, ("", {})),
        *diagnose_curves(curves),
    ]
    training = most_urgent_first(starts_first(causes_first(training, size), starts))
    wrong = [Finding("DW306", s.level, s.claim, "") for s in gradient]
    gaps = gaps_after(_bias_variance(case, run, rows, key), [*wrong, *starts, *training])
    return [*starts, *gaps, *training]


def _predict(case: ProgramCase, params: Any, x: Any, key: jax.Array) -> jax.Array:
    out = case.program.predict(params, jnp.asarray(x), key, False, case.amount)[-1]
    return out[:, 0] if case.program.kind == "regression" else jax.nn.softmax(out)


def _curves(case: ProgramCase, run: Mapping[str, Any], rows: Mapping[str, Any]) -> Curves:
    cost, dev, score = (
        np.asarray(run[name], np.float64) for name in ("train_cost", "dev_cost", "dev_score")
    )
    finite = np.isfinite(score).any()
    return Curves(
        train_cost=cost,
        dev_cost=dev,
        dev_score=score,
        best_epoch=int(np.nanargmin(score)) + 1 if finite else 0,
        metric=METRIC[case.program.kind],
        constant=_constant_score(case),
        dev_rows=len(rows["y_dev"]),
    )


def _constant_score(case: ProgramCase) -> float:
    y, dev = case.rows["y"], case.rows["y_dev"]
    if case.program.kind == "regression":
        return float(np.sqrt(((dev - y.mean()) ** 2).mean()))
    return float((dev != np.bincount(y).argmax()).mean())


def _constant_cost(case: ProgramCase) -> float:
    y = case.rows["y"]
    if case.program.kind == "regression":
        return float(y.var())
    share = np.bincount(y) / len(y)
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def _bias_variance(
    case: ProgramCase, run: Mapping[str, Any], rows: Mapping[str, Any], key: jax.Array
) -> list[Finding]:
    metric = METRICS[METRIC[case.program.kind]]
    scores = []
    for part in ("", "_dev"):
        said = np.asarray(_predict(case, run["best"], rows[f"x{part}"], key), np.float64)
        y = case.rows[f"y{part}"]
        scores.append(estimate(metric, y, said, np.ones(len(y)), 0))
    train, dev = scores
    evidence = BiasVarianceEvidence(
        metric=metric.name,
        train=train,
        n_train=len(case.rows["y"]),
        dev=dev,
        n_dev=len(case.rows["y_dev"]),
        gap=unpaired_difference(dev, train),
        constant=_constant_score(case),
    )
    return diagnose_bias_variance(evidence)


def _several(
    case: ProgramCase, rows: Mapping[str, Any], key: jax.Array, factor: float
) -> dict[str, Any]:
    """Return 8 runs of the program at a multiple of its rate, the first one by the key itself."""
    keys = jnp.stack([key, *(jax.random.fold_in(key, n) for n in range(1, _RUNS))])
    each = jax.vmap(trained, in_axes=(None, None, None, None, 0))
    return each(case.program, rows, case.rate * factor, case.amount, keys)


def _effect(
    case: ProgramCase, curves: Curves, own: Mapping[str, Any], other: Mapping[str, Any]
) -> Effect:
    """Return what a change did to the runs, as it is told of Deepwell's own networks."""
    score, cost = (
        effect(_lowest(own, name), _lowest(other, name), worst)
        for name, worst in (("dev_score", curves.constant), ("dev_cost", _constant_cost(case)))
    )
    return learning(score, cost, curves, _best_constant(case))


def _lowest(runs: Mapping[str, Any], name: str) -> list[float]:
    return [lowest(curve) for curve in np.asarray(runs[name], np.float64)]


def _best_constant(case: ProgramCase) -> float:
    """Return the score of the guess that is best for the dev rows."""
    metric, y = METRICS[METRIC[case.program.kind]], case.rows["y_dev"]
    names = [str(label) for label in range(case.program.sizes[-1])]
    classes = names if case.program.kind == "classification" else ()
    guess = constant_guess(metric, y, len(y), classes)
    return metric.loss(y, guess.prediction_dev, np.ones(len(y)))


def _rates(
    case: ProgramCase,
    runs: Mapping[str, Any],
    rows: Mapping[str, Any],
    key: jax.Array,
    curves: Curves,
) -> list[Finding]:
    factors = untried(factors_to_try(curves, _constant_cost(case)), case.rate)
    if not factors:
        return untested_rate("")
    effects = {f: _effect(case, curves, runs, _several(case, rows, key, f)) for f in factors}
    rates = Rates(case.rate, effects, case.program.epochs, full=True)
    return diagnose_rate(rates, curves.metric, matters(curves))


def _inputs(
    case: ProgramCase,
    runs: Mapping[str, Any],
    rows: Mapping[str, Any],
    key: jax.Array,
    curves: Curves,
) -> Finding:
    scales = input_scales(case.rows["x"])
    cure = None
    if scales.off >= SLOW:
        mean, spread = rows["x"].mean(0), rows["x"].std(0)
        spread = jnp.where(spread > 0, spread, 1.0)
        normal = {n: (v - mean) / spread if n[0] == "x" else v for n, v in rows.items()}
        cure = _effect(case, curves, runs, _several(case, normal, key, 1.0))
    return input_finding(scales, cure, curves.metric, matters(curves))


def _first_steps(
    case: ProgramCase, run: Mapping[str, Any], rows: Mapping[str, Any], key: jax.Array
) -> FirstSteps:
    program = case.program
    first, last = run["start"], run["last"]
    cost = objective(program, key, jnp.asarray(case.amount))
    slope = np.asarray(jax.grad(cost)(first, rows["x"], rows["y"])[-1]["w"])
    can = slope != 0
    moved = np.asarray(first[-1]["w"]) != np.asarray(last[-1]["w"])
    return FirstSteps(
        trial=0,
        network=f"a program of {program.sizes} units",
        parameters=sum(p["w"].size + p["b"].size for p in first),
        program="jax",
        rows=len(rows["y"]),
        start=_start(case, rows, key),
        fits=(_few_rows(case, rows, key),),
        moved=float(moved[can].mean()) if can.any() else float("nan"),
        mixed=_mixed(case, first, rows, key),
        alike=tuple(_alike(layer["w"]) for layer in last[:-1]),
        learning_rate=case.rate,
    )


def _start(case: ProgramCase, rows: Mapping[str, Any], key: jax.Array) -> StartLoss:
    """Compare the loss at the start with that of the same program under He's initializer."""
    program, keys = case.program, jax.random.split(jax.random.key(5), _RUNS)
    amount = jnp.asarray(case.amount)  # as in training, where it is an array too

    def cost(init: Any) -> np.ndarray:
        def one(k: jax.Array) -> jax.Array:
            params = init(k, program.sizes, amount)
            out = program.forward(params, rows["x"], k, True, amount)[-1]
            return program.loss(out, rows["y"], params, amount)

        return np.asarray(jax.vmap(one)(keys), np.float64)

    own, healthy = cost(program.init), cost(he)
    limit = healthy.mean() + _STUDENT * healthy.std(ddof=1) * np.sqrt(1 + 1 / _RUNS)
    constant = _constant_cost(case)
    mean = own.mean()
    return StartLoss(
        float(own[0]), float(mean), constant, constant, float(healthy.mean()), float(limit), _RUNS
    )


def _few_rows(case: ProgramCase, rows: Mapping[str, Any], key: jax.Array) -> FewRows:
    """Let the program learn 20 rows by heart, at a tenth of, its own and ten times its rate."""
    few = {**{n: rows[n][:_FEW] for n in ("x", "y")},
           **{f"{n}_dev": rows[n][:_FEW] for n in ("x", "y")}}  # fmt: skip
    small = replace(case.program, batch=_FEW, epochs=_FEW_STEPS)
    lowest, best = np.inf, case.rate
    for factor in (1.0, 10.0, 0.1):
        told = trained(small, few, case.rate * factor, case.amount, key)
        cost = float(np.nanmin(np.asarray(told["train_cost"], np.float64), initial=np.inf))
        if cost < lowest:
            lowest, best = cost, case.rate * factor
    y = case.rows["y"][:_FEW]
    if case.program.kind == "regression":
        constant = float(y.var())
    else:
        share = np.bincount(y) / len(y)
        constant = float(-(share[share > 0] * np.log(share[share > 0])).sum())
    threshold = constant / _FEW
    return FewRows(
        _FEW, lowest < threshold, lowest, threshold, constant, _FEW_STEPS,
        dict(case.program.words)["optimizer"], best,
    )  # fmt: skip


def _mixed(case: ProgramCase, params: Any, rows: Mapping[str, Any], key: jax.Array) -> RowsMixed:
    """Compare a batch with its rows by themselves."""
    cost = objective(case.program, key, jnp.asarray(case.amount))
    x, y = rows["x"][:16], rows["y"][:16]
    whole = float(cost(params, x, y))
    parts = float(np.mean([cost(params, x[n : n + 1], y[n : n + 1]) for n in range(16)]))
    return RowsMixed(abs(whole - parts) / (abs(whole) + abs(parts) + 1e-12), _MIXED)


def _alike(weights: Any) -> float:
    w = np.asarray(weights, np.float64)
    scale = np.abs(w).max() + 1e-12
    return float((np.abs(w - w[:, :1]).max(axis=0) < 1e-6 * scale).mean())


def _measured(
    case: ProgramCase, run: Mapping[str, Any], rows: Mapping[str, Any], key: jax.Array
) -> Measured:
    words = dict(case.program.words)
    start = objective(case.program, key, jnp.asarray(case.amount))
    said = _predict(case, run["best"], rows["x"], key)
    y = case.rows["y"]
    if case.program.kind == "regression":
        train_score = float(jnp.sqrt(((said - y) ** 2).mean()))
    else:
        train_score = float((said.argmax(axis=1) != y).mean())
    epochs = case.program.epochs
    moments = sorted({0, epochs // 4, epochs // 2, epochs - 1})
    return Measured(
        kind=case.program.kind,
        train_cost=np.asarray(run["train_cost"], np.float64),
        dev_cost=np.asarray(run["dev_cost"], np.float64),
        dev_score=np.asarray(run["dev_score"], np.float64),
        train_score=train_score,
        constant=_constant_score(case),
        classes=case.program.sizes[-1] if case.program.kind == "classification" else 0,
        probes=[_probe(case, run, rows, key, epoch) for epoch in moments],
        start_cost=float(start(run["start"], rows["x"], rows["y"])),
        x=case.rows["x"],
        y=y,
        settings={**words, "learning_rate": case.rate, "dropout": (), "batch_size": 32, "l2": 0.0},
    )


def _probe(
    case: ProgramCase, run: Mapping[str, Any], rows: Mapping[str, Any], key: jax.Array, epoch: int
) -> Probe:
    """Return the record of Deepwell's probes: norms at every epoch, the rest at the two ends."""
    params = run["start"] if epoch == 0 else run["last"]
    cost, batch = objective(case.program, key, jnp.asarray(case.amount)), case.program.batch
    slopes = jax.grad(cost)(params, rows["x"][:batch], rows["y"][:batch])
    handed = case.program.forward(params, rows["x_dev"], key, False, case.amount)
    layers = len(handed)
    activations = np.stack([np.quantile(np.asarray(a), QUANTILES) for a in handed])
    dead = [float((np.asarray(a).std(axis=0) == 0).mean()) for a in handed]
    zero = [float((np.asarray(a) == 0).mean()) for a in handed]
    names = (*(f"hidden {n}" for n in range(1, layers)), "output")
    norms = {n: np.asarray(run[n][epoch]) for n in ("weight_norm", "gradient_norm", "update_norm")}
    return Probe(
        trial=0, epoch=epoch + 1, step=0, layers=names, activations=activations,
        gradients=_quantiles(slopes), weights=_quantiles(params), dead=np.array(dead),
        saturated=np.full(layers, np.nan), zero=np.array(zero), **norms,
    )  # fmt: skip


def _quantiles(tree: Params) -> np.ndarray:
    """Return (L, Q) quantiles over the weights and biases of each layer together."""
    whole = [np.concatenate([np.ravel(layer["w"]), np.ravel(layer["b"])]) for layer in tree]
    return np.stack([np.quantile(values, QUANTILES) for values in whole])
