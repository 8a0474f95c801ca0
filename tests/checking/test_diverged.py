"""Which operation made a network diverge: planted in every pass, in both programs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from deepwell._native._core_module import available, why_not
from deepwell.checking._diverged import first_non_finite
from deepwell.checking._rerun import Rerun
from deepwell.checking._training_pass import LOSS, batch_of, training_pass
from deepwell.data._batches import epoch_order, view_orders
from deepwell.networks._architecture import Architecture
from deepwell.networks._convolutions import Convolutions
from deepwell.training._native_program import NativeProgram
from deepwell.training._native_views import NativeViewsProgram
from deepwell.training._program import (
    Chunk,
    Member,
    Outcome,
    ProgramOptions,
    Structure,
    TrainingRows,
)
from deepwell.training._state import initial_state

TRAIN, DEV, INPUTS, BATCH = 40, 20, 3, 16
NETWORK = Architecture(INPUTS, (5, 4), 1, "relu", loss="squared")


def make_rows(seed: int = 0, scale_dev: float = 1.0, loss: str = "squared") -> TrainingRows:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(TRAIN + DEV, INPUTS)).astype(np.float32)
    y = np.sin(x[:, 0]).astype(np.float32)
    if loss != "squared":
        y = (y > 0).astype(np.int32)
    weight = rng.uniform(0.5, 1.5, TRAIN + DEV).astype(np.float32)
    x[TRAIN:] *= scale_dev
    return TrainingRows(x[:TRAIN], y[:TRAIN], weight[:TRAIN], x[TRAIN:], y[TRAIN:], weight[TRAIN:])


def make_structure(network: Architecture, native: bool, optimizer: str = "sgd") -> Structure:
    return Structure(
        inputs=INPUTS if network.front is None else network.front.inputs,
        hidden=() if native else network.hidden,
        outputs=network.outputs,
        loss=network.loss,
        activation="" if native else network.activation,
        optimizer="" if native else optimizer,
        batch=BATCH,
        drops=True,
        train_rows=TRAIN + 1,
        dev_rows=DEV,
        steps=3,
        score="rmse" if network.loss == "squared" else "error",
        batch_norm="none" if native else network.batch_norm,
        front=network.front,
    )


def make_rerun(
    native: bool = True,
    network: Architecture = NETWORK,
    optimizer: str = "sgd",
    change=None,
    rows: TrainingRows | None = None,
    epochs: int = 30,
    **numbers: float,
) -> Rerun:
    rows = rows or make_rows(loss=network.loss)
    structure = make_structure(network, native, optimizer)
    if native:
        if not available():
            pytest.skip(why_not())
        program = NativeProgram(structure, rows)
    else:
        from deepwell.training._jax_program import JaxProgram

        program = JaxProgram(structure, rows, ProgramOptions(lanes=1))
    member = Member(network, optimizer, "he", 3, {"learning_rate": 0.01, **numbers})
    state = None
    if change is not None:
        state = initial_state(member)
        for name, values in change.items():
            state[name] = np.full_like(state[name], values)
    return Rerun(program, member, rows, lambda epoch: epoch_order(0, epoch, TRAIN, BATCH),
                 epochs, state)  # fmt: skip


def changed(**options) -> Architecture:
    from dataclasses import replace

    return replace(NETWORK, **options)


# name: options of `make_rerun`, pass, operation, layer
PLANTED = {
    "sums of hidden 2": (
        {"change": {"weights/0": 1e20, "weights/1": 1e25}},
        ("forward", "weighted sums", "hidden 2"),
    ),
    "sums of the output": (
        {"change": {"weights/0": 1e20, "weights/1": 1.0, "weights/2": 1e25}},
        ("forward", "weighted sums", "output"),
    ),
    "activation": (
        {"network": changed(activation="elu", slope=1e39)},
        ("forward", "elu", "hidden 1"),
    ),
    "batch norm": (
        {"network": changed(batch_norm="before"), "change": {"scales/1": 3e38}},
        ("forward", "batch normalization", "hidden 2"),
    ),
    "dropout": (
        {
            "network": changed(dropout=(0.0, 0.9)),
            "change": {"weights/1": 0.0, "biases/1": 1e38},
        },
        ("forward", "dropout", "hidden 2"),
    ),
    "skip connection": (
        {
            "network": Architecture(INPUTS, (4, 4), 1, "relu", loss="squared", residual=1),
            "change": {"biases/0": 3e38, "weights/1": 0.0, "biases/1": 3e38, "weights/2": 0.0},
        },
        ("forward", "skip connection", "hidden 2"),
    ),
    "loss": (
        {"change": {"biases/2": 1e25}},
        ("forward", "loss", ""),
    ),
    "an infinity that tanh swallows is not blamed": (
        {
            "network": changed(activation="tanh"),
            "change": {"weights/0": 1e38, "biases/0": 3e38, "biases/1": 5.0, "weights/2": 3e38},
        },
        ("forward", "weighted sums", "output"),
    ),
    "gradient": (
        {"change": {"weights/0": 1e-12, "weights/1": 1e6, "weights/2": 1e20, "biases/2": 1e15}},
        ("backward", "gradient of the weights", "hidden 1"),
    ),
    "penalty": (
        {"change": {"weights/0": 20.0}, "l2": 1e38},
        ("update", "penalty", "hidden 1"),
    ),
    "update": (
        {"change": {"biases/2": 1e9}, "learning_rate": 1e30},
        ("update", "update by sgd", "output"),
    ),
    "update by velocity": (
        {
            "optimizer": "velocity",
            "change": {"velocity/weights/1": 3e38, "biases/2": -1e2},
            "momentum": 1.5,
        },
        ("update", "update by velocity", "hidden 2"),
    ),
    "decay of the weights": (
        {"change": {"weights/1": 1e10}, "learning_rate": 1e-6, "weight_decay": 1e38},
        ("update", "weights after the update", "hidden 2"),
    ),
    "rows of the dev set": (
        {
            "network": changed(activation="identity"),
            "rows": make_rows(scale_dev=1e30),
            "change": {"weights/0": 1e10},
            "learning_rate": 1e-30,
        },
        ("forward", "weighted sums on the dev rows", "hidden 1"),
    ),
}


@pytest.mark.parametrize("case", PLANTED.values(), ids=PLANTED)
def test_the_planted_operation_is_blamed(case) -> None:
    options, blamed = case
    found = first_non_finite(make_rerun(**options))
    assert found is not None
    assert (found.direction, found.operation, found.layer) == blamed, found
    assert found.epoch == 1
    assert found.step == (3 if "dev rows" in found.operation else 1)


@pytest.mark.parametrize("name", ["sums of hidden 2", "gradient", "update", "penalty", "loss"])
def test_the_jax_program_is_blamed_alike(name: str) -> None:
    options, blamed = PLANTED[name]
    found = first_non_finite(make_rerun(native=False, **options))
    assert found is not None
    assert (found.direction, found.operation, found.layer) == blamed, found


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop"])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_a_rate_that_is_far_too_high(optimizer: str, loss: str) -> None:
    """The step is the one that an ordinary training stops at, or an earlier one that hid it."""
    network = changed(loss=loss)
    rerun = make_rerun(network=network, optimizer=optimizer, learning_rate=1e12, epochs=60)
    session = rerun.program.load([rerun.member], [None])
    diverged = None
    for epoch in range(1, 61):
        info = session.advance(Chunk(rerun.order(epoch), epoch))
        if info.outcome[0] == Outcome.DIVERGED:
            diverged = int(info.step[0])
            break
    found = first_non_finite(rerun)
    assert (found is None) == (diverged is None)
    if found is None:
        return
    assert found.step <= diverged
    assert found.epoch == (found.step - 1) // 3 + 1
    assert found.steps[-1] == found.step - 1
    assert all(np.isfinite(found.weight_norms).ravel())
    grew = [norms[-1] / norms[0] for norms in found.weight_norms]
    assert len(found.steps) == 1 or max(grew) > 1e3
    assert "norm of the weights of" in found.detail


@pytest.mark.parametrize("program", ["native", "jax"])
def test_a_learning_rate_above_the_limit_of_a_linear_network_doubles_its_way_to_infinity(
    program: str,
) -> None:
    linear = Architecture(INPUTS, (), 1, "relu", loss="squared")
    found = first_non_finite(make_rerun(program == "native", linear, learning_rate=3.0, epochs=200))
    assert found is not None
    assert found.layers == ("output",)
    assert found.operation in ("loss", LOSS)  # a square overflows long before the weights do
    norms = np.array(found.weight_norms[0])
    assert (norms[1:] > norms[:-1]).all()
    assert 1e17 < norms[-1] < 1e21


def test_a_healthy_network_and_one_that_stops_early_have_nothing_to_tell() -> None:
    assert first_non_finite(make_rerun(epochs=5)) is None


def test_a_member_of_a_further_view() -> None:
    from dataclasses import replace

    first, second = make_rows(0), make_rows(1)
    rows = replace(first, others=(replace(second, x_train=second.x_train * 1e30),))
    rerun = make_rerun(network=changed(activation="identity"), change={"weights/0": 1e10},
                       learning_rate=1e-30)  # fmt: skip
    program = NativeViewsProgram(rerun.program.structure, rows, threads=1)
    order = lambda epoch: view_orders(0, epoch, [TRAIN, TRAIN], BATCH)  # noqa: E731
    for view, told in [(0, None), (1, "weighted sums")]:
        member = replace(rerun.member, view=view)
        found = first_non_finite(replace(rerun, program=program, rows=rows, member=member,
                                         order=order, epochs=1))  # fmt: skip
        assert (found and found.operation) == told


def test_streamed_rows() -> None:
    from dataclasses import replace

    rerun = make_rerun(change={"biases/2": 1e9}, learning_rate=1e30)
    rows = replace(rerun.rows, streamed=True)
    program = NativeProgram(replace(rerun.program.structure, train_rows=3 * BATCH + 1), rows)
    found = first_non_finite(replace(rerun, program=program, rows=rows))
    assert found is not None
    assert found.operation == "update by sgd"


def test_convolutional_networks() -> None:
    front = Convolutions((4, 4, 1), (2,), pool=2)
    network = Architecture(16, (3,), 1, "relu", loss="squared", front=front)
    rng = np.random.default_rng(0)
    rows = make_rows()
    from dataclasses import replace

    rows = replace(rows, x_train=rng.normal(size=(TRAIN, 16)).astype(np.float32),
                   x_dev=rng.normal(size=(DEV, 16)).astype(np.float32))  # fmt: skip
    rerun = make_rerun(False, network, rows=rows, change={"kernels/0": 3e38})
    found = first_non_finite(rerun)
    assert found is not None
    assert (found.operation, found.layer) == ("weighted sums", "convolution 1")
    assert found.layers == ("convolution 1", "hidden 1", "output")
    state = {**initial_state(rerun.member)}
    state["biases/1"] = np.full_like(state["biases/1"], 1e9)
    rerun = replace(rerun, state=state)
    fast = replace(rerun, member=replace(rerun.member, numbers={"learning_rate": 1e30}))
    told = first_non_finite(fast, may_compile=False)
    assert told is not None
    assert told.operation == "gradient or update"
    found = first_non_finite(fast)
    assert found is not None
    assert (found.direction, found.operation) == ("update", "update by sgd")


def test_the_forward_pass_is_the_programs_own() -> None:
    """Mean loss of the step in NumPy against the program's, with all that changes rows on."""
    network = Architecture(
        INPUTS, (6, 5), 3, "gelu", loss="softmax", batch_norm="after", residual=1,
        dropout=(0.3, 0.2), input_dropout=0.1,
    )  # fmt: skip
    rows = make_rows()
    from dataclasses import replace

    y = np.digitize(rows.y_train, [-0.5, 0.5]).astype(np.int32)
    rows = replace(rows, y_train=y, y_dev=np.digitize(rows.y_dev, [-0.5, 0.5]).astype(np.int32))
    structure = make_structure(network, native=True)
    program = NativeProgram(structure, rows)
    numbers = {"learning_rate": 0.1, "mixup": 0.4, "input_noise": 0.2, "label_smoothing": 0.1}
    member = Member(network, "sgd", "he", 11, numbers, dtype="float64")
    state = initial_state(member)
    order = epoch_order(0, 1, TRAIN, BATCH)
    session = program.load([member], [state])
    for step in range(3):
        before = session.states()[0]
        session.advance(Chunk(order[step : step + 1], 1, ends_epoch=False))
        after = session.states()[0]
        weight = after["weight_sum"] - before["weight_sum"]
        cost = (after["cost_sum"] - before["cost_sum"]) / weight
        done = list(training_pass(member, before, batch_of(rows, order[step], "float64"), step + 1))
        assert done[-1].operation == LOSS
        assert done[-1].output == pytest.approx(cost, rel=1e-9)


def test_the_native_program_needs_no_jax() -> None:
    code = (
        "import sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import test_diverged as t\n"
        "found = t.first_non_finite(t.make_rerun(change={'biases/2': 1e9}, learning_rate=1e30))\n"
        "assert found.operation == 'update by sgd', found\n"
        "assert 'jax' not in sys.modules\n"
    )
    if not available():
        pytest.skip(why_not())
    folder = __file__.rpartition("/")[0]
    subprocess.run([sys.executable, "-c", code, folder], check=True)
