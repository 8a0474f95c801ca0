"""Programs that several tests share: compiling is what takes the time."""

import dataclasses
import functools

import numpy as np
import pytest

from deepwell._jax._start import start
from deepwell._native._core_module import available, why_not
from deepwell.data._batches import epoch_order
from deepwell.training._jax_program import JaxProgram
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import (
    EXTRAS,
    Chunk,
    Member,
    ProgramOptions,
    Structure,
    TrainingRows,
)
from deepwell.training._state import initial_state

start()
TRAIN, DEV, INPUTS, BATCH = 70, 40, 6, 16


def rows_for(loss, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(TRAIN + DEV, INPUTS))
    signal = x[:, 0] * x[:, 1] + np.sin(x[:, 2])
    if loss == "squared":
        y = (signal - signal.mean()) / signal.std()
    elif loss == "logistic":
        y = (signal > 0).astype(np.int32)
    else:
        y = np.digitize(signal, [-0.5, 0.5]).astype(np.int32)
    weight = rng.uniform(0.5, 1.5, TRAIN + DEV)
    return TrainingRows(x[:TRAIN], y[:TRAIN], weight[:TRAIN], x[TRAIN:], y[TRAIN:], weight[TRAIN:])


def make_structure(**changes):
    base = {
        "inputs": INPUTS,
        "hidden": (8, 8),
        "outputs": 3,
        "loss": "softmax",
        "activation": "tanh",
        "optimizer": "adam",
        "batch": BATCH,
        "drops": True,
        "train_rows": TRAIN + 2,
        "dev_rows": DEV,
        "steps": 8,
        "score": "error",
        "dtype": "float64",
    }
    base["pieces"] = 3 if changes.get("activation") == "maxout" else 1
    return Structure(**{**base, **changes})


# What the conformance tests switch on, beside the defaults of `make_structure` and `make_member`:
# changes of the structure, true widths, changes of the member.
TECHNIQUES = {
    "maxout": ({"activation": "maxout"}, {}),
    "batch_norm_before": ({"batch_norm": "before"}, {}),
    "batch_norm_after": ({"batch_norm": "after"}, {"norm_epsilon": 1e-3}),
    "maxout_normed_before": ({"batch_norm": "before", "activation": "maxout"}, {}),
    "sigmoid_normed_after": ({"batch_norm": "after", "activation": "sigmoid"}, {}),
    "residual": ({"residual": 1}, {}),
    "residual_relu": ({"residual": 2, "activation": "relu"}, {}),
    "rates_by_layer": ({}, {"dropout": (0.5, 0.0, 0.2)}),
    "dropout_of_inputs": ({"drops_inputs": True}, {"input_dropout": 0.25}),
    "classic_dropout": ({"drops_inputs": True}, {"input_dropout": 0.25, "classic_dropout": True}),
    "label_smoothing": ({"smooths": True}, {"label_smoothing": 0.1}),
    "normed_clipped_noisy": (
        {"batch_norm": "before", "activation": "maxout", "extras": EXTRAS},
        {"l1": 1e-3, "clip_value": 0.5, "clip_norm": 0.3, "gradient_noise": 0.01, "max_norm": 1.5},
    ),
    "all_at_once": (
        {
            "activation": "maxout",
            "batch_norm": "before",
            "residual": 1,
            "drops_inputs": True,
            "smooths": True,
        },
        {"dropout": (0.5, 0.1, 0.3), "input_dropout": 0.1, "label_smoothing": 0.2},
    ),
}


@pytest.fixture
def techniques():
    return TECHNIQUES


@pytest.fixture(params=TECHNIQUES)
def technique(request):
    """Each technique of dense networks in turn: changes of the structure, and of the member."""
    shaping, numbers = TECHNIQUES[request.param]
    return dict(shaping), dict(numbers)


# Each compiled program holds memory maps, of which a process may have 65,530.
@functools.lru_cache(maxsize=48)
def make_program(structure, lanes=5):
    return JaxProgram(structure, rows_for(structure.loss), ProgramOptions(lanes=lanes))


@functools.cache
def make_native(structure, lanes=16):
    if not available():
        pytest.skip(why_not())
    return NativeProgram(structure, rows_for(structure.loss), lanes=lanes)


def make_member(structure, hidden=None, seed=0, **numbers):
    base = {
        "learning_rate": 0.01,
        "decay_rate": 0.0,
        "momentum": 0.9,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "l2": 1e-3,
    }
    named = ("decay", "patience", "initializer", "rms_start")
    options = {k: numbers.pop(k) for k in named if k in numbers}
    hidden = structure.hidden if hidden is None else hidden
    rates = numbers.pop("dropout", 0.3 if structure.drops else 0.0)
    own = ("slope", "norm_epsilon", "input_dropout", "classic_dropout")
    network = {k: numbers.pop(k) for k in own if k in numbers}
    architecture = dataclasses.replace(
        structure.network,
        inputs=INPUTS,
        hidden=hidden,
        dropout=rates if isinstance(rates, tuple) else (rates,) * len(hidden),
        **{"slope": 0.1, **network},
    )
    return Member(
        architecture,
        structure.optimizer,
        options.get("initializer", "he"),
        seed,
        {**base, **numbers},
        decay=options.get("decay", "constant"),
        patience=options.get("patience", 0),
        rms_start=options.get("rms_start", "zero"),
        dtype=structure.dtype,
    )


def train(program, members, epochs=5, states=None, first_epoch=1):
    states = [initial_state(m) for m in members] if states is None else states
    session = program.load(members, states)
    infos = []
    for epoch in range(first_epoch, first_epoch + epochs):
        order = epoch_order(3, epoch, TRAIN, program.structure.batch)
        infos.append(session.advance(Chunk(order, epoch)))
    return session.states(), infos


@pytest.fixture
def structure():
    return make_structure


@pytest.fixture
def program():
    return make_program


@pytest.fixture
def native():
    return make_native


@pytest.fixture(params=["jax", "native"])
def every_program(request):
    """Each kind of program in turn: what a test of the contract asks for."""
    return {"jax": make_program, "native": make_native}[request.param]


@pytest.fixture
def member():
    return make_member


@pytest.fixture
def trained():
    return train


@pytest.fixture
def rows():
    return rows_for
