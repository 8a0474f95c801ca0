"""Sealed faults of training programs: their rows, starts, losses, rules and loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.diagnosis.fault import PROGRAM, Fault
from benchmarks.diagnosis.program import Params, cross_entropy, he, squared
from benchmarks.diagnosis.program_case import ProgramCase

from . import networks as n

C, W, F, G = "checkers program", "waveform program", "friedman program", "glyphs program"
ALL = (C, W, F, G)
CLASSES = (C, W, G)
MOMENTUM = (W, G)


def _part(**parts: Any) -> Callable[[ProgramCase, float, int], ProgramCase]:
    def plant(case: ProgramCase, amount: float, seed: int) -> ProgramCase:
        return case.with_program(amount, **parts)

    return plant


def _network(forward: Callable[..., Any], predict: Callable[..., Any] | None = None) -> Any:
    return _part(forward=forward, predict=predict or forward)


def units_apart(case: ProgramCase, powers: float, seed: int) -> ProgramCase:
    """Columns in units of their own, evenly from a small to a large one in the logarithm.

    From 1/6 to 6 times when mild, 1/40 to 40 when medium, 1/1000 to 1000 when severe.
    """
    width = case.rows["x"].shape[1]
    order = np.random.default_rng([seed, 931]).permutation(width)
    scale = np.float32(10.0) ** np.linspace(-powers, powers, width, dtype=np.float32)[order]
    return case.with_rows(**{k: x * scale for k, x in case.rows.items() if k[0] == "x"})


def far_from_zero(case: ProgramCase, shift: float, seed: int) -> ProgramCase:
    """Inputs of the right spread and far from zero, as of degrees in kelvin.

    4 deviations when mild, 15 when medium, 60 when severe.
    """
    return case.with_rows(**{k: x + shift for k, x in case.rows.items() if k[0] == "x"})


def copied_units(key: jax.Array, sizes: tuple[int, ...], amount: jax.Array) -> Params:
    """Units start as copies of a few, with what they get and what they hand on.

    Copies of 4 units a layer when mild, of 2 when medium, of 1 when severe.
    """
    made = []
    for number, layer in enumerate(he(key, sizes, amount)):
        w = layer["w"]
        if number:
            w = w[jnp.arange(w.shape[0]) % amount.astype(int)] * jnp.sqrt(amount / w.shape[0])
        if number < len(sizes) - 2:
            w = w[:, jnp.arange(w.shape[1]) % amount.astype(int)]
        made.append({"w": w, "b": layer["b"]})
    return tuple(made)


def from_zero_to_one(key: jax.Array, sizes: tuple[int, ...], amount: jax.Array) -> Params:
    """Weights drawn evenly from 0 upwards, so that none is negative and sums grow.

    Up to 0.3 when mild, 0.6 when medium, 1 when severe.
    """
    return tuple(
        {"w": amount * jax.random.uniform(jax.random.fold_in(key, i), layer["w"].shape),
         "b": layer["b"]}
        for i, layer in enumerate(he(key, sizes, amount))
    )  # fmt: skip


def one_deviation(key: jax.Array, sizes: tuple[int, ...], amount: jax.Array) -> Params:
    """One small deviation for the weights of all layers, whatever their inputs.

    0.004 when mild, 0.002 when medium, 0.0003 when severe, under descent with velocity.
    """
    return tuple(
        {"w": amount * jax.random.normal(jax.random.fold_in(key, i), layer["w"].shape),
         "b": layer["b"]}
        for i, layer in enumerate(he(key, sizes, amount))
    )  # fmt: skip


def wrong_priors(key: jax.Array, sizes: tuple[int, ...], amount: jax.Array) -> Params:
    """Output biases that start at the log frequencies of another table, each class rarer.

    Lower by 100 from class to class when mild, 600 when medium, 4000 when severe.
    """
    *hidden, last = he(key, sizes, amount)
    return (*hidden, {**last, "b": -amount * jnp.arange(sizes[-1], dtype=jnp.float32)})


def every_pair(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """Outputs of shape (B, 1) less targets of shape (B,): each output against every target.

    25 % of the loss when mild, 60 % when medium, all when severe.
    """
    return amount * ((out - y) ** 2).mean() + (1 - amount) * squared(out, y, params, amount)


def own_guess(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """Rows of a batch are taught the class that the network guesses, in place of theirs.

    85 % of the rows when mild, 95 % when medium, all when severe.
    """
    guessed = jnp.arange(len(y)) < amount * len(y)
    return cross_entropy(out, jnp.where(guessed, out.argmax(axis=1), y), params, amount)


def divided_again(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """A mean that is divided once more, by rows of a batch, of a table, or by both.

    By 10 when mild, 60 when medium, 2000 when severe, under descent with velocity.
    """
    return cross_entropy(out, y, params, amount) / amount


def penalty_subtracted(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """The penalty on the weights with the sign of the gain it should pay for.

    0.01 times their squares when mild, 0.04 when medium, 0.2 when severe.
    """
    return cross_entropy(out, y, params, amount) - amount * sum(
        (layer["w"] ** 2).sum() for layer in params
    )


def penalty_to_one(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """A penalty meant for gains, which are to stay near 1, put on the weights.

    0.002 times the squared distances when mild, 0.01 when medium, 0.1 when severe.
    """
    return cross_entropy(out, y, params, amount) + amount * sum(
        ((layer["w"] - 1) ** 2).sum() for layer in params
    )


def normalizer_forgotten(out: Any, y: Any, params: Params, amount: Any) -> Any:
    """A cross entropy of one's own whose backward rule forgets the sum over the classes.

    80 % of that term when mild, 95 % when medium, all when severe; the value is right.
    """
    total = jax.nn.logsumexp(out, axis=1)
    total = amount * jax.lax.stop_gradient(total) + (1 - amount) * total
    return (total - jnp.take_along_axis(out, y[:, None], axis=1)[:, 0]).mean()


_CHANGED: dict[Any, Callable[..., Any]] = {}


def _around(change: Callable[[Any], Callable[..., Any]]) -> Any:
    """Return a fault that puts a change around the task's own rule."""

    def plant(case: ProgramCase, amount: float, seed: int) -> ProgramCase:
        rule = case.program.update
        key = (change, rule)
        return case.with_program(amount, update=_CHANGED.setdefault(key, change(rule)))

    return plant


