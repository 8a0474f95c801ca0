"""DW208 in whole studies: told where values are missing, with what the network loses by it."""

import numpy as np
import polars as pl
import pytest

import deepwell as dw

FIXED = {"hidden_layers": 1, "hidden_units": 16, "learning_rate": 0.01, "dropout": 0.0}


def told(tmp_path, holes, kind="classification", **how):
    """Fit a table of six columns, one of them of words, a share of whose cells is empty."""
    generator = np.random.default_rng(1)
    x = generator.normal(size=(1_200, 6))
    y = x @ [1.0, -1.0, 1.0, 0.5, 0.5, 1.5]
    empty = generator.random(x.shape) < holes
    columns = {
        f"c{j}": pl.Series(np.where(empty[:, j], np.nan, x[:, j])).fill_nan(None) for j in range(5)
    }
    words = pl.Series(np.where(x[:, 5] > 0, "up", "down"))
    columns["c5"] = pl.select(pl.when(pl.Series(~empty[:, 5])).then(words)).to_series()
    target = np.where(y > 0, "yes", "no") if kind == "classification" else y
    data = dw.load(pl.DataFrame({**columns, "y": target}), target="y", vault=tmp_path / "vault")
    study = dw.Study(data, store=tmp_path, fixed=FIXED, seed=1, **how)
    result = study.run(trials=1, epochs=15)
    return [one for one in result.findings if one.code == "DW208"], result


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_many_missing_values_are_a_problem(tmp_path, kind):
    (finding,), result = told(tmp_path, 0.4, kind, best_possible=0.0)
    assert finding.level == "problem"
    assert "of the cells of 6 columns are blank" in finding.detail
    assert finding.evidence["blank_share"] == pytest.approx(0.4, abs=0.02)
    assert {one["name"] for one in finding.evidence["columns"]} == {f"c{j}" for j in range(6)}
    (bias,) = [one for one in result.findings if one.code == "DW102"]
    assert "DW208" in bias.evidence["after"]


def test_few_missing_values_are_none(tmp_path):
    (finding,), _ = told(tmp_path, 0.02)
    assert finding.level != "problem"


def test_a_complete_table_is_not_told(tmp_path):
    assert told(tmp_path, 0.0)[0] == []


def test_of_folds_the_best_networks_own_rows_are_told(tmp_path):
    (finding,), _ = told(tmp_path, 0.4, folds=3)
    assert finding.level == "problem"
    assert finding.evidence["rows"] == 320
