"""The compiled core: what it offers, what it refuses, and how it stops."""

import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from deepwell import _native
from deepwell._base._errors import UsageError
from deepwell._base._hash import fold, key, permutation, words
from deepwell._native import _core_module
from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._architecture import Architecture
from deepwell.networks._initializers import INITIALIZERS
from deepwell.networks._losses import LOSSES
from deepwell.optimization._decay import DECAYS
from deepwell.optimization._registry import OPTIMIZERS
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import Chunk, Member, Structure, TrainingRows
from deepwell.training._state import initial_state

FOLDER = str(Path(__file__).parent)
ROOT = Path(__file__).parents[2]

NUMBERS = {
    "learning_rate": 0.01, "decay_rate": 0.0, "momentum": 0.9, "beta1": 0.9, "beta2": 0.999,
    "epsilon": 1e-8, "l2": 1e-3,
}  # fmt: skip


def structure(**changes):
    base = {
        "inputs": 5, "hidden": (), "outputs": 3, "loss": "softmax", "activation": "", "batch": 8,
        "optimizer": "", "drops": True, "train_rows": 30, "dev_rows": 20, "steps": 4,
        "score": "error",
    }  # fmt: skip
    return Structure(**{**base, **changes})


def rows(n=30, k=20, d=5, classes=3):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n + k, d)), rng.integers(0, classes, n + k)
    return TrainingRows(x[:n], y[:n], np.ones(n), x[n:], y[n:], np.ones(k))


def network(hidden=(4,), seed=0, dropout=0.2, **changes):
    shape = Architecture(5, hidden, 3, "relu", 0.0, "softmax", dropout=(dropout,) * len(hidden))
    return Member(shape, **{"optimizer": "adam", "initializer": "he", "seed": seed,
                            "numbers": NUMBERS, **changes})  # fmt: skip


def order(steps=3, batch=8, seed=0):
    return np.random.default_rng(seed).integers(0, 31, (steps, batch)).astype(np.int32)


def test_it_has_every_technique_of_the_python_registries():
    families = _core_module.core().techniques()
    assert set(families["activation"]) == set(ACTIVATIONS)
    assert set(families["optimizer"]) == set(OPTIMIZERS)
    assert set(families["loss"]) == set(LOSSES)
    assert list(families["decay"]) == list(DECAYS)


def test_it_says_how_it_runs():
    assert _native.available()
    assert _native.why_not() == ""
    assert _native.simd() in _core_module.core().levels()
    assert _native.cores() == len(os.sched_getaffinity(0))


def test_without_a_core_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(_core_module, "_load", lambda: (None, "this build has no compiled core"))
    assert not _native.available()
    assert "no compiled core" in _native.why_not()
    with pytest.raises(UsageError, match="install a C\\+\\+ compiler"):
        NativeProgram(structure(), rows())


def test_an_unknown_instruction_set_is_refused(monkeypatch):
    monkeypatch.setenv("DEEPWELL_SIMD", "avx1024")
    with pytest.raises(UsageError, match='got "avx1024"'):
        _native.simd()


def test_training_does_not_import_jax():
    program = textwrap.dedent("""
        import sys
        import deepwell.training._native_program, deepwell.training._state
        assert not [m for m in sys.modules if m == "jax" or m.startswith("jax.")]
    """)
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"x_dev": np.zeros((20, 4))}, "same features"),
        ({"y_train": np.zeros(29, int)}, "equally long"),
        ({"weight_dev": np.ones(3)}, "equally long"),
        ({"y_train": np.full(30, 3)}, "class numbers from 0 to 2"),
        ({"y_dev": np.full(20, -1)}, "class numbers from 0 to 2"),
        ({"y_dev": np.full(20, np.nan)}, "class numbers from 0 to 2"),
    ],
)
def test_rows_that_do_not_fit_are_refused(changes, told):
    good = rows()
    given = {name: getattr(good, name) for name in TrainingRows.__dataclass_fields__} | changes
    p = NativeProgram(structure(), TrainingRows(**given))
    with pytest.raises(ValueError, match=told):
        p.load([network()], [initial_state(network())])