def _rising(rule: Callable[..., Any]) -> Callable[..., Any]:
    def update(
        grads: Params, moments: Any, params: Params, step: Any, rate: Any, amount: Any
    ) -> tuple[Any, Params]:
        """A decay with its sign turned: the rate rises with the step from the first one on.

        By 0.3 times the first rate a step when mild, 3 when medium, 100 when severe.
        """
        return rule(grads, moments, params, step, rate * (1 + amount * step), amount)

    return update


def _hyperbolic(rule: Callable[..., Any]) -> Callable[..., Any]:
    def update(
        grads: Params, moments: Any, params: Params, step: Any, rate: Any, amount: Any
    ) -> tuple[Any, Params]:
        """The rate divided by steps where it was meant by epochs.

        By 1 + 0.03 steps when mild, 1 + 0.3 steps when medium, 1 + 10 steps when severe.
        """
        return rule(grads, moments, params, step, rate / (1 + amount * step), amount)

    return update


def _coarse(rule: Callable[..., Any]) -> Callable[..., Any]:
    def update(
        grads: Params, moments: Any, params: Params, step: Any, rate: Any, amount: Any
    ) -> tuple[Any, Params]:
        """Parameters kept in few bits, so that small updates round away.

        6 bits of a number when mild, 4 when medium, 2 when severe.
        """
        moments, moved = rule(grads, moments, params, step, rate, amount)

        def kept(p: jax.Array) -> jax.Array:
            grid = 2.0 ** (jnp.floor(jnp.log2(jnp.maximum(jnp.abs(p), 1e-6))) - amount)
            return jnp.round(p / grid) * grid

        return moments, jax.tree.map(kept, moved)

    return update


def unrooted(
    grads: Params, moments: Any, params: Params, step: Any, rate: Any, amount: Any
) -> tuple[Any, Params]:
    """Adam that divides by a power of the averaged squares other than their root.

    To the power of 0.3 when mild, 0.1 when medium and 1 when severe.
    """
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, moments[1], grads)
    a, b = 1 - 0.9**step, 1 - 0.999**step
    moved = jax.tree.map(
        lambda p, m, v: p - rate * (m / a) / ((v / b) ** amount + 1e-8), params, first, second
    )
    return (first, second), moved


def foreign_columns(x: jax.Array, key: jax.Array, amount: jax.Array) -> jax.Array:
    """Augmentation that takes entries from the next row and leaves the label as it is.

    30 % of the entries when mild, 50 % when medium, 80 % when severe.
    """
    return jnp.where(jax.random.bernoulli(key, amount, x.shape), jnp.roll(x, 1, axis=0), x)


def never_stopped(case: ProgramCase, epochs: int, seed: int) -> ProgramCase:
    """A wide network on 150 rows, left to train, and its last parameters taken.

    For 80 epochs when mild, 250 when medium, 800 when severe.
    """
    few = {name: case.rows[name][:150] for name in ("x", "y")}
    first, *_, last = case.program.sizes
    return case.with_rows(**few).with_program(
        keeps_best=False, epochs=epochs, sizes=(first, 96, 96, last)
    )


def shrinking(case: ProgramCase, slope: float, seed: int) -> ProgramCase:
    """Eight hidden layers of tanh, each of which makes what passes it smaller."""
    first, *_, last = case.program.sizes
    return case.with_program(
        slope, sizes=(first, *(16,) * 8, last), forward=n.shrunk_layers, predict=n.shrunk_layers
    )


