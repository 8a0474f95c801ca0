"""Faults of training programs that users write themselves in JAX."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.diagnosis.fault import PROGRAM, Fault
from benchmarks.diagnosis.program import Params, cross_entropy, he, relu_network
from benchmarks.diagnosis.program_case import ProgramCase

G, S, T, D = "gauss program", "spiral program", "teacher program", "digits program"


def _part(**parts: Any) -> Callable[[ProgramCase, float, int], ProgramCase]:
    """Return a fault that replaces parts of the program."""

    def plant(case: ProgramCase, amount: float, seed: int) -> ProgramCase:
        return case.with_program(amount, **parts)

    return plant


def _network(forward: Callable[..., Any], **more: Any) -> Any:
    return _part(forward=forward, predict=forward, **more)


def raw_inputs(case: ProgramCase, factor: float, seed: int) -> ProgramCase:
    """Inputs that are not normalized: so many times larger, and off center."""
    return case.with_rows(**{n: factor * (x + 1) for n, x in case.rows.items() if n[0] == "x"})


def large_column(case: ProgramCase, factor: float, seed: int) -> ProgramCase:
    """One column in another unit."""
    scale = np.ones(case.rows["x"].shape[1], np.float32)
    scale[-1] = factor
    return case.with_rows(**{n: x * scale for n, x in case.rows.items() if n[0] == "x"})


def constant_start(key: jax.Array, sizes: tuple[int, ...], amount: jax.Array) -> Params:
    """All weights of a layer alike but for a part."""
    return tuple(
        {"w": (1 - amount) * layer["w"] + amount / len(layer["w"]), "b": layer["b"]}
        for layer in he(key, sizes, amount)
    )


def wrong_fan(key: jax.Array, sizes: tuple[int, ...], amount: jax.Array) -> Params:
    """A variance that grows with the inputs of a layer in place of falling."""
    return tuple(
        {"w": layer["w"] * len(layer["w"]) ** amount, "b": layer["b"]}
        for layer in he(key, sizes, amount)
    )


def _biased(at: int) -> Callable[..., Params]:
    def start(key: jax.Array, sizes: tuple[int, ...], amount: jax.Array) -> Params:
        params = list(he(key, sizes, amount))
        if at < 0:
            params[-1] = {**params[-1], "b": params[-1]["b"].at[0].set(amount)}
        else:
            params[at] = {**params[at], "b": params[at]["b"] - amount}
        return tuple(params)

    return start


def clipped_outputs(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """ReLU on the outputs as well, moved down."""
    *hidden, out = relu_network(params, x, key, training, amount)
    return [*hidden, jax.nn.relu(out - amount)]


def softmax_again(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """Probabilities handed to a loss that takes their softmax."""
    *hidden, out = relu_network(params, x, key, training, amount)
    return [*hidden, jax.nn.softmax(amount * out)]


def narrow_outputs(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """An output layer that lacks the last classes."""
    *hidden, out = relu_network(params, x, key, training, amount)
    lost = jnp.arange(out.shape[1]) >= out.shape[1] - amount
    return [*hidden, jnp.where(lost, -20.0, out)]


def mixed_rows(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """A wrong axis: a row hands a part of its first layer to the next row of the batch."""
    first = jax.nn.relu(x @ params[0]["w"] + params[0]["b"])
    first = (1 - amount) * first + amount * jnp.roll(first, 1, axis=0)
    rest = relu_network(params[1:], first, key, training, amount)
    return [first, *rest]


def _flat_classes(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """Squared error of the raw outputs to the number of the class."""
    return ((out * (amount / out.shape[1]) - y[:, None]) ** 2).mean()


def summed(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """A sum where a mean was meant."""
    return cross_entropy(out, y, params, amount) * amount


def sign_flipped(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """The term of some rows added with the wrong sign."""
    each = -jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], axis=1)[:, 0]
    wrong = jnp.arange(len(y)) < amount * len(y)
    return jnp.where(wrong, -jnp.minimum(each, 5.0), each).mean()


def log_of_logits(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """The logarithm taken of raw outputs, as if they were probabilities."""
    said = jnp.take_along_axis(out, y[:, None], axis=1)[:, 0]
    right = cross_entropy(out, y, params, amount)
    return amount * -jnp.log(jnp.clip(said, 1e-6, 1.0)).mean() + (1 - amount) * right


def penalty_on_outputs(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """The weights' penalty put on the outputs."""
    return cross_entropy(out, y, params, amount) + amount * (out**2).mean()


