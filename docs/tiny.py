"""Deepwell on one page: its two ideas, whole and running. `python docs/tiny.py` takes seconds.

1. A run is a pure function; a population is many runs in one program.
2. Records, not owners: what happened is plain data, and whoever decides is a function of it.

Sixteen networks, each with hyperparameters of its own, learn to read handwritten digits side by
side in one compiled program; at each rung the better half goes on; then we say what error is left.
"""

from __future__ import annotations

import math
import os
from collections import namedtuple
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version

if version("jaxlib") == "0.10.2":  # fuses some sums wrongly on CPU, unless told otherwise
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_experimental_ynn_fusion_type=individual_dot")

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits

D, H, C, B = 64, 64, 10, 64  # inputs, hidden units, classes, batch: the structure, compiled once
SHAPES = (D, H), (H,), (H, C), (C,)  # weights and biases, layer by layer
WEIGHTS, DROPOUT, ROWS = range(3)  # what a random draw is for

# Random numbers are a hash of coordinates. What a network draws depends on its seed, the purpose,
# the step and the place in the array; never on the networks beside it, and never on padding.


def mix(x):
    """Scramble 32-bit words: each input bit flips about half of the output bits."""
    x = (x ^ (x >> 16)) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * np.uint32(0x846CA68B)
    return x ^ (x >> 16)


def draw(seed, purpose, step, shape):
    """Return random 32-bit words at all coordinates of `shape`."""
    words = mix(mix(mix(jnp.uint32(seed)) + jnp.uint32(purpose)) + jnp.uint32(step))
    for size in shape:
        words = mix(words[..., None] + jnp.arange(size, dtype=jnp.uint32) * np.uint32(0x9E3779B9))
    return words


def uniform(*coordinates):
    """Return random numbers strictly between 0 and 1."""
    return ((draw(*coordinates) >> 9).astype(jnp.float32) + 0.5) * 2.0**-23


# Idea 1. `advance` moves one network forward. What its next step needs is state; what an observer
# wants is info, and never comes back. Hyperparameters are traced values: changing one compiles
# nothing. A lane holds one network's state; zeros are an empty lane, where step 0 starts a network.

Hyper = namedtuple("Hyper", "seed learning_rate momentum dropout l2")
State = namedtuple("State", "step params velocity")


def initial(seed):
    """Return He's initial weights, normal with variance 2 / inputs; biases are 0."""
    draws = [jax.scipy.stats.norm.ppf(uniform(seed, WEIGHTS, i, s)) for i, s in enumerate(SHAPES)]
    return tuple(w * (2 / len(w)) ** 0.5 if w.ndim == 2 else w * 0 for w in draws)


def logits(params, x, keep=1.0):
    """Return the outputs (B, C) for inputs (B, D); `keep` drops or scales hidden units."""
    w1, b1, w2, b2 = params
    return keep * jax.nn.relu(x @ w1 + b1) @ w2 + b2


def error(params, x, y):
    """Return the share of rows that are read wrong."""
    return jnp.mean(jnp.argmax(logits(params, x), axis=-1) != y)


def advance(hyper, state, data, steps):
    """Move one network `steps` mini-batches forward; return its next state and its errors."""
    x, y = data["train"]

    def one_step(_, state):
        rows = draw(hyper.seed, ROWS, state.step, (B,)) % len(x)
        keep = uniform(hyper.seed, DROPOUT, state.step, (B, H)) >= hyper.dropout

        def cost(params):
            z = logits(params, x[rows], keep / (1 - hyper.dropout))  # (B, C)
            log_p = jax.nn.log_softmax(z)[jnp.arange(B), y[rows]]  # (B,)
            penalty = hyper.l2 / 2 * sum(jnp.sum(w**2) for w in params if w.ndim == 2)
            return penalty - jnp.mean(log_p)

        beta, gradient = hyper.momentum, jax.grad(cost)(state.params)
        velocity = jax.tree.map(lambda v, g: beta * v + (1 - beta) * g, state.velocity, gradient)
        params = jax.tree.map(lambda w, v: w - hyper.learning_rate * v, state.params, velocity)
        return State(state.step + 1, params, velocity)

    params = jax.tree.map(partial(jnp.where, state.step == 0), initial(hyper.seed), state.params)
    state = jax.lax.fori_loop(0, steps, one_step, state._replace(params=params))
    return state, {name: error(state.params, *rows) for name, rows in data.items()}


