"""DW206: numbers that were typed, not measured; and what only looks like them."""

import numpy as np
import pytest

from deepwell.diagnosis._data_findings import diagnose_data
from deepwell.diagnosis._encoded_columns import EncodedColumn, EncodedTable
from deepwell.diagnosis._placeholder_values import placeholder_value
from deepwell.records import DataChecks, from_plain, to_plain


def found(x):
    """Look at columns as a study has them: normalized, in single precision."""
    x = np.asarray(x, np.float64)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    columns = [EncodedColumn(f"c{j}", "number", j, 1) for j in range(x.shape[1])]
    encoded = ((x - mean) / np.where(scale > 0, scale, 1.0)).astype(np.float32)
    return placeholder_value(encoded, EncodedTable(columns, mean, scale))


@pytest.mark.parametrize("value", [-9999.0, 999.0, 1e6])
@pytest.mark.parametrize("cells", [2, 9, 200])
def test_a_number_that_stands_for_missing_is_told(value, cells):
    generator = np.random.default_rng(cells)
    x = generator.normal(50, 20, (400, 5)) if value == 1e6 else generator.normal(size=(400, 5))
    x[generator.permutation(400)[:cells], 3] = value
    told = found(x)
    assert (told.columns, told.cells) == (("c3",), cells)
    assert told.value == pytest.approx(value, rel=1e-3)
    (finding,) = diagnose_data(DataChecks(placeholder=told))
    assert (finding.code, finding.level) == ("DW206", "problem")
    assert "leave cells empty" in finding.evidence["change"]
    checks = DataChecks(placeholder=told)
    assert from_plain(DataChecks, to_plain(checks)) == checks


def test_once_in_each_of_several_columns_counts():
    x = np.random.default_rng(1).normal(size=(300, 6))
    x[5, 1] = x[70, 2] = x[200, 4] = -999
    told = found(x)
    assert (told.cells, told.columns) == (3, ("c1", "c2", "c4"))


def test_measured_values_are_let_be():
    """Outliers, heavy tails, caps, codes, constants and few values: none of 30 tables of each."""
    for seed in range(30):
        generator = np.random.default_rng(seed)
        outlier = generator.normal(size=(300, 3))
        outlier[7, 1] = 5_000
        capped = np.minimum(np.exp(2 * generator.normal(size=(300, 3))), 20)
        counts = generator.poisson(0.02, (300, 3))
        few = generator.choice([0.0, 1.0, 1_000.0], (300, 3))
        rare = np.where(generator.random((300, 3)) < 0.01, 1.0, 0.0)
        heavy = generator.standard_cauchy((300, 3))
        constant = np.ones((300, 3))
        for table in (outlier, capped, counts, few, rare, heavy, constant):
            assert found(table) is None
    assert found(np.random.default_rng(0).normal(size=(8, 2))) is None