def test_members_that_do_not_fit_are_refused():
    p = NativeProgram(structure(), rows(), lanes=1)
    one = network()
    with pytest.raises(ValueError, match="2 members do not fit 1 lanes"):
        p.load([one, one], [initial_state(one)] * 2)
    wide = Member(Architecture(6, (4,), 3, "relu"), "adam", "he", 0, NUMBERS)
    with pytest.raises(ValueError, match="6 inputs"):
        p.load([wide], [initial_state(wide)])
    with pytest.raises(ValueError, match=r"weights/0 .* \(5, 4\), got float32 of \(5, 7\)"):
        p.load([one], [initial_state(network((7,)))])
    with pytest.raises(ValueError, match="got float64"):
        p.load([one], [initial_state(network(dtype="float64"))])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (np.zeros((2, 8)), "int32"),
        (np.zeros(8, np.int32), "\\(steps, B\\)"),
        (np.full((2, 8), -1, np.int32), "rows from 0"),
        (np.zeros((2, 0), np.int32), "at least one row"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(wrong, told):
    session = NativeProgram(structure(), rows()).load([network()], [initial_state(network())])
    with pytest.raises(ValueError, match=told):
        session.advance(Chunk(wrong, 1))


def test_an_index_past_the_rows_holds_no_row():
    p = NativeProgram(structure(), rows())
    one = network(dropout=0.0)
    short, padded = (p.load([one], [initial_state(one)]) for _ in range(2))
    a = short.advance(Chunk(np.arange(5, dtype=np.int32)[None], 1))
    filled = np.array([[0, 1, 2, 3, 4, 30, 2**31 - 1, 30]], np.int32)
    b = padded.advance(Chunk(filled, 1))
    assert a.train_cost[0] == b.train_cost[0]
    for name, array in short.states()[0].items():
        assert array.tobytes() == padded.states()[0][name].tobytes(), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("initializer", list(INITIALIZERS))
def test_the_core_begins_a_member_as_python_does(initializer, dtype):
    members = [
        network((33, 7), seed=seed, initializer=initializer, dtype=dtype, optimizer=optimizer)
        for seed in (-3, 0, 2**63 + 11)
        for optimizer in OPTIMIZERS
    ]
    session = NativeProgram(structure(), rows()).load(members, [None] * len(members))
    for state, one in zip(session.states(), members, strict=True):
        right = initial_state(one)
        assert set(state) == set(right)
        for name, array in right.items():
            assert (state[name].dtype, state[name].shape) == (array.dtype, array.shape), name
            assert state[name].tobytes() == array.tobytes(), name


def test_a_packed_set_of_another_size_is_refused():
    session = NativeProgram(structure(), rows()).load([network()], [None])._core
    with pytest.raises(ValueError, match="set 0 of member 0 holds 39 numbers, got 38"):
        session.write(0, 0, np.zeros(38, np.float32))
    with pytest.raises(ValueError, match="another type than member 0"):
        session.read(0, 0, np.zeros(39))
    with pytest.raises(ValueError, match="there is no set 4"):
        session.read(0, 4, np.zeros(39, np.float32))
    with pytest.raises(ValueError, match="no member 1"):
        session.begin([(1, 0, [1.0, 1.0])], 1)
    with pytest.raises(ValueError, match="has 2 layers, got deviations of 1"):
        session.begin([(0, 0, [1.0])], 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 5])
def test_gradients_of_few_outputs_are_those_of_the_formula(outputs, dtype):
    """By step 0.5 of descent on the squares or the softmax of 37 rows, with weights."""
    rng = np.random.default_rng(outputs)
    n, loss = 37, "squared" if outputs == 1 else "softmax"
    x, weight = rng.normal(size=(n, 5)), rng.uniform(0.5, 2, n)
    y = rng.normal(size=n) if outputs == 1 else rng.integers(0, outputs, n)
    data = TrainingRows(x, y, weight, x, y, weight)
    numbers = {**NUMBERS, "learning_rate": 0.5, "l2": 0.0}
    network_of = Architecture(5, (9,), outputs, "tanh", 0.0, loss)
    one = Member(network_of, "sgd", "he", 1, numbers, dtype=dtype)
    shape = structure(
        outputs=outputs, loss=loss, batch=n, score="rmse" if outputs == 1 else "error"
    )
    start = initial_state(one)
    session = NativeProgram(shape, data).load([one], [start])
    session.advance(Chunk(np.arange(n, dtype=np.int32)[None], 1))
    hidden = np.tanh(x @ start["weights/0"] + start["biases/0"])
    z = hidden @ start["weights/1"] + start["biases/1"]
    if outputs == 1:
        at_outputs = 2 * (z - y[:, None])
    else:
        said = np.exp(z)
        at_outputs = said / said.sum(1)[:, None] - np.eye(outputs)[y]
    at_outputs = at_outputs * (weight / weight.sum())[:, None]
    (end,) = session.states()
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    moved = start["weights/1"] - 0.5 * hidden.T @ at_outputs
    np.testing.assert_allclose(end["weights/1"], moved, atol=tolerance)
    np.testing.assert_allclose(end["biases/1"], -0.5 * at_outputs.sum(0), atol=tolerance)


