import numpy as np
import pytest

from deepwell.diagnosis._trend import LEAST, trend


def _lingering(n: int, rho: float, generator: np.random.Generator) -> np.ndarray:
    """Return an autoregression of first order in its steady state."""
    noise = generator.normal(size=n)
    out = np.empty(n)
    out[0] = noise[0] / np.sqrt(1 - rho**2)
    for t in range(1, n):
        out[t] = rho * out[t - 1] + noise[t]
    return out


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.8])
@pytest.mark.parametrize("n", [12, 30, 100])
def test_a_flat_curve_seldom_has_a_trend_even_where_it_lingers(n: int, rho: float) -> None:
    generator = np.random.default_rng(n)
    p = np.array([trend(_lingering(n, rho, generator)).p_fall for _ in range(600)])
    # 1 % is wanted; where a short curve lingers much no estimate can see it all.
    allowed = 0.1 if rho >= 0.6 and n < 100 else 0.03
    assert (p <= 0.01).mean() <= allowed
    assert 0.4 < (p <= 0.5).mean() < 0.6


def test_least_squares_would_be_fooled() -> None:
    """The correction is needed: without it one flat curve in six or so has a trend at 1 %."""
    from scipy.stats import linregress

    generator = np.random.default_rng(3)
    curves = [_lingering(30, 0.8, generator) for _ in range(300)]
    naive = [linregress(np.arange(30), c, alternative="less").pvalue <= 0.01 for c in curves]
    ours = [trend(c).p_fall <= 0.01 for c in curves]
    assert np.mean(naive) > 0.1
    assert np.mean(naive) > 2 * np.mean(ours)


def test_the_line_is_that_of_least_squares() -> None:
    curve = np.random.default_rng(0).normal(size=40) - 0.1 * np.arange(40)
    slope = np.polyfit(np.arange(40), curve, 1)[0]
    assert trend(curve).change == pytest.approx(39 * slope)
    assert trend(curve).level == pytest.approx(curve.mean())


def test_independent_points_give_the_textbook_error() -> None:
    """Where neighbours are not alike rho is 0, and the error is noise over the spread of t."""
    curve = np.array([1.0, -1.0] * 10) - 0.05 * np.arange(20)
    found = trend(curve)
    t = np.arange(20) - 9.5
    rest = curve - np.polyval(np.polyfit(t, curve, 2), t)
    assert found.lingering == 0.0
    assert found.noise == pytest.approx(np.sqrt(rest @ rest / 17))
    assert found.error == pytest.approx(19 * found.noise / np.sqrt(t @ t))
    assert found.p_rise == pytest.approx(1 - found.p_fall)


def test_a_perfect_line_and_a_perfect_plateau() -> None:
    line = trend(np.linspace(1.0, 0.0, 20))
    assert line.p_fall < 1e-6
    flat = trend(np.full(20, 0.3))
    assert flat.change == pytest.approx(0.0)
    assert 0.4 < flat.p_fall < 0.6


@pytest.mark.parametrize("curve", [np.ones(LEAST - 1), np.array([1.0] * 9 + [np.nan])])
def test_what_cannot_be_told_is_not(curve: np.ndarray) -> None:
    assert trend(curve) is None


@pytest.mark.parametrize("n", [8, 20])
def test_a_smooth_fall_that_bends_is_sure(n: int) -> None:
    curve = 0.2 * np.exp(-1.5 * np.arange(n) / n) + 0.002 * np.random.default_rng(0).normal(size=n)
    assert trend(curve).p_fall < 0.0033
