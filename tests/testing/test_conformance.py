"""The public suites: every registered implementation passes, and each planted fault is seen."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from deepwell.data._image_augmentations import AUGMENTATIONS, Augmentation
from deepwell.networks._activations import ACTIVATIONS, Activation
from deepwell.networks._initializers import INITIALIZERS
from deepwell.networks._losses import LOSSES
from deepwell.optimization._decay import DECAYS
from deepwell.optimization._optimizer import Optimizer
from deepwell.optimization._registry import OPTIMIZERS
from deepwell.testing import (
    check_activation,
    check_augmentation,
    check_initializer,
    check_layer,
    check_loss,
    check_optimizer,
    check_schedule,
    numerical_gradient,
)

ADAM, COUNTS = OPTIMIZERS["adam"], itertools.count(1)
SHAPES = {"softmax": (4, 4), "logistic": (1, 2), "squared": (1, 0)}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name: str) -> None:
    check_optimizer(OPTIMIZERS[name])


@pytest.mark.parametrize("name", DECAYS)
def test_every_schedule(name: str) -> None:
    check_schedule(DECAYS[name], {"decay_rate": 0.3})


@pytest.mark.parametrize(
    ("decay", "told"),
    [
        (lambda n, t, xp: -1 / t.step, "at least 0"),
        (lambda n, t, xp: 0 * t.step, "not all 0"),
        (lambda n, t, xp: t.step / t.step.max(), "must not depend on other steps"),
        (lambda n, t, xp: n["learning_rate"], "one float32 a step"),
        (lambda n, t, xp: xp.asarray(1 / t.step, "float64"), "one float32 a step"),
        (lambda n, t, xp: 1 / (t.step + (xp is np)), "the same in JAX and NumPy"),
    ],
)
def test_a_faulty_schedule_is_told(decay, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_schedule(decay)


def faulty(change, slots=()) -> Optimizer:
    return Optimizer("mine", slots, change)


@pytest.mark.parametrize(
    ("optimizer", "told"),
    [
        (faulty(lambda g, s, n, t, xp: (n["learning_rate"] * g, s)), "must come nearer"),
        (faulty(lambda g, s, n, t, xp: (-n["learning_rate"] * g / abs(g).max(), s)), "each entry"),
        (faulty(lambda g, s, n, t, xp: (-n["learning_rate"] * (g + 1e-3), s)), "move nothing"),
        (faulty(lambda g, s, n, t, xp: (-n["learning_rate"] * g, ())), "slots but returns 0"),
        (faulty(lambda g, s, n, t, xp: (-np.float64(0.01) * g, s)), "must be float32"),
        (faulty(lambda g, s, n, t, xp: (-n["learning_rate"] * g[:1], s)), "of shape"),
        (faulty(lambda g, s, n, t, xp: (g.__imul__(-n["learning_rate"]), s)), "as they are"),
        (
            faulty(lambda g, s, n, t, xp: ((-0.01 if xp is np else -0.011) * g, s)),
            "the same in JAX and NumPy",
        ),
        (replace(ADAM, slots=("m", "m")), "different names"),
    ],
)
def test_a_faulty_optimizer_is_told(optimizer: Optimizer, told: str) -> None:
    optimizer = replace(optimizer, slots=optimizer.slots or (("v",) if "returns 0" in told else ()))
    with pytest.raises(AssertionError, match=told):
        check_optimizer(optimizer)


def test_an_optimizer_of_a_third_party_brings_its_own_numbers() -> None:
    def change(g, slots, numbers, step, xp):
        return -numbers["learning_rate"] * g / (abs(g) + numbers["softness"]), slots

    check_optimizer(Optimizer("soft_sign", (), change), {"softness": 0.1})


@pytest.mark.proves("N1", "gradient")
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name: str) -> None:
    check_activation(ACTIVATIONS[name])


@pytest.mark.parametrize(
    ("activation", "told"),
    [
        (Activation("mine", lambda z, s, xp: xp.exp(z)), "finite"),
        (Activation("mine", lambda z, s, xp: z - z.mean()), "by itself"),
        (Activation("mine", lambda z, s, xp: xp.cos(z)), "zero_at_zero"),
        (Activation("mine", lambda z, s, xp: xp.tanh(s * z)), "slope_name"),
        (Activation("mine", lambda z, s, xp: z * 1.0 if xp is np else z * 1.001), "JAX and NumPy"),
        (Activation("mine", lambda z, s, xp: xp.asarray(z, "float64")), "keep shape"),
    ],
)
def test_a_faulty_activation_is_told(activation: Activation, told: str) -> None:
    with np.errstate(over="ignore"), pytest.raises(AssertionError, match=told):
        check_activation(activation)


@pytest.mark.proves("D7", "formula")
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation(name: str) -> None:
    check_augmentation(AUGMENTATIONS[name], {"flip": 0.5, "rotation": 90.0, "crop": 2.0})


def changing(apply) -> Augmentation:
    return Augmentation("mine", ("strength",), 99, 1, apply)


def first(words, kind):
    return (words[:, 0] >> 8).astype(kind)[:, None, None, None] * 2.0**-24


@pytest.mark.parametrize(
    ("apply", "told"),
    [
        (lambda a, w, s, xp: a, "must change images"),
        (lambda a, w, s, xp: a + 1e-3, "at strength 0"),
        (lambda a, w, s, xp: a[:, :, :0], "must keep shape and type"),
        (lambda a, w, s, xp: a + xp.asarray(s[0], "float64"), "must keep shape and type"),
        (lambda a, w, s, xp: a / (1 - s[0]), "finite"),
        (lambda a, w, s, xp: a + s[0] * a.mean(), "must not depend on the others"),
        (lambda a, w, s, xp: a.__iadd__(s[0] * first(w, a.dtype)), "leave the images"),
        (
            lambda a, w, s, xp: a + s[0] * first(w, a.dtype) * (1 if xp is np else 1.01),
            "the same in JAX and NumPy",
        ),
    ],
)
def test_a_faulty_augmentation_is_told(apply, told: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(AssertionError, match=told):
        check_augmentation(changing(apply))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer(name: str) -> None:
    check_initializer(INITIALIZERS[name])


@pytest.mark.parametrize(
    "scheme",
    [lambda i, o: -1.0, lambda i, o: math.inf, lambda i, o: "a", lambda i, o: next(COUNTS)],
    ids=["negative", "infinite", "text", "changing"],
)
def test_a_faulty_initializer_is_told(scheme) -> None:
    with pytest.raises(AssertionError, match="standard deviation of a 1 x 1 layer"):
        check_initializer(scheme)


@pytest.mark.proves("N5", "gradient")
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name: str) -> None:
    check_loss(LOSSES[name], *SHAPES[name])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"slope": lambda o, y, xp: 2.1 * (o[:, :1] - y[:, None])}, "must be its gradient"),
        ({"rows": lambda o, y, xp: ((o[:, 0] - y) ** 2).mean()}, "one loss a row"),
        ({"rows": lambda o, y, xp: (o[:, 0] - y) ** 2 + o.mean() * 0.1}, "depend on others"),
        ({"rows": lambda o, y, xp: xp.exp(abs(o[:, 0] - y))}, "finite"),
        ({"predict": lambda o, xp: o}, "must predict an array"),
    ],
)
def test_a_faulty_loss_is_told(changes: dict, told: str) -> None:
    with np.errstate(over="ignore"), pytest.raises(AssertionError, match=told):
        check_loss(replace(LOSSES["squared"], **changes), 1)


def test_wrong_probabilities_are_told() -> None:
    wrong = replace(LOSSES["softmax"], predict=lambda o, xp: LOSSES["softmax"].predict(o, xp) * 2)
    with pytest.raises(AssertionError, match="must sum to 1"):
        check_loss(wrong, 3, 3)


W = {"w": np.random.default_rng(0).normal(size=(3, 4)), "b": np.zeros(4)}
X = np.random.default_rng(1).normal(size=(5, 3))


def test_a_layer_and_one_that_mixes_rows() -> None:
    check_layer(lambda p, x: jnp.tanh(x @ p["w"] + p["b"]), W, X)
    check_layer(lambda p, x: (x - x.mean(axis=0)) @ p["w"], W, X, mixes_rows=True)


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (lambda p, x: (x - x.mean(axis=0)) @ p["w"], "must not depend on the other rows"),
        (lambda p, x: (x @ p["w"]).sum(axis=0), "must keep the 5 rows"),
        (lambda p, x: jnp.log(x @ p["w"]), "must be finite"),
        (lambda p, x: jnp.floor(x @ p["w"] * 1e6) / 1e6, "must be the numerical one"),
    ],
)
def test_a_faulty_layer_is_told(layer, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_layer(layer, W, X)


@pytest.mark.parametrize("step", [0.01, 0.001])
def test_numerical_derivatives_have_an_error_of_the_step_squared(step: float) -> None:
    """f = theta^3 at 1: two-sided 3 + e^2, 3.0001 with e = 0.01."""
    slope = numerical_gradient(lambda p: float(p["t"] ** 3), {"t": np.ones(())}, step)["t"]
    assert slope == pytest.approx(3 + step**2, rel=1e-9)
