"""The checks before training by a program that was compiled for it: convolutions, streamed rows."""

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_digits

import deepwell as dw
from deepwell.checking import _first_steps_gradient
from deepwell.data import _load
from deepwell.data._streamed_table import streamed_table
from deepwell.study import _first_steps

NETWORK = {
    "conv_channels": [4, 4],
    "hidden_units": [12],
    "learning_rate": 0.01,
    "batch_size": 64,
    "dropout": 0.0,
    "l2": 1e-4,
    "activation": "relu",
    "optimizer": "adam",
}
X, Y = load_digits(return_X_y=True)


def checks(x, y, folder, values=NETWORK, **options):
    data = dw.load((x, y), vault=None, task="classification")
    study = dw.Study(data, store=folder, fixed=values, **options)
    return study.run(trials=1, epochs=1)


@pytest.mark.proves("C4", "gradient")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"batch_norm": "before", "optimizer": "momentum"},
        {"optimizer": "rmsprop", "activation": "tanh", "pooling": "average"},
    ],
)
def test_a_convolutional_network_takes_all_steps(changes, tmp_path):
    result = checks(X[:700].reshape(-1, 8, 8), Y[:700], tmp_path, {**NETWORK, **changes})
    found = result.checks
    assert found.program == "jax"
    assert found.left_out == ()
    assert found.gradient.wrong == ()
    assert found.gradient.error < 1e-4
    assert found.gradient.blocks >= 8
    assert found.inputs.p_value < found.inputs.certain
    assert [f.code for f in result.findings if f.code.startswith("DW3")] == []
    assert result.programs == 1


@pytest.mark.parametrize(("block", "factor"), [("kernels/1", 1.02), ("offsets/0", -1.0)])
def test_a_wrong_gradient_of_a_convolution_is_blamed(block, factor, tmp_path, monkeypatch):
    right = _first_steps_gradient.slopes_of

    def wrong(*given):
        return [{**slope, block: factor * slope[block]} for slope in right(*given)]

    monkeypatch.setattr(_first_steps_gradient, "slopes_of", wrong)
    result = checks(X[:400].reshape(-1, 8, 8), Y[:400], tmp_path)
    assert result.checks.gradient.wrong == (block,)
    assert [f.code for f in result.findings if f.code.startswith("DW3")] == ["DW306"]


def test_inputs_that_carry_nothing_are_told_of_a_convolutional_network(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.permutation(Y)
    result = checks(X.reshape(-1, 8, 8), y, tmp_path)
    assert [(f.code, f.level) for f in result.findings if f.code.startswith("DW3")] == [
        ("DW303", "unsure")
    ]


def test_folds_and_optax_are_checked_as_well(tmp_path):
    values = {**NETWORK, "optimizer": "optax:lion", "learning_rate": 1e-3}
    found = checks(X[:500].reshape(-1, 8, 8), Y[:500], tmp_path, values, folds=2).checks
    assert found.left_out == ("gradient: optax:lion does not tell it",)
    assert found.inputs.steps > 0
    assert found.start is not None


@pytest.mark.parametrize("native", [True, False])
def test_rows_in_a_file_are_checked_by_either_program(native, tmp_path, monkeypatch):
    monkeypatch.setattr(
        _load, "streamed_table", lambda source, _budget, strict: streamed_table(source, 0, strict)
    )
    if not native:
        monkeypatch.setattr(_first_steps, "available", lambda: False)
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 3))
    path = tmp_path / "table.parquet"
    columns = {f"c{i}": x[:, i] for i in range(3)} | {"y": np.where(x[:, 0] > 0, "yes", "no")}
    pl.DataFrame(columns).write_parquet(path, row_group_size=90)
    data = dw.load(path, target="y", vault=None)
    assert data.memory is not None  # the rows stay in their file
    fixed = {"hidden_layers": 1, "hidden_units": 8, "learning_rate": 0.01, "optimizer": "adam"}
    study = dw.Study(data, store=tmp_path, fixed=fixed, program="native" if native else "jax")
    result = study.run(trials=1, epochs=1)
    found = result.checks
    assert found.program == ("native" if native else "jax")
    assert found.left_out == ()
    assert found.gradient.error < (1e-7 if native else 1e-4)
    assert found.inputs.p_value < found.inputs.certain
    assert found.mixed.error <= found.mixed.threshold
    assert [fit.fitted for fit in found.fits] == [True] * len(found.fits)
    assert [f.code for f in result.findings if f.code.startswith("DW3")] == []


def test_many_rows_stay_where_they_are(tmp_path, monkeypatch):
    """What comes with a call is padded to all rows: of many the program's own are visited."""
    monkeypatch.setattr("deepwell.checking._first_steps_compiled._HELD", 0)
    found = checks(X[:400].reshape(-1, 8, 8), Y[:400], tmp_path).checks
    assert found.left_out == (
        "zeroed inputs: the program takes too few rows, or too many, at a time",
    )
    assert found.gradient.wrong == ()
    assert found.inputs is None
