"""Replays of searches that end where no more is expected: when, and what is lost."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks import make_curves, replay, settled

from deepwell.records import Status
from deepwell.search._stopping import paying
from deepwell.study._proposals import propose
from deepwell.study._settings import Settings


@pytest.fixture(scope="module")
def table():
    """A table that is made up: how low a curve comes depends on the learning rate alone."""
    space = make_curves.searched("digits")
    specs = list(propose(Settings(space, "random", "none", 1, "error"), [], 300, 0).values())
    units = np.stack([space.encode(spec.hyperparameters) for spec in specs])
    floor = np.abs(units[:, 0] - 0.6)[:, None]
    dev = (0.05 + 0.5 * floor + 0.5 / np.arange(1, 31)).astype(np.float32)
    return replay.Table(space, specs, units, dev, dev + 0.01, 3 * dev)


@pytest.fixture
def asked(monkeypatch):
    """Return what is asked between rounds; the answer is no from the second time on."""
    heard = []

    def watched(domain, history, spread, networks, floor):
        found = paying(domain, history[:10], spread, networks, floor)
        heard.append((history, spread, networks))
        return replace(found, pays=len(heard) < 2)

    monkeypatch.setattr(settled, "paying", watched)
    return heard


def test_a_search_ends_at_the_answer_and_the_rest_is_what_it_lost(table, asked):
    ended = settled.study(table, 64, seed=3, dev_rows=300)
    assert ended.early
    assert ended.networks == 26  # rounds of 16, 10, 10, 10, 9 and 9
    assert len(asked) == 2
    drawn = np.random.default_rng(3).permutation(300)[:64]
    best = table.dev.min(axis=1)
    assert ended.dev == best[drawn[: ended.networks]].min()  # these curves never cross
    assert ended.full_dev == best[drawn].min()
    assert ended.full_test == pytest.approx(ended.full_dev + 0.01)
    assert 0.2 < ended.epochs < 0.7


def test_what_is_asked_is_what_fit_asks(table, asked):
    settled.study(table, 64, seed=3, dev_rows=300)
    history, spread, networks = asked[1]
    assert len(history) == 26
    assert networks == 64
    assert {one.epochs for one in history} == {5}  # the rung at which the first were stopped
    error = min(table.dev[np.random.default_rng(3).permutation(300)[:26]].min(axis=1))
    assert spread == pytest.approx((error * (1 - error) / 300) ** 0.5, rel=0.1)


def test_a_search_without_the_answer_trains_all(table, monkeypatch):
    monkeypatch.setattr(settled, "_settled", lambda *_: False)
    ended = settled.study(table, 64, seed=3, dev_rows=300)
    assert not ended.early
    assert (ended.networks, ended.epochs) == (64, 1.0)
    assert (ended.dev, ended.test) == (ended.full_dev, ended.full_test)
    found = settled.summary([ended, replace(ended, early=True, networks=16, dev=ended.dev + 0.02)])
    assert found["early"] == 0.5
    assert found["dev lost"] == pytest.approx(0.01)
    assert found["dev lost, 90 %"] == pytest.approx(0.018)
    assert found["test lost"] == 0.0


def test_statuses_are_those_of_a_study(table):
    (trial,) = settled.climb(table, settled.SCHEDULERS["none"], {0: 5}).__next__()[1]
    assert settled._over(trial, at_its_end=True).status is Status.FINISHED
    assert settled._over(trial, at_its_end=False).status is Status.PRUNED
    lost = replace(trial, status=Status.DIVERGED)
    assert settled._over(lost, at_its_end=False) == lost