@pytest.mark.parametrize("n", [0, 1, 2, 341, 70_000])
def test_the_core_shuffles_as_python_does(n):
    parent = fold(key(n), 7)
    out = np.empty(n, np.int32)
    _core_module.core().permutation((int(parent.first), int(parent.second)), out)
    np.testing.assert_array_equal(out, np.argsort(words(parent, (n,)), kind="stable"))
    np.testing.assert_array_equal(out, permutation(parent, n))


def test_no_members_and_no_steps_are_no_error():
    p = NativeProgram(structure(), rows())
    assert p.load([], []).advance(Chunk(order(), 1)).step.shape == (0,)
    one = network()
    session = p.load([one], [initial_state(one)])
    info = session.advance(Chunk(order(steps=0), 1, ends_epoch=False))
    assert not info.moved[0]
    assert np.isnan(info.dev_score[0])


def test_the_number_of_threads_changes_no_bit():
    members = [network((3 + i, 9 - i), seed=i) for i in range(6)]
    outcomes = []
    for threads in (1, 2, 5):
        session = NativeProgram(structure(), rows(), threads=threads).load(
            members, [initial_state(m) for m in members]
        )
        for epoch in (1, 2, 3):
            session.advance(Chunk(order(seed=epoch), epoch))
        outcomes.append(session.states())
    for other in outcomes[1:]:
        for a, b in zip(outcomes[0], other, strict=True):
            assert all(a[name].tobytes() == b[name].tobytes() for name in a)


def test_a_stop_leaves_whole_steps_and_going_on_changes_nothing():
    members = [network((60, 60), seed=i) for i in range(8)]
    long = order(steps=2000)
    p = NativeProgram(structure(), rows())
    through = p.load(members, [initial_state(m) for m in members])
    through.advance(Chunk(long, 1))
    session = p.load(members, [initial_state(m) for m in members])
    info = session.advance(Chunk(long, 1), should_stop=lambda: True)
    states = session.states()
    assert info.step.min() < 2000
    for i, (state, one) in enumerate(zip(states, members, strict=True)):
        assert int(state["step"]) == info.step[i]
        done = int(state["step"])
        scored = np.isfinite(info.dev_score[i])
        assert not scored or done == 2000
        if not scored:
            rest = p.load([one], [state])
            rest.advance(Chunk(long[done:], 1))
            (state,) = rest.states()
        for name, array in through.states()[i].items():
            assert array.tobytes() == state[name].tobytes(), name


