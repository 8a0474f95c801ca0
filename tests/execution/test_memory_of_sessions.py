"""What sessions of the native core take, by malloc's own account, beside what was planned."""

import ctypes
import sys
from dataclasses import replace

import numpy as np
import pytest

from deepwell._native._core_module import available
from deepwell.data._batches import epoch_order, view_orders
from deepwell.execution import _native_backend
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._memory_plan import (
    lanes_that_fit,
    native_batches_bytes,
    native_member_bytes,
    native_said_bytes,
    native_worker_bytes,
)
from deepwell.execution._planner import Shape
from deepwell.training import _native_views
from deepwell.training._native_program import KEPT_BYTES
from deepwell.training._native_views import most_sessions
from deepwell.training._program import Chunk, TrainingRows

FIELDS = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


class Account(ctypes.Structure):
    """What glibc says of its malloc, in bytes and numbers of blocks."""

    _fields_ = [(name, ctypes.c_size_t) for name in FIELDS]


def account():
    """Return glibc's own account of its malloc; None where it is another one."""
    asked = getattr(ctypes.CDLL(None), "mallinfo2", None) if sys.platform == "linux" else None
    if asked is not None:
        asked.restype = Account
    return asked


pytestmark = pytest.mark.skipif(
    not available() or account() is None, reason="needs the compiled core and glibc's malloc"
)


def allocated() -> int:
    told = account()()
    return told.uordblks + told.hblkhd


def taken(program, members, order) -> int:
    """Return the bytes of a session that has trained its members, and of a copy of their states."""
    for one in getattr(program, "programs", [program]):
        one.data("float32")
    for _ in range(2):  # the first time, modules are loaded on the way
        before = allocated()
        session = program.load(members, [None] * len(members))
        session.advance(Chunk(order, 1))
        states = session.states()
        bytes_ = allocated() - before
        del session, states
    return bytes_


@pytest.fixture
def two_cores(monkeypatch):
    for module in (_native_backend, _native_views):
        monkeypatch.setattr(module, "cores", lambda: 2)


def make_rows(train: int, dev: int, inputs: int) -> TrainingRows:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(train + dev, inputs)).astype(np.float32)
    y = rng.integers(3, size=train + dev).astype(np.int32)
    w = np.ones(train + dev, np.float32)
    return TrainingRows(x[:train], y[:train], w[:train], x[train:], y[train:], w[train:])


@pytest.mark.usefixtures("two_cores")
def test_folds_take_what_was_planned_for_them(make_spec):
    """Five on two cores are ten sessions, each with a workspace and batches of its own."""
    train, dev, inputs, batch, folds = 2000, 100, 20, 256, 5
    each = [make_rows(train, dev, inputs) for _ in range(folds)]
    shape = Shape(train, dev, inputs, 3, "softmax", "error", views=folds)
    rows = replace(each[0], others=tuple(each[1:]))
    engine = LocalEngine(rows, shape, choose_backend("native"), 40_000_000)
    size = {"hidden_units": [200, 200], "batch_size": batch, "dropout": 0.0}
    specs = {
        n: replace(make_spec(1, "relu", n, **size), fold=n % folds + 1, folds=folds)
        for n in range(60)
    }
    (bucket,) = engine.plan(specs, 1).buckets
    lanes = bucket.options.lanes
    members = [engine._member(specs[n]) for n in range(lanes)]
    order = view_orders(0, 1, [train] * folds, batch)
    program = engine._programs._backend.build(bucket, rows)
    bytes_ = taken(program, members, order)
    lane = native_member_bytes(members[0]) + native_said_bytes(members[0], dev)
    worker = native_worker_bytes(members[0], batch, dev)
    worker += native_batches_bytes(members[0], batch, len(order[0]))
    assert most_sessions(folds, 2) == 10
    assert 10 < lanes < 30
    planned = lanes * lane + 10 * worker
    assert 0.9 * planned < bytes_ < 1.02 * planned
    assert bytes_ < engine.machine.memory < planned + lane
    engine.close()


LARGE = {"hidden_units": [1040, 1000]}  # above a million parameters, whose gradients are summed
NORMED = {"hidden_units": [300, 300], "batch_norm": "before", "batch_size": 600}


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize(
    ("inputs", "train", "changes", "least"),
    [
        (20, 2560, {"hidden_units": [300, 300]}, 0.85),
        (20, 512, LARGE, 0.85),
        (2000, 256, {"hidden_units": [8], "input_noise": 0.1}, 0.85),
        (20, 2560, NORMED, 0.6),  # room for dropout and skip connections is counted with it
    ],
)
def test_one_session_takes_what_was_planned_for_it(inputs, train, changes, least, make_spec):
    rows, dev = make_rows(train, 50, inputs), 50
    shape = Shape(train, dev, inputs, 3, "softmax", "error")
    engine = LocalEngine(rows, shape, choose_backend("native"))
    spec = make_spec(1, "relu", 0, **{"batch_size": 256, "dropout": 0.0, **changes})
    member, batch = engine._member(spec), spec.whole("batch_size")
    order = epoch_order(0, 1, train, batch)
    (bucket,) = engine.plan({0: spec}, 1).buckets
    bytes_ = taken(engine._programs._backend.build(bucket, rows), [member], order)
    planned = native_member_bytes(member) + native_worker_bytes(member, batch, dev)
    planned += native_batches_bytes(member, batch, len(order)) + native_said_bytes(member, dev)
    assert least * planned < bytes_ < 1.03 * planned
    engine.close()


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("views", [1, 2, 5, 6, 10])
def test_no_choice_of_folds_has_more_sessions_than_were_counted(views, threads, make_spec):
    """The pieces of a fold depend on how many folds have a member."""
    rows = make_rows(4, 4, 2)
    several = replace(rows, others=(rows,) * (views - 1))
    shape = Shape(4, 4, 2, 3, "softmax", "error", views=views)
    engine = LocalEngine(several, shape, choose_backend("native"))
    spec = make_spec(2, "relu", 0)
    program = _native_views.NativeViewsProgram(
        engine.plan({0: spec}, 1).buckets[0].structure, several, threads=threads
    )
    member = engine._member(spec)
    counted = []
    for some in range(1, views + 1):
        members = [replace(member, view=n % some) for n in range(some * threads)]
        session = program.load(members, [None] * len(members))
        counted.append(len(session._parts))
    assert max(counted) == most_sessions(views, threads)
    engine.close()


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("memory", [40_000_000, 100_000_000, 10**9])
def test_outputs_that_sessions_keep_are_planned_within_their_bound(memory, make_spec):
    dev = 500_000
    rows = make_rows(16, 16, 2)
    shape = Shape(16, dev, 2, 3, "softmax", "error")
    backend = choose_backend("native")
    engine = LocalEngine(rows, shape, backend)
    backend.machine = replace(backend.machine, memory=memory)
    specs = {n: make_spec(4, "relu", n) for n in range(300)}
    (bucket,) = backend.plan(
        {n: engine._member(spec) for n, spec in specs.items()}, dict.fromkeys(specs, 16), 1, shape
    ).buckets
    member = engine._member(specs[0])
    lane, said = native_member_bytes(member), native_said_bytes(member, dev)
    worker = native_worker_bytes(member, 16, dev)

    def total(lanes: int) -> int:
        return lanes * lane + min(lanes, 2) * worker + min(lanes * said, KEPT_BYTES)

    assert said == 4 * 3 * dev
    fitting = [n for n in range(1, 257) if total(n) <= memory]
    assert bucket.options.lanes == max(fitting)
    assert lanes_that_fit(-1, lane, worker, 2, 256) == 1
    engine.close()
