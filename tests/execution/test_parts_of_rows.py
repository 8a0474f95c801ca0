"""Parts of the rows in the engine: one population, the same alone, after a break, and refused."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell.data._subsets import subset_order
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Shape
from deepwell.records import TrialSpec
from deepwell.training._program import TrainingRows

SIZES, SUBSETS, EPOCHS = (18, 35, 70), (1, 2), 6
TRAIN, DEV, INPUTS = 70, 40, 5
SHAPE = Shape(TRAIN, DEV, INPUTS, 3, "softmax", "error")


def rows() -> TrainingRows:
    random = np.random.default_rng(3)
    x = random.normal(size=(TRAIN + DEV, INPUTS)).astype(np.float32)
    y = np.digitize(x[:, 0] * x[:, 1], [-0.4, 0.4]).astype(np.int32)
    w = random.uniform(0.5, 1.5, TRAIN + DEV).astype(np.float32)
    return TrainingRows(x[:TRAIN], y[:TRAIN], w[:TRAIN], x[TRAIN:], y[TRAIN:], w[TRAIN:])


def spec(seed: int) -> TrialSpec:
    values = {"hidden_units": [7], "batch_size": 16, "epochs": 50, "patience": 0, "dropout": 0.1}
    return TrialSpec(values, seed=seed, order_seed=1)


def parted():
    held = rows()
    each = {n: subset_order(n, held.y_train, held.weight_train) for n in SUBSETS}
    return replace(held, parts={(r, n): each[n][:r] for r in SIZES for n in SUBSETS})


def specs() -> dict[int, TrialSpec]:
    each = [(r, n) for r in SIZES for n in SUBSETS]
    return {i: replace(spec(n), rows=r, subset=n) for i, (r, n) in enumerate(each)}


@contextlib.contextmanager
def engine(some: dict[int, TrialSpec], memory: int | None = None):
    held = parted()
    shape = replace(SHAPE, views=len(held.parts))
    with contextlib.closing(LocalEngine(held, shape, choose_backend("native"), memory)) as made:
        made.prepare(some, made.plan(some, EPOCHS))
        yield made


def trained(some: dict[int, TrialSpec], until: int = EPOCHS, begun=None, memory=None):
    with engine(some, memory) as made:
        made.restore(begun or {})
        for _ in made.train(list(some), until, lambda: False):
            pass
        return {n: dict(state) for n, state in made.states(list(some)).items()}


def same_bits(a, b) -> bool:
    return a.keys() == b.keys() and all(
        a[n].keys() == b[n].keys() and all(a[n][k].tobytes() == b[n][k].tobytes() for k in a[n])
        for n in a
    )


@pytest.mark.proves("G5", "population")
def test_together_alone_and_after_a_break_it_is_the_same_network() -> None:
    together = trained(specs())
    assert {int(state["step"]) for state in together.values()} == {EPOCHS * 5}  # whatever the rows
    for number, one in specs().items():
        assert same_bits(trained({number: one}), {number: together[number]})
    broken = trained(specs(), until=2)
    assert same_bits(trained(specs(), begun=broken), together)
    assert same_bits(trained(specs(), memory=1 << 30), together)


def test_networks_of_other_rows_are_others() -> None:
    states = trained(specs(), until=1)
    weights = {state["weights/0"].tobytes() for state in states.values()}
    assert len(weights) == len(states)


def test_rows_that_do_not_fit_in_memory_are_refused() -> None:
    held = parted()
    large = np.zeros((400_000, 5), np.float32)
    ones = np.ones(400_000, np.float32)
    wide = replace(held, x_train=large, y_train=np.zeros(400_000, np.int32), weight_train=ones)
    with pytest.raises(UsageError, match="and parts of them; give more --memory"):
        LocalEngine(wide, replace(SHAPE, views=6), choose_backend("native"), 10 << 20)


def test_a_part_that_was_not_planned_is_unknown() -> None:
    with engine(specs()) as made, pytest.raises(ValueError, match="is not in list"):
        made.plan({0: replace(spec(1), rows=11, subset=1)}, EPOCHS)