def test_a_stop_while_scoring_leaves_it_to_a_call_of_no_steps():
    """Scoring 400,000 rows takes far longer than the 20 ms after which the stop is asked."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400_000, 5)), rng.integers(0, 3, 400_000)
    data = TrainingRows(x[:30], y[:30], np.ones(30), x, y, np.ones(len(y)))
    p = NativeProgram(structure(dev_rows=len(y)), data)
    one, steps = network((300, 300)), order()
    through, session = (p.load([one], [None]) for _ in range(2))
    whole = through.advance(Chunk(steps, 1))
    began = time.perf_counter()
    info = session.advance(Chunk(steps, 1), should_stop=lambda: True)
    assert time.perf_counter() - began < 1.0
    (stopped,) = session.states()
    assert (int(stopped["step"]), int(stopped["epoch"])) == (3, 0)
    assert np.isnan(info.dev_cost[0])
    again = p.load([one], [stopped])
    told = again.advance(Chunk(order(steps=0), 1))
    assert (told.train_cost, told.dev_cost) == (whole.train_cost, whole.dev_cost)
    for name, array in through.states()[0].items():
        assert array.tobytes() == again.states()[0][name].tobytes(), name


def wide_network():
    """A network so large that its optimizer runs after all gradients."""
    return network((1100, 1000), optimizer="sgd", dropout=0.0, dtype="float64")


def test_a_large_network_takes_the_step_of_the_formula():
    one, data, batch = wide_network(), rows(), order(steps=1, batch=300) % 30
    start = initial_state(one)
    session = NativeProgram(structure(), data).load([one], [start])
    session.advance(Chunk(batch, 1))
    values = [data.x_train[batch[0]]]
    for layer in (0, 1, 2):
        z = values[-1] @ start[f"weights/{layer}"] + start[f"biases/{layer}"]
        values.append(np.maximum(z, 0) if layer < 2 else z)
    said = np.exp(values.pop())
    gradient = (said / said.sum(1)[:, None] - np.eye(3)[data.y_train[batch[0]]]) / 300
    (end,) = session.states()
    for layer in (2, 1, 0):
        w = start[f"weights/{layer}"]
        right = w - 0.01 * (values[layer].T @ gradient + NUMBERS["l2"] * w)
        np.testing.assert_allclose(end[f"weights/{layer}"], right, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(end[f"biases/{layer}"], -0.01 * gradient.sum(0), atol=1e-12)
        gradient = gradient @ w.T * (values[layer] > 0)


def test_a_stop_within_a_step_of_a_large_network_changes_nothing():
    one, long = wide_network(), order(steps=400, batch=300)
    p = NativeProgram(structure(), rows())
    session = p.load([one], [initial_state(one)])
    info = session.advance(Chunk(long, 1), should_stop=lambda: True)
    assert info.step[0] < 400
    through = p.load([one], [initial_state(one)])
    through.advance(Chunk(long[: info.step[0]], 1, ends_epoch=False))
    (stopped,), (right,) = session.states(), through.states()
    assert all(stopped[name].tobytes() == right[name].tobytes() for name in right)


INTERRUPTED = """
import signal, sys, time, threading, os
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
import numpy as np
sys.path.insert(0, {folder!r})
from test_native_core import *
p = NativeProgram(structure(), rows())
members = [network((200, 200), seed=i) for i in range(8)]
session = p.load(members, [initial_state(m) for m in members])
sent = []
def send():
    time.sleep(0.2)
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=send).start()
try:
    session.advance(Chunk(np.zeros((100_000, 256), np.int32), 1))
except KeyboardInterrupt:
    took = time.perf_counter() - sent[0]
    steps = [int(s["step"]) for s in session.states()]
    assert 0 < max(steps) < 100_000
    print(took)
"""


def test_ctrl_c_is_answered_at_once():
    """Within 100 ms; other work on the machine may delay one try, hardly each of four."""
    program = INTERRUPTED.format(folder=FOLDER)
    seconds = []
    while len(seconds) < 4 and (not seconds or min(seconds) >= 0.1):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              timeout=60, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        seconds.append(float(done.stdout))
    assert min(seconds) < 0.1, seconds


LEVELS = """
import sys
sys.path.insert(0, {folder!r})
from test_native_core import *
import hashlib
members = [network((33, 7), seed=i, dtype=d) for i, d in enumerate(("float32", "float64"))]
session = NativeProgram(structure(), rows()).load(members, [initial_state(m) for m in members])
for epoch in range(1, 9):
    session.advance(Chunk(order(seed=epoch), epoch))
for state in session.states():
    print(repr(float(state["weights/0"].sum())), repr(float(abs(state["weights/1"]).max())))
"""


def test_all_instruction_sets_agree():
    results = {}
    for level in _core_module.core().levels():
        done = subprocess.run(
            [sys.executable, "-c", LEVELS.format(folder=FOLDER)],
            env={**os.environ, "DEEPWELL_SIMD": level}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        results[level] = np.array([line.split() for line in done.stdout.splitlines()], float)
    first = results.pop("plain")
    for other in results.values():
        np.testing.assert_allclose(other[0], first[0], rtol=1e-3)
        np.testing.assert_allclose(other[1], first[1], rtol=1e-10)


def test_it_installs_without_a_compiler(tmp_path):
    """CMake leaves the core out; Deepwell then trains dense networks in JAX."""
    tools = tmp_path / "bin"
    tools.mkdir()
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for name in ("cmake", "ninja"):
        found = shutil.which(name, path=here)
        if found is None:
            pytest.skip(f"needs {name}")
        (tools / name).symlink_to(found)
    done = subprocess.run(
        [str(tools / "cmake"), "-S", str(ROOT), "-B", str(tmp_path / "build"), "-G", "Ninja"],
        env={"PATH": str(tools)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "No C++ compiler was found" in done.stderr