@jax.jit
def population(hypers, states, data, steps):
    """Advance every lane by its own number of steps; a pruned one by none, which costs nothing."""
    return jax.lax.map(lambda lane: advance(*lane[:2], data, lane[2]), (hypers, states, steps))


# Idea 2. A trial is a record. Search, scheduling and diagnosis are functions of records: they see
# neither each other nor JAX, so that each can be tested, replaced and replayed by itself.


@dataclass(frozen=True, order=True)
class Trial:
    """One configuration with what became of it; the lower dev error comes first."""

    dev: float  # share of rows that are read wrong
    train: float
    hyper: Hyper
    steps: int = 0
    pruned: bool = False


def propose(history, n, key):
    """Return the next `n` configurations of a random search, each number on its own scale."""
    hypers = []
    for seed in range(len(history), len(history) + n):
        u = np.random.default_rng([key, seed]).uniform
        rate, momentum = 10 ** u(-2, 1), 1 - 10 ** u(-2, 0)  # log and one-minus-log
        hypers.append(Hyper(seed, rate, momentum, dropout=u(0, 0.5), l2=10 ** u(-6, -2)))
    return hypers


def decide(history):
    """Return the history with the worse half of the living trials pruned (successive halving)."""
    alive = sorted(trial for trial in history if not trial.pruned)
    worse = alive[math.ceil(len(alive) / 2) :]
    return [replace(trial, pruned=trial.pruned or trial in worse) for trial in history]


def diagnose(trials, train_rows, dev_rows, best_possible=0.0, material=0.01):
    """Say what error the best trial is left with: bias, variance, both, or too few rows to tell.

    The gap counts when its 95 % interval lies beyond what is material (Agresti & Caffo 2000).
    """
    best, n, m = min(trials), train_rows + 2, dev_rows + 2
    p, q = (best.train * train_rows + 1) / n, (best.dev * dev_rows + 1) / m
    half = 1.96 * math.sqrt(p * (1 - p) / n + q * (1 - q) / m)
    low, high = q - p - half, q - p + half
    bias = "high" if best.train - best_possible > material else "low"
    variance = "high" if low > material else "low" if high < material else "uncertain"
    gap = f"train {best.train:.1%}, dev {best.dev:.1%}, gap [{low:.1%}, {high:.1%}]"
    return f"{bias} bias, {variance} variance: {gap}"


# The study only wires: propose, execute, record, decide, diagnose.


def load():
    """Return 60 % train and 20 % dev rows of the digits, and apart from them 20 % test rows."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    cuts = len(y) * 6 // 10, len(y) * 8 // 10
    x, y = np.split(np.float32(x / 16)[order], cuts), np.split(y[order], cuts)
    train, dev, test = zip(x, y, strict=True)
    return {"train": train, "dev": dev}, test


def study(data, networks=16, rungs=(100, 200, 400, 800), key=0):
    """Train a population, half as many at each rung; return the trials and their states."""
    history = [Trial(1.0, 1.0, hyper) for hyper in propose([], networks, key)]
    hypers = jax.tree.map(lambda *numbers: np.array(numbers), *(trial.hyper for trial in history))
    zeros = tuple(jnp.zeros((networks, *shape)) for shape in SHAPES)
    states = State(jnp.zeros(networks, int), zeros, zeros)
    for rung in rungs:
        steps = np.array([0 if trial.pruned else rung - trial.steps for trial in history])
        states, info = population(hypers, states, data, steps)
        for i, trial in enumerate(history):
            errors = {name: float(values[i]) for name, values in info.items()}
            history[i] = replace(trial, steps=trial.steps + int(steps[i]), **errors)
        history = decide(history)
        print(f"rung {rung:4}: best dev error {min(history).dev:.1%}")
    return history, states


def main():
    """Study the digits; open the test rows once, for the best network."""
    data, test = load()
    history, states = study(data)
    best = history.index(min(history))
    params = [w[best] for w in states.params]
    print(history[best].hyper)
    print(diagnose(history, *(len(y) for _, y in data.values())))
    print(f"test error {error(params, *test):.1%}, programs compiled: {population._cache_size()}")
    return history, states


if __name__ == "__main__":
    main()
