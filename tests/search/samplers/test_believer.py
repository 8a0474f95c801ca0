import math

import numpy as np
import pytest

from deepwell.search.samplers._acquisition import log_expected_improvement
from deepwell.search.samplers._believer import Believer
from deepwell.search.samplers._gaussian_process import Scales, conditioned


def believer(room: int = 5) -> tuple[Believer, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((20, 3))
    y = np.abs(x - 0.4).sum(axis=1)
    scales = Scales(np.log([0.4, 0.6, 0.9]), math.log(1e-3), None)
    process = conditioned(x, y - y.min(), np.arange(3), scales)
    return Believer(process, 0.05, room), rng.random((50, 3))


def test_believed_points_are_observations_of_the_mean() -> None:
    model, pool = believer()
    process, best = model._process, model.best
    model.watch(pool)
    added = np.array([[0.1, 0.2, 0.9], [0.12, 0.25, 0.8], [0.7, 0.3, 0.3]])
    for x in added:
        model.believe(x)
    means = process.predict(added)[0]
    assert model.best == pytest.approx(min(best, means.min()))
    # the same by conditioning anew on the means, at the old mean and variance of the signal
    points = np.concatenate([process.points, added])
    k = conditioned(
        points, np.zeros(len(points)), np.arange(3),
        Scales(np.log([0.4, 0.6, 0.9]), math.log(1e-3), None),
    )  # fmt: skip
    sd = k.predict(pool)[1] * process.sd
    mean = process.predict(pool)[0]
    expected = log_expected_improvement(mean, sd, model.best)[0]
    np.testing.assert_allclose(model.on_pool(), expected, rtol=1e-7)
    np.testing.assert_allclose(model.value(pool), expected, rtol=1e-7)


def test_the_slope_is_that_of_the_value() -> None:
    model, pool = believer()
    model.believe(np.array([0.2, 0.2, 0.2]))
    for x in pool[:8]:
        value, gradient = model.slope(x)
        assert value == pytest.approx(model.value(x[None])[0], rel=1e-10)
        for j in range(3):
            step = np.zeros(3)
            step[j] = 1e-6
            up, down = model.value(np.array([x + step, x - step]))
            assert gradient[j] == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-5)


def test_no_improvement_is_expected_where_a_point_was_believed() -> None:
    model, pool = believer()
    model.watch(pool)
    place = int(model.on_pool().argmax())
    before = model.on_pool()[place]
    model.believe(pool[place])
    assert model.on_pool()[place] < before - 1
    assert int(model.on_pool().argmax()) != place
