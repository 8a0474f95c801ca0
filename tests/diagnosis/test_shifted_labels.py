"""DW207: targets that slipped by a row; and what only looks like it."""

from dataclasses import replace

import numpy as np
import pytest

from deepwell.diagnosis._data_findings import diagnose_data
from deepwell.diagnosis._shifted_labels import shifted_labels
from deepwell.diagnosis._telling_column import Target
from deepwell.records import DataChecks, from_plain, to_plain


def world(seed: int, rows: int = 900):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 6))
    return generator, x, x[:, 0] + 0.5 * x[:, 1] ** 2 + 0.3 * generator.normal(size=rows)


def slipped(y: np.ndarray, share: float, by: int = 1) -> np.ndarray:
    first = round((1 - share) * len(y))
    return np.concatenate([y[:first], np.roll(y[first:], by)])


@pytest.mark.parametrize("share", [0.4, 0.7, 1.0])
@pytest.mark.parametrize("by", [-1, 1])
def test_targets_that_slipped_are_told_with_their_share(share, by):
    _, x, y = world(0)
    found = shifted_labels(x, Target(slipped(y, share, by), 0))
    assert found.rows_on == -by
    assert found.share == pytest.approx(share, abs=0.12)
    kinds = slipped((y > 0.5).astype(int), share, by)
    assert shifted_labels(x, Target(kinds, 2)).rows_on == -by
    (told,) = diagnose_data(DataChecks(shifted=found))
    assert (told.code, told.level) == ("DW207", "problem")
    assert ("next row" if by < 0 else "row before") in told.claim
    checks = DataChecks(shifted=found)
    assert from_plain(DataChecks, to_plain(checks)) == checks


def test_of_a_series_in_time_nobody_can_tell_a_lag_from_a_slip():
    _, x, y = world(0)
    found = replace(shifted_labels(x, Target(slipped(y, 1.0), 0)), in_time=True)
    (told,) = diagnose_data(DataChecks(shifted=found))
    assert told.level == "unsure"
    assert "a lag in time" in told.claim
    checks = DataChecks(shifted=found)
    assert from_plain(DataChecks, to_plain(checks)) == checks


def test_a_random_part_of_the_table_is_enough():
    generator, x, y = world(1)
    kept = np.sort(generator.permutation(len(y))[:600])
    assert shifted_labels(x[kept], Target(slipped(y, 1.0)[kept], 0)).rows_on == -1


def test_tables_that_are_in_order_are_let_be():
    """Independent rows, twins, groups, sorted rows, series, noise: none of 30 tables of each."""
    for seed in range(30):
        generator, x, y = world(seed)
        twins = np.repeat(x[:450], 2, axis=0) + 0.1 * generator.normal(size=x.shape)
        groups = np.repeat(x[:180], 5, axis=0) + 0.1 * generator.normal(size=x.shape)
        series = np.zeros_like(x)
        for row in range(1, len(x)):
            series[row] = 0.7 * series[row - 1] + x[row]
        order = np.argsort(y)
        tables = {
            "as it is": (x, y),
            "twins": (twins, np.repeat(y[:450], 2)),
            "groups": (groups, np.repeat(y[:180], 5)),
            "sorted": (x[order], y[order]),
            "series": (series, series[:, 0] + 0.5 * series[:, 1]),
            "noise": (x, generator.permutation(y)),
            "constant": (x, np.zeros(len(y))),
            "few": (x[:20], slipped(y[:20], 1.0)),
        }
        for name, (inputs, target) in tables.items():
            assert shifted_labels(inputs, Target(target, 0)) is None, (seed, name)
