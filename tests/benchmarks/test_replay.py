"""Replays on a curve table: what is spent, what is found, the same for the same seed."""

import numpy as np
import pytest
from benchmarks import make_curves, replay

from deepwell.search import SAMPLERS
from deepwell.study._proposals import propose
from deepwell.study._settings import Settings


@pytest.fixture(scope="module")
def table():
    """A table that is made up: how low a curve comes depends on the learning rate alone."""
    space = make_curves.searched("digits")
    specs = list(propose(Settings(space, "random", "none", 1, "error"), [], 300, 0).values())
    units = np.stack([space.encode(spec.hyperparameters) for spec in specs])
    floor = np.abs(units[:, 0] - 0.6)[:, None]
    t = np.arange(1, 31)
    dev = (floor + 0.5 / t).astype(np.float32)
    dev[7, 4:] = np.nan
    return replay.Table(space, specs, units, dev, dev + 0.01, 3 * dev)


def test_a_table_has_the_errors_of_every_network(monkeypatch):
    drawn = make_curves.Drawn(make_curves.digits, 60, 20, 30, 2)
    monkeypatch.setitem(make_curves.TASKS, "digits", drawn)
    monkeypatch.setattr(make_curves, "_TOGETHER", 4)
    made = make_curves.make("digits", 6)
    for part in (*make_curves.ERRORS, "cost"):
        assert made[part].shape == (6, 2)
        assert np.isfinite(made[part]).any(axis=1).all()
    monkeypatch.setattr("deepwell.training._native_program.KEPT_BYTES", 0)
    with pytest.raises(RuntimeError, match="was not kept"):
        make_curves.make("digits", 6)


def test_who_trains_to_the_end_spends_all_epochs(table):
    course = replay.search(table, "random", "none", 20, seed=3)
    assert course.epochs[-1] in (20 * 30, 20 * 30 - 25)  # one may have diverged
    assert course.test[-1] == pytest.approx(course.dev[-1] + 0.01)
    again = replay.search(table, "random", "none", 20, seed=3)
    np.testing.assert_array_equal(course.dev, again.dev)
    other = replay.search(table, "random", "none", 20, seed=4)
    assert course.dev[-1] != other.dev[-1]


@pytest.mark.parametrize("way", [name for name in replay.WAYS if name != "none"])
def test_a_scheduler_spends_less_and_curves_in_order_lose_nothing(table, way):
    """These curves never cross, so who is best early is best at the end."""
    whole = replay.search(table, "random", "none", 60, seed=5)
    some = replay.search(table, "random", way, 60, seed=5)
    if way == "patience":  # these curves fall to their end
        assert some.epochs[-1] == whole.epochs[-1]
    else:
        assert some.epochs[-1] < whole.epochs[-1]
    assert some.dev[-1] == whole.dev[-1]
    assert np.all(np.diff(some.dev) <= 0)
    assert some.at(0) == (1.0, 1.0)
    assert some.at(some.epochs[-1]) == (some.dev[-1], some.test[-1])


def test_no_network_is_taken_twice(table):
    values = table.specs[5].hyperparameters
    chosen = replay._nearest(table, [values] * 300, {})
    assert chosen[0] == 5
    assert sorted(chosen) == list(range(300))


def test_every_sampler_but_the_grid_replays(table):
    for name in SAMPLERS:
        if name != "grid":
            assert replay.search(table, name, "halving", 24, seed=1).dev[-1] < 0.5
