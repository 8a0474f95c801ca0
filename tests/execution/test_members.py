"""From a specification to a member: nothing is lost on the way."""

from __future__ import annotations

import pytest

from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell.execution._members import architecture_of, member_of
from deepwell.networks._architecture import Architecture
from deepwell.records import TrialSpec
from deepwell.training._program import NUMBERS

CHOSEN = {
    "learning_rate": 0.02,
    "decay": "inverse_time",
    "decay_rate": 0.5,
    "optimizer": "rmsprop",
    "momentum": 0.8,
    "beta1": 0.7,
    "beta2": 0.95,
    "epsilon": 1e-6,
    "batch_size": 32,
    "epochs": 7,
    "patience": 4,
    "hidden_units": [12, 5],
    "activation": "elu",
    "leaky_slope": 0.2,
    "elu_scale": 1.5,
    "maxout_pieces": 3,
    "residual": 1,
    "batch_norm": "after",
    "batch_norm_momentum": 0.8,
    "batch_norm_epsilon": 1e-3,
    "initializer": "glorot",
    "initializer_scale": 0.5,
    "dropout": 0.25,
    "input_dropout": 0.1,
    "dropout_kind": "classic",
    "label_smoothing": 0.2,
    "input_noise": 0.1,
    "mixup": 0.3,
    "l2": 0.001,
    "l1": 0.002,
    "weight_decay": 0.1,
    "max_norm": 3.0,
    "clip_value": 0.5,
    "clip_norm": 1.0,
    "gradient_noise": 0.01,
    "epsilon_root": 1e-9,
    "rms_start": "first_gradient",
    "decay_factor": 0.9,
    "decay_scale": 2.0,
    "decay_every": 3,
    "warmup_epochs": 1.5,
    "change": "3: learning_rate=0.1; 5: dropout=0.5, l1=0",
}


def test_every_hyperparameter_reaches_the_member() -> None:
    got = member_of(TrialSpec(CHOSEN, seed=9, dtype="float64"), 6, 3, "softmax")
    assert got.architecture == Architecture(
        6, (12, 5), 3, "elu", 1.5, "softmax",
        batch_norm="after", norm_epsilon=1e-3, residual=1,
        dropout=(0.25, 0.25), input_dropout=0.1, classic_dropout=True,
    )  # fmt: skip
    assert (got.optimizer, got.initializer, got.decay) == ("rmsprop", "glorot", "inverse_time")
    assert (got.seed, got.patience, got.dtype) == (9, 4, "float64")
    assert got.rms_start == "first_gradient"
    assert got.numbers == {name: CHOSEN[name] for name in NUMBERS}
    assert got.changes == {3: {"learning_rate": 0.1}, 5: {"dropout": 0.5, "l1": 0.0}}
    assert [stage.number("learning_rate") for stage in got.stages()] == [0.02, 0.1, 0.1]
    assert [stage.architecture.dropout[0] for stage in got.stages()] == [0.25, 0.25, 0.5]
    assert [stage.number("l1") for stage in got.stages()] == [0.002, 0.002, 0.0]
    # The engine reads `batch_size` from the specification itself, and a study what it normalizes
    # with at its end; convolutions are for images.
    elsewhere = {"batch_size", "hidden_layers", "leaky_slope", "batch_norm_statistics"}
    images = {name for name in HYPERPARAMETERS if name.startswith(("conv_", "pool"))}
    assert set(CHOSEN) | elsewhere | images == set(HYPERPARAMETERS)


@pytest.mark.parametrize(
    ("activation", "slope"), [("leaky_relu", 0.2), ("elu", 1.5), ("relu", 0.0), ("tanh", 0.0)]
)
def test_the_slope_is_the_activations_own(activation: str, slope: float) -> None:
    spec = TrialSpec({**CHOSEN, "activation": activation}, seed=0)
    assert architecture_of(spec, 6, 1, "squared").slope == slope


def test_pieces_belong_to_maxout() -> None:
    spec = TrialSpec({**CHOSEN, "activation": "maxout", "dropout": [0.5, 0.1]}, seed=0)
    architecture = architecture_of(spec, 6, 1, "squared")
    assert (architecture.pieces, architecture.dropout) == (3, (0.5, 0.1))


def test_no_hidden_layer() -> None:
    spec = TrialSpec({"hidden_layers": 0}, seed=0)
    assert architecture_of(spec, 6, 1, "logistic").hidden == ()
