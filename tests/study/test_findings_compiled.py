"""Findings about networks that the native program does not train: convolutions, Optax."""

import shlex

import numpy as np
import pytest
from sklearn.datasets import load_digits

import deepwell as dw
from deepwell.study import _training_findings

LAYERS = ("DW401", "DW402", "DW403", "DW404")
NETWORK = {
    "conv_channels": [4],
    "conv_stride": 2,
    "hidden_units": [12],
    "learning_rate": 0.01,
    "batch_size": 64,
    "dropout": 0.0,
    "l2": 0.0,
    "patience": 0,
    "optimizer": "adam",
    "activation": "relu",
}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    x, y = load_digits(return_X_y=True)
    file = tmp_path_factory.mktemp("images") / "digits.npz"
    np.savez(file, X=x[:500].reshape(-1, 8, 8), y=y[:500])
    return file


def found(source, folder, values, target=None, epochs=8):
    data = dw.load(source, target=target, vault=folder / "vault")
    study = dw.Study(data, store=folder, fixed=values, scheduler="none")
    result = study.run(trials=1, epochs=epochs)
    assert result.program == "jax"
    return {f.code: f for f in result.findings}, result


def words(told):
    return {code: (f.level, f.claim, f.detail) for code, f in told.items() if f.code > "DW4"}


def test_a_healthy_convolutional_network_is_looked_into(images, tmp_path):
    told, _ = found(images, tmp_path, NETWORK, epochs=12)
    assert [told[code].level for code in LAYERS] == ["ok"] * 4, words(told)
    assert len(told["DW403"].evidence["figures"]) == 2  # the convolution and the dense layer
    assert [code for code in told if code > "DW4" and told[code].level == "problem"] == []


def test_a_rate_that_is_too_high_and_the_units_that_it_kills(images, tmp_path):
    """Other seeds and rates fit the program that the study compiled: nothing else is compiled."""
    told, result = found(images, tmp_path, {**NETWORK, "learning_rate": 1.0})
    assert told["DW405"].level == "problem", words(told)
    assert told["DW403"].level == "problem" or "consequence_of" in told["DW403"].evidence
    command = shlex.split(told["DW405"].command)
    assert command[command.index("--learning-rate") + 1] == "0.01"
    assert command[command.index("--conv-channels") + 1] == "4"
    assert result.programs == 1


DEEP = {"hidden_units": [12] * 8, "activation": "sigmoid", "learning_rate": 0.003}


def test_vanishing_gradients_are_told_with_a_command_where_a_twin_must_be_compiled(
    images, tmp_path, monkeypatch
):
    told, _ = found(images, tmp_path, {**NETWORK, **DEEP})
    assert told["DW401"].level == "unsure", words(told)
    assert "their program" in told["DW401"].detail
    command = shlex.split(told["DW401"].command)
    assert command[command.index("--activation") + 1] == "relu"
    monkeypatch.setattr(_training_findings, "FLOOR", 1e12)
    told, _ = found(images, tmp_path, {**NETWORK, **DEEP})
    assert told["DW401"].level == "problem", words(told)
    assert told["DW401"].evidence["change_effect"]["gain"] > 0.04


OPTAX = {
    "optimizer": "optax:adamw",
    "hidden_units": [16, 16],
    "learning_rate": 0.003,
    "batch_size": 64,
    "dropout": 0.0,
    "l2": 0.0,
    "patience": 0,
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    file = tmp_path_factory.mktemp("table") / "digits.csv"
    dw.write_sample("digits", file)
    return file


def test_an_optax_study_is_compared_with_native_twins(digits, tmp_path):
    told, _ = found(digits, tmp_path, OPTAX, "label")
    assert [told[code].level for code in LAYERS] == ["ok"] * 4, words(told)
    deep = {**OPTAX, "hidden_units": [16] * 8, "activation": "sigmoid"}
    told, _ = found(digits, tmp_path, deep, "label")
    assert told["DW401"].level == "problem", words(told)
    assert "--activation relu" in told["DW401"].command


def test_a_rate_of_an_optax_optimizer_that_is_too_high(digits, tmp_path):
    told, _ = found(digits, tmp_path, {**OPTAX, "learning_rate": 1.0}, "label")
    assert told["DW405"].level == "problem", words(told)
    assert "--learning-rate 0.01 " in told["DW405"].command
