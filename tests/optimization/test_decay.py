"""O10: learning-rate schedules in worked numbers and against Optax's."""

from __future__ import annotations

import numpy as np
import optax
import pytest

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import DECAYS as DECLARED
from deepwell.optimization._decay import DECAYS, Time, decay_code
from deepwell.optimization._learning_rate import learning_rates

ALL = {"decay_rate": 0.3, "decay_factor": 0.9, "decay_scale": 2.0, "decay_every": 3.0,
       "epochs": 8.0, "warmup_epochs": 0.0}  # fmt: skip


def test_every_declared_decay_is_here() -> None:
    assert set(DECAYS) == set(DECLARED)


def test_constant_stays() -> None:
    np.testing.assert_array_equal(learning_rates(3, learning_rate=0.2, epochs=2), np.full(6, 0.2))


@pytest.mark.proves("O10", "formula")
def test_inverse_time_worked_numbers() -> None:
    got = learning_rates(1, learning_rate=0.2, decay="inverse_time", decay_rate=1.0, epochs=4)
    np.testing.assert_allclose(got, [0.1, 0.0667, 0.05, 0.04], atol=5e-5)
    still = learning_rates(1, learning_rate=0.2, decay="inverse_time", decay_rate=0.0, epochs=4)
    np.testing.assert_array_equal(still, np.full(4, 0.2))


@pytest.mark.proves("O10", "formula")
def test_exponential_decay_is_095_to_the_epoch_unless_told_otherwise() -> None:
    got = learning_rates(2, learning_rate=0.2, decay="exponential", epochs=3)
    right = 0.2 * np.array([0.95, 0.95, 0.9025, 0.9025, 0.857375, 0.857375])
    np.testing.assert_allclose(got, right, rtol=1e-12)


@pytest.mark.proves("O10", "formula")
def test_inverse_roots_count_epochs_or_steps_from_1() -> None:
    shared = {"learning_rate": 0.2, "decay_scale": 3.0, "epochs": 4}
    epochs = learning_rates(2, decay="inverse_sqrt_epoch", **shared)
    np.testing.assert_allclose(epochs[::2], 0.6 / np.sqrt([1, 2, 3, 4]), rtol=1e-12)
    np.testing.assert_array_equal(epochs[::2], epochs[1::2])
    steps = learning_rates(2, decay="inverse_sqrt_step", **shared)
    np.testing.assert_allclose(steps, 0.6 / np.sqrt(np.arange(1, 9)), rtol=1e-12)
    plain = learning_rates(2, decay="inverse_sqrt_step", learning_rate=0.2, epochs=4)
    np.testing.assert_allclose(plain, 0.2 / np.sqrt(np.arange(8) + 1), rtol=1e-12)  # t from 0


@pytest.mark.proves("O10", "formula", "independent")
def test_a_staircase_falls_after_every_few_epochs_and_equals_optax() -> None:
    got = learning_rates(4, learning_rate=0.8, decay="staircase", decay_every=3, epochs=9)
    np.testing.assert_allclose(got[::4], [0.8] * 3 + [0.4] * 3 + [0.2] * 3, rtol=1e-12)
    peer = optax.exponential_decay(0.8, 12, 0.5, staircase=True)
    np.testing.assert_allclose(got, [peer(t) for t in range(36)], rtol=1e-6)


@pytest.mark.proves("O10", "independent")
@pytest.mark.parametrize("warmup", [0.0, 1.5, 3.0])
def test_cosine_with_warm_up_equals_optax(warmup: float) -> None:
    got = learning_rates(10, learning_rate=0.3, decay="cosine", warmup_epochs=warmup, epochs=6)
    steps = int(warmup * 10)
    peer = optax.cosine_decay_schedule(0.3, 60 - steps)
    right = [0.3 * (t + 1) / steps if t < steps else float(peer(t - steps)) for t in range(60)]
    np.testing.assert_allclose(got, right, rtol=1e-5, atol=1e-8)
    assert got[-1] < 0.3 * 1e-2
    assert got.max() == pytest.approx(0.3)


@pytest.mark.proves("O10", "independent")
def test_one_cycle_equals_optax() -> None:
    got = learning_rates(10, learning_rate=0.3, decay="one_cycle", epochs=10)
    peer = optax.cosine_onecycle_schedule(100, 0.3)
    np.testing.assert_allclose(got, [peer(t) for t in range(100)], rtol=1e-5, atol=1e-8)
    assert got[0] == pytest.approx(0.3 / 25)
    assert int(np.argmax(got)) == 30


@pytest.mark.parametrize("decay", DECAYS)
def test_warm_up_multiplies_every_schedule(decay: str) -> None:
    shared = {"learning_rate": 0.3, "decay": decay, "decay_rate": 0.5, "epochs": 4}
    warm = learning_rates(5, warmup_epochs=2, **shared)
    ramp = np.minimum(np.arange(1, 21) / 10, 1)
    if decay == "cosine":  # begins to fall when the warm-up ends
        np.testing.assert_allclose(warm[:11], 0.3 * ramp[:11], rtol=1e-12)
    else:
        np.testing.assert_allclose(warm, ramp * learning_rates(5, **shared), rtol=1e-12)


@pytest.mark.parametrize("decay", DECAYS)
def test_a_schedule_keeps_the_type_and_stays_finite_beyond_its_end(decay: str) -> None:
    numbers = {name: np.float32(value) for name, value in ALL.items()}
    for epoch, step in ((1, 1), (8, 40), (9, 41), (500, 2500)):
        got = DECAYS[decay](numbers, Time(*map(np.float32, (epoch, step, 5))), np)
        assert np.asarray(got).dtype == np.float32
        assert 0 <= got <= 2


def test_codes_number_the_registry() -> None:
    assert [decay_code(name) for name in DECAYS] == list(range(len(DECAYS)))
    with pytest.raises(UsageError, match='unknown decay "inverse_tme"'):
        decay_code("inverse_tme")


def test_wrong_values_are_refused() -> None:
    with pytest.raises(UsageError, match="`per_epoch` must be at least 1, got 0"):
        learning_rates(0)
    with pytest.raises(UsageError, match="`decay_factor` must be in"):
        learning_rates(1, decay_factor=1.5)