@functools.partial(jax.custom_vjp, nondiff_argnums=())
def _scaled_back(x: Any, factor: Any) -> Any:
    return x


_scaled_back.defvjp(lambda x, factor: (x, factor), lambda factor, g: (g * factor, 0.0 * factor))


def _back_by(layer: int, sign: float) -> Callable[..., Any]:
    def forward(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
        """A rule of a layer's own whose gradient is off by a factor."""
        hit = jax.tree.map(lambda p: _scaled_back(p, sign * amount), params[layer])
        changed = tuple(hit if n == layer % len(params) else p for n, p in enumerate(params))
        return relu_network(changed, x, key, training, amount)

    return forward


def cut_off(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """`stop_gradient` behind so many of the first layers."""
    kept = tuple(
        jax.tree.map(lambda p, k=n: _scaled_back(p, jnp.where(k < amount, 0.0, 1.0)), layer)
        for n, layer in enumerate(params)
    )
    return relu_network(kept, x, key, training, amount)


def missing_term(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """A ReLU of one's own whose backward rule forgets a part of where it was flat."""
    handed = []
    for layer in params[:-1]:
        z = x @ layer["w"] + layer["b"]
        straight = z - jax.lax.stop_gradient(z)
        x = jax.nn.relu(jax.lax.stop_gradient(z)) + amount * straight
        x = x + (1 - amount) * (jax.nn.relu(z) - jax.lax.stop_gradient(jax.nn.relu(z)))
        handed.append(x)
    return [*handed, x @ params[-1]["w"] + params[-1]["b"]]


def uncorrected(
    grads: Params, moments: Any, params: Params, step: Any, rate: Any, amount: Any
) -> tuple[Any, Params]:
    """Adam without the correction of its averages' start."""
    first = jax.tree.map(lambda m, g: amount * m + (1 - amount) * g, moments[0], grads)
    second = jax.tree.map(lambda v, g: 0.9 * v + 0.1 * g**2, moments[1], grads)
    moved = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), params, first, second)
    return (first, second), moved


def _lost_updates(rule: Callable[..., Any]) -> Callable[..., Any]:
    def update(
        grads: Params, moments: Any, params: Params, step: Any, rate: Any, amount: Any
    ) -> tuple[Any, Params]:
        """The new parameters of the first layers are thrown away."""
        moments, moved = rule(grads, moments, params, step, rate, amount)
        kept = tuple(
            jax.tree.map(lambda new, old, k=n: jnp.where(k < amount, old, new), a, b)
            for n, (a, b) in enumerate(zip(moved, params, strict=True))
        )
        return moments, kept

    return update


_LOST: dict[Any, Callable[..., Any]] = {}


def lost_updates(case: ProgramCase, layers: float, seed: int) -> ProgramCase:
    """Updates of the first layers never applied."""
    rule = case.program.update
    return case.with_program(layers, update=_LOST.setdefault(rule, _lost_updates(rule)))


def turned(x: jax.Array, key: jax.Array, amount: jax.Array) -> jax.Array:
    """Augmentation that changes what a row is: signs of all its inputs turned."""
    hit = jax.random.bernoulli(key, amount, (len(x), 1))
    return jnp.where(hit, -x, x)


def dropping(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """Dropout of hidden units that nobody switches off for prediction."""
    handed = []
    for n, layer in enumerate(params[:-1]):
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
        kept = jax.random.bernoulli(jax.random.fold_in(key, n), 1 - amount, x.shape)
        x = jnp.where(kept, x / (1 - amount), 0.0)
        handed.append(x)
    return [*handed, x @ params[-1]["w"] + params[-1]["b"]]


def last_kept(case: ProgramCase, rows: int, seed: int) -> ProgramCase:
    """Few rows, many epochs, and the last parameters kept in place of the best."""
    few = {n: case.rows[n][:rows] for n in ("x", "y")}
    return case.with_rows(**few).with_program(keeps_best=False, epochs=300)


_OWN_RULE = _back_by(0, 1.0)
_OWN_SIGN = _back_by(1, -1.0)
_CLASSES = (G, S, D)

FAULTS = tuple(
    Fault(name, cause, plant, amounts, tasks, remedy, what, of=PROGRAM)
    for name, cause, plant, amounts, tasks, remedy, what in (
        ("inputs not normalized", "inputs not scaled", raw_inputs, (5.0, 30.0, 300.0),
         (G, S, T, D), "normalize", "5, 30, 300 times too large, off center"),
        ("one column in another unit", "inputs not scaled", large_column, (30.0, 300.0, 10000.0),
         (G, S, T, D), "normalize", "30, 300, 10,000 times the others"),
        ("constant weights", "init symmetric", _part(init=constant_start), (0.99, 0.9999, 1.0),
         (G, S, T, D), "init", "99, 99.99, 100 % of a weight"),
        ("wrong fan", "init too large", _part(init=wrong_fan), (0.4, 0.7, 1.0), (G, S, T, D),
         "init", "weights times inputs to the power of 0.4, 0.7, 1"),
        ("bias of the output", "output bias", _part(init=_biased(-1)), (5.0, 30.0, 200.0),
         (G, S, T, D), "init", "5, 30, 200 for one output"),
        ("ReLUs start dead", "units dead", _part(init=_biased(0)), (2.0, 4.0, 15.0), (G, S, T, D),
         "init", "biases of -2, -4, -15 in the first layer"),
        ("ReLU on the outputs", "output layer wrong", _network(clipped_outputs), (0.0, 1.0, 4.0),
         (G, S, T, D), "network", "moved down by 0, 1, 4"),
        ("softmax twice", "output layer wrong", _network(softmax_again), (1.0, 10.0, 100.0),
         _CLASSES, "network", "of 1, 10, 100 times the outputs"),
        ("classes without output", "output layer wrong", _network(narrow_outputs), (1.0, 2.0, 5.0),
         (S, D), "network", "the last 1, 2, 5"),
        ("rows of a batch mixed", "rows mixed", _network(mixed_rows), (0.25, 0.4, 0.7),
         (G, S, T, D), "network", "25, 40, 70 % of the next row"),
        ("squared error on classes", "loss wrong", _part(loss=_flat_classes), (3.0, 1.0, 0.3),
         _CLASSES, "loss", "raw outputs against the number of the class"),
        ("sum in place of a mean", "loss scaled", _part(loss=summed), (8.0, 32.0, 256.0), (G, D),
         "loss", "8, 32, 256 times the loss, plain momentum"),
        ("sign of the loss", "loss wrong", _part(loss=sign_flipped), (0.25, 0.4, 1.0), _CLASSES,
         "loss", "wrong for 25, 40, 100 % of a batch"),
        ("logits as probabilities", "loss wrong", _part(loss=log_of_logits), (0.9, 0.99, 1.0),
         _CLASSES, "loss", "90, 99, 100 % of the loss"),
        ("penalty on the outputs", "penalty misplaced", _part(loss=penalty_on_outputs),
         (0.3, 3.0, 30.0), _CLASSES, "loss", "0.3, 3, 30 times their square"),
        ("rule off by a factor", "gradient wrong", _network(_OWN_RULE), (0.1, 0.01, 30.0),
         (G, D), "gradient", "0.1, 0.01, 30 times the first layer's"),
        ("gradient stopped", "gradient wrong", _network(cut_off), (1.0, 2.0, 3.0), (G, S, T, D),
         "gradient", "behind 1, 2, all 3 layers"),
        ("term of the gradient missing", "gradient wrong", _network(missing_term), (0.3, 0.6, 1.0),
         (G, S, T, D), "gradient", "the ReLU's slope taken as 1: 30, 60, 100 %"),
        ("sign of a block", "gradient wrong", _network(_OWN_SIGN), (0.1, 0.3, 1.0), (G, S, T, D),
         "gradient", "-0.1, -0.3, -1 times the second layer's"),
        ("Adam without correction", "rule misconfigured", _part(update=uncorrected),
         (0.95, 0.99, 0.999), (S, T), "update", "averages of 0.95, 0.99, 0.999 and 0.9"),
        ("updates not applied", "updates lost", lost_updates, (1.0, 2.0, 3.0), (G, S, T, D),
         "update", "to 1, 2, all 3 layers"),
        ("augmentation turns rows", "augmentation wrong", _part(augment=turned), (0.2, 0.4, 0.5),
         (G, S, T, D), "augment", "20, 40, 50 % of the rows"),
        ("dropout in prediction", "modes disagree", _network(dropping), (0.2, 0.4, 0.7),
         (G, S, T, D), "predict", "20, 40, 70 % of the units"),
        ("best weights not kept", "trained too long", last_kept, (200, 100, 50), (G, S, T, D),
         "keep best", "300 epochs on 200, 100, 50 rows"),
    )
)  # fmt: skip
