import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from scipy import integrate, stats

from deepwell.search.samplers._acquisition import log_expected_improvement, log_h


@pytest.mark.parametrize("z", [-8.0, -3.0, -1.0001, -0.9999, 0.0, 0.7, 5.0, 30.0])
def test_expected_improvement_is_the_integral_that_it_stands_for(z: float) -> None:
    low = min(z, 0.0) - 20.0
    value, _ = integrate.quad(lambda u: (z - u) * stats.norm.pdf(u), low, z, epsabs=0, limit=200)
    assert math.exp(log_h(np.array([z]))[0]) == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize("x", [1.01, 2.0, 10.0, 37.0, 99.0, 101.0, 1e4, 1e8, 1e30])
def test_the_far_tail_is_exact(x: float) -> None:
    getcontext().prec = 120
    at = Decimal(x)
    # Mills' ratio by Laplace's continued fraction 1 / (x + 1 / (x + 2 / (x + 3 / ...)))
    rest = at
    for k in range(6000 if x < 5 else 400, 0, -1):
        rest = at + Decimal(k) / rest
    share = 1 - at / rest
    expected = share.ln() - at * at / 2 - Decimal(2 * math.pi).ln() / 2
    assert log_h(np.array([-x]))[0] == pytest.approx(float(expected), rel=1e-12)


def test_it_rises_without_a_jump() -> None:
    z = np.concatenate([np.linspace(-105, -95, 4001), np.linspace(-1.01, -0.99, 4001)])
    rise = np.diff(log_h(z))
    assert (rise[z[1:] != -1.01] > 0).all()
    assert np.abs(np.diff(rise[:4000])).max() < 1e-5


def test_slopes_are_those_of_the_value() -> None:
    mean, sd = np.array([0.3, 2.0, 40.0, -1.0]), np.array([0.5, 0.1, 0.2, 1e-3])
    value, by_mean, by_sd = log_expected_improvement(mean, sd, 0.1)
    step = 1e-6 * sd
    up, down = (log_expected_improvement(mean + s * step, sd, 0.1)[0] for s in (1, -1))
    np.testing.assert_allclose(by_mean, (up - down) / (2 * step), rtol=1e-5)
    wide, narrow = (log_expected_improvement(mean, sd + s * step, 0.1)[0] for s in (1, -1))
    np.testing.assert_allclose(by_sd, (wide - narrow) / (2 * step), rtol=1e-5, atol=1e-6)
    assert np.isfinite(value).all()
