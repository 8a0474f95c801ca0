"""Whether one more round pays: against searches whose further course is known."""

import math

import numpy as np
from tests.search.importance.known_shares import cube, history

from deepwell.records import Observation
from deepwell.search import Domain, choice
from deepwell.search._stopping import paying


def test_a_bowl_that_was_searched_thoroughly_pays_no_more():
    generator = np.random.default_rng(1)
    units = generator.random((300, 2))
    scores = ((units - 0.5) ** 2).sum(axis=1) + 0.01 * generator.standard_normal(300)
    found = paying(cube(2), history(cube(2), units, scores), spread=0.02)
    assert found.pays is False
    assert found.gain.value < 0.0025 < found.threshold == 0.005


def test_a_corner_that_was_hardly_tried_pays():
    generator = np.random.default_rng(2)
    units = generator.random((60, 3))
    units[:, 0] *= 0.6
    scores = 1 - 0.9 * units[:, 0] + 0.02 * generator.standard_normal(60)
    found = paying(cube(3), history(cube(3), units, scores), spread=0.02)
    assert found.pays is True
    assert found.gain.value > 10 * found.threshold


def test_what_a_round_gains_by_luck_alone_is_no_gain():
    """Equal configurations: the next round's lowest score is lower, and its network no better."""
    generator = np.random.default_rng(5)
    scores = 0.2 + 0.02 * generator.standard_normal(100)
    found = paying(cube(2), history(cube(2), generator.random((100, 2)), scores), spread=0.02)
    assert found.pays is False
    assert abs(found.gain.value) < 0.005


def test_scores_cannot_fall_below_their_floor():
    generator = np.random.default_rng(3)
    units = generator.random((60, 2))
    units[:, 0] *= 0.6
    scores = 0.6 - units[:, 0]
    free = paying(cube(2), history(cube(2), units, scores), spread=0.01)
    bound = paying(cube(2), history(cube(2), units, scores), spread=0.01, floor=0.0)
    assert bound.gain.value <= scores.min() + 0.01 < free.gain.value


def test_finite_spaces_and_choices_are_answered():
    domain = Domain({"a": choice("x", "y", "z"), "b": [1, 2, 3, 4]})
    units = np.random.default_rng(4).random((60, 2))
    tried = [
        Observation(values, float(values["b"]) + (values["a"] == "y"))
        for values in (domain.decode(u) for u in units)
    ]
    assert paying(domain, tried, spread=0.3).pays is False


def test_too_few_trials_cannot_tell():
    found = paying(cube(2), [Observation({"x0": 0.1, "x1": 0.2}, 1.0)], spread=0.1)
    assert found.pays is None
    assert "32 are needed" in found.why
    assert math.isinf(found.gain.high)


def test_scores_of_which_no_luck_is_known_leave_it_open():
    generator = np.random.default_rng(3)
    units = generator.random((60, 2))
    found = paying(cube(2), history(cube(2), units, units[:, 0]), spread=math.inf, floor=0.0)
    assert found.pays is None
    assert "dev rows of one group" in found.why
