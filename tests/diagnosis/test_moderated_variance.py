import numpy as np
import pytest

from deepwell.diagnosis._moderated_variance import moderated


def test_variances_are_drawn_to_the_common_one_as_far_as_they_are_alike():
    generator = np.random.default_rng(0)
    prior, common, freedom = 8.0, 3.0, 4
    true = prior * common / generator.chisquare(prior, 4_000)
    seen = true * generator.chisquare(freedom, 4_000) / freedom
    found = moderated(seen, np.full(4_000, freedom))
    assert found.freedom[0] == pytest.approx(prior + freedom, rel=0.1)
    far = np.abs(np.log(found.variance) - np.log(true)).mean()
    assert far < 0.7 * np.abs(np.log(seen) - np.log(true)).mean()
    weight = freedom / found.freedom[0]
    implied = (found.variance - weight * seen) / (1 - weight)
    assert implied == pytest.approx(np.full(4_000, implied[0]))  # one common value
    assert implied[0] == pytest.approx(common, rel=0.1)


def test_groups_of_one_variance_share_it():
    generator = np.random.default_rng(1)
    found = moderated(2.0 * generator.chisquare(6, 500) / 6, np.full(500, 6))
    assert found.freedom.min() > 50
    assert found.variance == pytest.approx(np.full(500, 2.0), rel=0.25)


def test_a_group_that_tells_nothing_takes_the_common_variance():
    found = moderated(np.array([1.0, 1.2, 0.9, 1.1, 7.0]), np.array([6, 6, 6, 6, 0]))
    # log s^2 is biased down by chance, so their common value lies above the mean of 1.05
    assert found.variance[4] == pytest.approx(found.variance[:4].mean(), rel=0.02)
    assert found.freedom[4] > 0


def test_few_groups_keep_their_own():
    found = moderated(np.array([1.0, 4.0]), np.array([3, 0]))
    assert found.variance.tolist() == [1.0, 0.0]
    assert found.freedom.tolist() == [3.0, 0.0]