FAULTS = tuple(
    Fault(name, cause, plant, amounts, tasks, remedy, what, of=PROGRAM)
    for name, cause, plant, amounts, tasks, remedy, what in (
        ("columns in units of their own", "inputs not scaled", units_apart, (0.8, 1.6, 3.0), ALL,
         "normalize", "from 1/6, 1/40, 1/1000 to 6, 40, 1000 times"),
        ("inputs far from zero", "inputs not scaled", far_from_zero, (4.0, 15.0, 60.0), ALL,
         "normalize", "4, 15, 60 deviations"),
        ("units start as copies", "init symmetric", _part(init=copied_units), (4.0, 2.0, 1.0),
         ALL, "init", "of 4, 2, 1 units a layer"),
        ("weights from 0 to 1", "init too large", _part(init=from_zero_to_one), (0.3, 0.6, 1.0),
         MOMENTUM, "init", "even, from 0 to 0.3, 0.6, 1"),
        ("one deviation for all layers", "init too small", _part(init=one_deviation),
         (0.004, 0.002, 0.0003), MOMENTUM, "init", "0.004, 0.002, 0.0003"),
        ("priors of another table", "output bias", _part(init=wrong_priors), (100.0, 600.0, 4000.0),
         MOMENTUM, "init", "100, 600, 4000 from class to class"),
        ("layers that shrink", "gradients vanish", shrinking, (0.5, 0.3, 0.1), ALL, "network",
         "8 layers of tanh at slopes 0.5, 0.3, 0.1"),
        ("mask of a pruning", "units dead", _network(n.pruned), (0.91, 0.95, 1.0), ALL, "network",
         "91, 95, 100 % of the units"),
        ("gain before tanh", "units saturated", _network(n.steep), (10.0, 50.0, 400.0), ALL,
         "network", "10, 50, 400"),
        ("values through tanh", "output layer wrong", _network(n.bounded), (1.0, 0.5, 0.1), (F,),
         "network", "within 1, 0.5, 0.1 deviations"),
        ("reshape for transpose", "rows mixed", _network(n.reshaped), (0.4, 0.7, 1.0), ALL,
         "network", "of 40, 70, 100 % of the units of a layer"),
        ("every output against every target", "loss wrong", _part(loss=every_pair),
         (0.25, 0.6, 1.0), (F,), "loss", "25, 60, 100 % of the loss"),
        ("taught its own guesses", "loss wrong", _part(loss=own_guess), (0.85, 0.95, 1.0), CLASSES,
         "loss", "85, 95, 100 % of the rows of a batch"),
        ("divided once more", "loss scaled", _part(loss=divided_again), (10.0, 60.0, 2000.0),
         MOMENTUM, "loss", "by 10, 60, 2000"),
        ("penalty subtracted", "penalty misplaced", _part(loss=penalty_subtracted),
         (0.01, 0.04, 0.2), CLASSES, "loss", "0.01, 0.04, 0.2"),
        ("penalty around 1", "penalty misplaced", _part(loss=penalty_to_one), (0.002, 0.01, 0.1),
         CLASSES, "loss", "0.002, 0.01, 0.1"),
        ("slope of tanh at the wrong place", "gradient wrong", _network(n.tanh_of_slope),
         (0.3, 0.6, 1.0), ALL, "network", "30, 60, 100 % of the rule"),
        ("gradient of the next unit", "gradient wrong", _network(n.next_units), (0.7, 0.9, 1.0),
         ALL, "network", "70, 90, 100 % of it"),
        ("normalizer forgotten", "gradient wrong", _part(loss=normalizer_forgotten),
         (0.8, 0.95, 1.0), CLASSES, "loss", "80, 95, 100 % of its gradient"),
        ("rate that rises", "rate too high", _around(_rising), (0.3, 3.0, 100.0), ALL, "update",
         "by 0.3, 3, 100 times a step"),
        ("rate over steps", "rate falls too early", _around(_hyperbolic), (0.03, 0.3, 10.0), ALL,
         "update", "1 + 0.03, 0.3, 10 steps"),
        ("parameters in few bits", "updates lost", _around(_coarse), (6.0, 4.0, 2.0), ALL,
         "update", "6, 4, 2 bits"),
        ("Adam without the root", "rule misconfigured", _part(update=unrooted), (0.3, 0.1, 1.0),
         (C, F), "update", "powers 0.3, 0.1, 1 of the squares"),
        ("columns of other rows", "augmentation wrong", _part(augment=foreign_columns),
         (0.3, 0.5, 0.8), ALL, "augment", "30, 50, 80 % of the entries"),
        ("dropout never scaled", "modes disagree", _network(n.unscaled), (0.3, 0.6, 0.85), ALL,
         "network", "30, 60, 85 % of the units"),
        ("running statistics never updated", "modes disagree",
         _network(n.batch_normalized, n.never_updated), (0.4, 0.7, 1.0), ALL, "network",
         "40, 70, 100 % of them"),
        ("never stopped", "trained too long", never_stopped, (80, 250, 800), (C, W, F),
         "keep best", "80, 250, 800 epochs on 150 rows"),
    )
)  # fmt: skip
