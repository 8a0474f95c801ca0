"""O10: learning-rate decay in worked numbers."""

from __future__ import annotations

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import DECAYS as DECLARED
from deepwell.optimization._decay import DECAYS, constant, decay_code, inverse_time


def test_every_declared_decay_is_here() -> None:
    assert set(DECAYS) == set(DECLARED)


@pytest.mark.proves("O10", "formula")
def test_inverse_time_worked_numbers() -> None:
    got = [inverse_time(0.2, 1.0, epoch) for epoch in (1, 2, 3, 4)]
    assert got == pytest.approx([0.1, 0.0667, 0.05, 0.04], abs=5e-5)
    assert inverse_time(0.2, 0.0, 100) == 0.2


def test_inverse_time_over_arrays_keeps_the_type() -> None:
    epochs = np.arange(1, 6, dtype=np.float32)
    got = inverse_time(np.float32(0.3), np.float32(0.5), epochs)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, 0.3 / (1 + 0.5 * epochs.astype(float)), rtol=1e-6)


def test_constant_stays() -> None:
    assert [constant(0.2, 3.0, epoch) for epoch in (1, 50)] == [0.2, 0.2]


def test_codes_number_the_registry() -> None:
    assert [decay_code(name) for name in DECAYS] == list(range(len(DECAYS)))
    with pytest.raises(UsageError, match='unknown decay "inverse_tme"'):
        decay_code("inverse_tme")
