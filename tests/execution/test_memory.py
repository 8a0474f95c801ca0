"""A memory budget bounds what is in flight, and a lack of memory shrinks it."""

from dataclasses import replace

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell._native._core_module import available
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import member_of
from deepwell.execution._memory_plan import (
    check_room,
    lanes_that_fit,
    native_member_bytes,
    native_worker_bytes,
    share_out,
)
from deepwell.execution._planner import Shape
from deepwell.execution._programs import Programs
from deepwell.execution._recovery import out_of_memory
from deepwell.records import Status
from deepwell.training._state import initial_state

needs_core = pytest.mark.skipif(not available(), reason="the native program needs its core")
SHAPE = Shape(70, 40, 5, 3, "softmax", "error")


def collected(engine, specs, until=4):
    engine.prepare(specs, engine.plan(specs, until))
    records = list(engine.train(list(specs), until, lambda: False))
    weights = {
        (n, name): array.tobytes()
        for n in specs
        for name, array in engine.best_parameters(n).items()
    }
    curves = {
        (record.epoch, int(n)): float(score)
        for record in records
        for n, score in zip(record.trials, record.metrics["dev_score"], strict=True)
    }
    assert len(curves) == sum(len(record.trials) for record in records), "an epoch is told twice"
    return weights, curves


@pytest.mark.parametrize("name", [pytest.param("native", marks=needs_core), "jax"])
def test_streamed_rows_and_spilled_states_change_no_bit(name, data, trials):
    whole = LocalEngine(data, SHAPE, choose_backend(name))
    expected = collected(whole, trials)
    streamed = replace(data, streamed=True)
    shape = replace(SHAPE, window_rows=33)
    engine = LocalEngine(streamed, shape, choose_backend(name))
    engine._states._room = 0  # whatever waits goes to the file
    assert collected(engine, trials) == expected
    assert engine._states.spilled > 0
    assert {b.structure.steps for b in engine._programs.buckets} == {2}
    whole.close()
    engine.close()


class _Scarce:
    """A program in which more than so many members run out of memory at a given call."""

    def __init__(self, program, most, error, calls, readable=False):
        self._program, self._most, self._error, self._calls = program, most, error, calls
        self._readable = readable
        self.structure, self.lanes = program.structure, program.lanes
        self.compile_seconds = 0.0

    def load(self, members, states):
        session = self._program.load(members, states)
        if len(members) <= self._most:
            return session
        if self._calls == 0:
            raise self._error
        return _ScarceSession(session, self._error, self._calls, self._readable)


class _ScarceSession:
    def __init__(self, session, error, calls, readable):
        self._session, self._error, self._left = session, error, calls
        self._readable = readable

    def advance(self, chunk, should_stop=None):
        self._left -= 1
        if self._left == 0:
            raise self._error
        return self._session.advance(chunk, should_stop)

    def read(self):
        if not self._readable:
            raise self._error
        return self._session.read()


class _Late(_Scarce):
    """The same, but memory runs out when the call has moved and scored its members."""

    def load(self, members, states):
        session = super().load(members, states)
        return _LateSession(session) if isinstance(session, _ScarceSession) else session


class _LateSession:
    def __init__(self, session):
        self._session = session

    def advance(self, chunk, should_stop=None):
        if self._session._left == 1:
            self._session._session.advance(chunk, should_stop)
        return self._session.advance(chunk, should_stop)

    def read(self):
        return self._session.read()


class JaxRuntimeError(RuntimeError):
    """Named as JAX names its errors."""


ERRORS = [
    MemoryError("std::bad_alloc"),
    JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 123 bytes."),
]


@needs_core
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("calls", [0, 1, 3])  # at load, in the first epoch, in the third
@pytest.mark.parametrize("readable", [False, True])  # how far the members came
def test_a_lack_of_memory_halves_the_lanes_and_changes_no_bit(
    error, calls, readable, data, trials, monkeypatch
):
    plain = LocalEngine(data, SHAPE, choose_backend("native"))
    expected = collected(plain, trials)
    engine = LocalEngine(data, SHAPE, choose_backend("native"))
    build = engine._programs._backend.build
    monkeypatch.setattr(
        engine._programs._backend,
        "build",
        lambda b, rows: _Scarce(build(b, rows), 2, error, calls, readable),
    )
    assert collected(engine, trials) == expected
    (shortage,) = engine.take_shortages()
    assert (shortage.before, shortage.after, shortage.epoch) == (5, 2, max(1, calls))
    assert engine.take_shortages() == []
    plain.close()
    engine.close()


@needs_core
@pytest.mark.parametrize("error", ERRORS)
def test_a_lack_of_memory_while_a_program_is_built_halves_its_lanes_and_changes_no_bit(
    error, data, trials, monkeypatch
):
    plain = LocalEngine(data, SHAPE, choose_backend("native"))
    expected = collected(plain, trials)
    engine = LocalEngine(data, SHAPE, choose_backend("native"))
    build = engine._programs._backend.build

    def scarce(bucket, rows):
        if bucket.options.lanes > 2:
            raise error
        return build(bucket, rows)

    monkeypatch.setattr(engine._programs._backend, "build", scarce)
    assert collected(engine, trials) == expected
    told = [(s.before, s.after, s.epoch) for s in engine.take_shortages()]
    assert told == [(6, 4, 1), (4, 2, 1)]
    plain.close()
    engine.close()


@needs_core
def test_a_lack_of_memory_while_a_narrower_program_is_built_is_no_end(data, trials, monkeypatch):
    plain = LocalEngine(data, SHAPE, choose_backend("native"))
    expected = collected(plain, trials)
    engine = LocalEngine(data, SHAPE, choose_backend("native"))
    build, built = engine._programs._backend.build, []

    def scarce(bucket, rows):
        built.append(bucket.options.lanes)
        if len(built) == 2:
            raise MemoryError
        return _Scarce(build(bucket, rows), 2, MemoryError(), 2)

    monkeypatch.setattr(engine._programs._backend, "build", scarce)
    assert collected(engine, trials) == expected
    assert [(s.before, s.after, s.epoch) for s in engine.take_shortages()] == [(5, 2, 2), (2, 1, 2)]
    assert built[1:] == [2, 1]
    plain.close()
    engine.close()


@needs_core
def test_trials_whose_program_cannot_be_built_fail_and_the_others_go_on(
    data, trials, make_spec, monkeypatch
):
    engine = LocalEngine(data, SHAPE, choose_backend("native"))
    build = engine._programs._backend.build

    def scarce(bucket, rows):
        if bucket.structure.batch == 16:
            raise MemoryError
        return build(bucket, rows)

    monkeypatch.setattr(engine._programs._backend, "build", scarce)
    specs = {**trials, 30: make_spec(5, "relu", 0, batch_size=32)}
    engine.prepare(specs, engine.plan(specs, 4))
    records = list(engine.train(list(specs), 4, lambda: False))
    statuses = {n: s for record in records for n, s in record.statuses.items()}
    assert {n for n, s in statuses.items() if s is Status.FAILED} == set(trials)
    assert [r.epoch for r in records if 30 in r.trials] == [1, 2, 3, 4]
    alone = [s for s in engine.take_shortages() if s.after == 0]
    assert [(s.before, s.epoch) for s in alone] == [(1, 1)] * len(trials)
    assert all(engine.program_of(n) is None for n in trials)
    assert list(engine.train(list(specs), 4, lambda: False)) == []
    engine.close()


@needs_core
@pytest.mark.parametrize("calls", [1, 2, 3, 4])  # the epoch that nobody hears of
def test_what_ended_in_a_call_that_ran_out_of_memory_is_told(calls, data, make_spec, monkeypatch):
    specs = {
        0: make_spec(5, "relu", 0, epochs=4),
        1: make_spec(6, "tanh", 1, epochs=3),
        2: make_spec(7, "relu", 2, epochs=4, learning_rate=1e-30, patience=2),  # stops at 3
        3: make_spec(8, "relu", 3, epochs=4, learning_rate=1e30),  # diverges in epoch 1
        4: make_spec(8, "tanh", 4, epochs=4, learning_rate=0.1),
    }

    def told(engine):
        engine.prepare(specs, engine.plan(specs, 4))
        records = list(engine.train(list(specs), 4, lambda: False))
        told = [
            (int(n), r.epoch, int(r.steps[i]), *(v[i].tobytes() for v in r.metrics.values()))
            for r in records
            for i, n in enumerate(r.trials)
        ]
        statuses = [(r.epoch, n, s) for r in records for n, s in r.statuses.items()]
        engine.close()
        return sorted(told), sorted(statuses, key=str)

    expected = told(LocalEngine(data, SHAPE, choose_backend("native")))
    ends = {(n, s) for _, n, s in expected[1] if s is not Status.RUNNING}
    assert ends == {(2, Status.EARLY_STOPPED), (3, Status.DIVERGED)}
    engine = LocalEngine(data, SHAPE, choose_backend("native"))
    build = engine._programs._backend.build
    monkeypatch.setattr(
        engine._programs._backend,
        "build",
        lambda b, rows: _Late(build(b, rows), 2, MemoryError(), calls, readable=True),
    )
    assert told(engine) == expected
    assert [s.after for s in engine.take_shortages()] == [2]


@needs_core
def test_a_member_that_does_not_fit_alone_fails_and_the_others_go_on(data, trials, monkeypatch):
    plain = LocalEngine(data, SHAPE, choose_backend("native"))
    expected, _ = collected(plain, trials)
    engine = LocalEngine(data, SHAPE, choose_backend("native"))
    build = engine._programs._backend.build

    class Selective(_Scarce):
        def load(self, members, states):
            if any(m.seed == 3 for m in members):
                raise MemoryError
            return self._program.load(members, states)

    monkeypatch.setattr(
        engine._programs._backend, "build", lambda b, rows: Selective(build(b, rows), 0, None, 0)
    )
    engine.prepare(trials, engine.plan(trials, 4))
    records = list(engine.train(list(trials), 4, lambda: False))
    statuses = {n: s for record in records for n, s in record.statuses.items()}
    assert [n for n, s in statuses.items() if s is Status.FAILED] == [23]
    assert [s.after for s in engine.take_shortages()][-1] == 0
    for number in set(trials) - {23}:
        for name, array in engine.best_parameters(number).items():
            assert array.tobytes() == expected[number, name]
    assert list(engine.train([23], 4, lambda: False)) == []
    plain.close()
    engine.close()


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    assert all(out_of_memory(error) for error in ERRORS)
    assert not out_of_memory(JaxRuntimeError("INVALID_ARGUMENT: shapes"))
    assert not out_of_memory(RuntimeError("RESOURCE_EXHAUSTED"))
    assert not out_of_memory(KeyboardInterrupt())


def test_shares_of_a_budget_add_up_to_it(data):
    each = 4 * (5 + 2)
    for budget in (32_000_000, 10**9):
        plan = share_out(budget, data, copies=2)
        assert not plan.rows.streamed
        assert plan.window_rows == 0
        assert plan.in_flight + plan.waiting < budget
        assert plan.in_flight > budget // 3
    large = replace(data, x_train=np.lib.stride_tricks.as_strided(
        data.x_train, (10**6, 5), (0, 4)), y_train=np.zeros(10**6, np.int32))  # fmt: skip
    plan = share_out(100_000_000, large, copies=2)
    assert plan.rows.streamed
    assert plan.window_rows * each * 3 + plan.in_flight + plan.waiting < 100_000_000
    with pytest.raises(UsageError, match=r"does not hold the 40 dev rows .* 1,000,000 train rows"):
        share_out(30_000_000, large, copies=0)


def test_no_room_for_one_member_is_a_sentence():
    check_room(150, needed=150, parameters=123_456)
    with pytest.raises(UsageError, match="one of 123,456 parameters needs"):
        check_room(149, needed=150, parameters=123_456)


def test_as_many_lanes_as_fit_with_a_workspace_for_each_thread_that_has_a_member():
    for in_flight in (149, 150, 299, 300, 450, 500, 1000, 10**9):
        for workers in (1, 2, 3, 16):
            fitting = [
                lanes
                for lanes in range(1, 257)
                if lanes * 100 + min(lanes, workers) * 50 <= in_flight
            ]
            lanes = lanes_that_fit(in_flight, 100, worker=50, workers=workers, most=256)
            assert lanes == max(fitting, default=1)


def needed(engine, spec):
    """Return what a network needs in flight: its own bytes, and one thread's workspace."""
    member = engine._member(spec)
    workspace = native_worker_bytes(member, spec.whole("batch_size"), SHAPE.dev_rows)
    return native_member_bytes(member), workspace


@needs_core
def test_a_later_round_of_larger_networks_trains_fewer_at_once(data, make_spec):
    """The core's programs hold networks of any size: the budget bounds the largest of all."""
    budget = 24_000_000
    engine = LocalEngine(data, SHAPE, choose_backend("native"), budget)
    small = {n: make_spec(8, "relu", n) for n in range(20)}
    large = {n: make_spec(2000, "relu", n) for n in range(20, 40)}
    records = []
    for specs in (small, large, {40: make_spec(8, "relu", 40)}):
        engine.prepare(specs, engine.plan(specs, 1))
        records += engine.train(list(specs), 1, lambda: False)
    assert engine.programs() == 1
    member, workspace = needed(engine, large[20])
    at_once = max(len(record.trials) for record in records if set(record.trials) & set(large))
    assert at_once == engine._programs.lanes(0)
    in_flight = engine.machine.memory
    workers = min(engine.cores, at_once)
    assert at_once * member + workers * workspace <= in_flight < budget
    assert (at_once + 1) * member + min(engine.cores, at_once + 1) * workspace > in_flight
    assert len(records[0].trials) == 20
    assert sorted(n for record in records for n in record.trials.tolist()) == list(range(41))
    assert engine.take_shortages() == []
    engine.close()


@needs_core
def test_a_batch_that_is_larger_than_what_is_set_aside_leaves_room_for_fewer(make_spec):
    shape, cores = Shape(60_000, 100, 784, 10, "softmax", "error"), 2
    backend = choose_backend("native")
    backend.machine = replace(backend.machine, memory=400_000_000, devices=cores)
    member = member_of(make_spec(2000, "relu", 0), 784, 10, "softmax")
    lanes = {}
    for batch in (64, 60_000):
        planned = backend.plan(dict.fromkeys(range(20), member), dict.fromkeys(range(20), batch),
                               1.0, shape)  # fmt: skip
        lanes[batch] = planned.buckets[0].options.lanes
    blocks, stride = 235, 17 * 16  # of 256 rows: 17 lines of 16 numbers
    beyond = 4 * (784 + 3) * blocks * stride - (16 << 20)
    room = backend.machine.memory - beyond - cores * native_worker_bytes(member, 60_000, 100)
    assert lanes[60_000] == room // native_member_bytes(member) < lanes[64]
    assert backend.has_room(member, 60_000, shape)
    backend.machine = replace(backend.machine, memory=beyond + native_member_bytes(member))
    assert backend.has_room(member, 64, shape)
    assert not backend.has_room(member, 60_000, shape)


@pytest.mark.parametrize("changed", [{"mixup": 0.2}, {"input_noise": 0.1}])
def test_rows_that_a_network_changes_for_itself_are_counted_for_each_thread(changed, make_spec):
    plain = member_of(make_spec(16, "relu", 0, l1=1e-4), 784, 10, "softmax")
    other = member_of(make_spec(16, "relu", 0, l1=1e-4, **changed), 784, 10, "softmax")
    for batch, columns in ((16, 16), (200, 13 * 16), (1000, 4 * 17 * 16)):
        more = native_worker_bytes(other, batch, 100) - native_worker_bytes(plain, batch, 100)
        assert more == 4 * (784 + 3) * columns


@needs_core
def test_a_network_without_room_fails_alone_where_the_plan_leaves_it_out(data, make_spec):
    engine = LocalEngine(data, SHAPE, choose_backend("native"), 17_000_000)
    specs = {n: make_spec(units, "relu", n) for n, units in enumerate((16, 65_536, 32))}
    assert [engine.has_room(spec) for spec in specs.values()] == [True, False, True]
    with pytest.raises(UsageError, match="one of 589,827 parameters needs"):
        engine.plan(specs, 1)
    engine.prepare(specs, engine.plan({0: specs[0], 2: specs[2]}, 1))
    records = list(engine.train([0, 1, 2], 1, lambda: False))
    assert [(r.epoch, r.trials.tolist(), r.statuses) for r in records] == [
        (1, [1], {1: Status.FAILED}),
        (1, [0, 2], dict.fromkeys((0, 2), Status.RUNNING)),
    ]
    (shortage,) = engine.take_shortages()
    assert (shortage.before, shortage.after, shortage.epoch) == (1, 0, 1)
    assert list(engine.train([0, 1, 2], 1, lambda: False)) == []  # nothing is told twice
    engine.close()


@needs_core
def test_who_has_a_program_is_looked_up_once_for_all(data, make_spec, monkeypatch):
    engine = LocalEngine(data, SHAPE, choose_backend("native"))
    specs = {n: make_spec(16, "relu", n) for n in range(4)}
    engine.prepare(specs, engine.plan({0: specs[0], 2: specs[2]}, 1))
    assert engine._programs.without([3, 2, 1, 0]) == {1, 3}
    monkeypatch.setattr(Programs, "planned", None)
    failed = [n for r in engine.train(range(4), 1, lambda: False) for n in r.trials.tolist()]
    assert failed == [1, 3, 0, 2]
    engine.close()


@needs_core
def test_lanes_follow_the_budget(data, make_spec):
    specs = {n: make_spec(2000, "relu", n) for n in range(40)}
    lanes = []
    for budget in (24_000_000, 60_000_000, None):
        engine = LocalEngine(data, SHAPE, choose_backend("native"), budget)
        lanes.append(engine.plan(specs, 1).buckets[0].options.lanes)
    assert 1 <= lanes[0] < lanes[1] < lanes[2]
    small = LocalEngine(data, SHAPE, choose_backend("native"), 17_000_000)
    with pytest.raises(UsageError, match="give more --memory"):
        small.plan({0: make_spec(65_536, "relu", 0)}, 1)


def test_a_members_bytes_are_counted_exactly(data, make_spec):
    engine = LocalEngine(data, SHAPE, choose_backend("jax"))
    member = engine._member(make_spec(16, "relu", 0, optimizer="adam"))
    arrays = sum(a.nbytes for a in initial_state(member).values() if a.ndim)
    core = 4 * 4 * ((5 + 1) * 16 + (16 + 1) * 16)  # rows of whole cache lines of 16 floats
    assert native_member_bytes(member) == arrays + core


def test_a_jax_program_that_needs_too_much_gets_fewer_lanes(data, trials):
    backend = choose_backend("jax")
    engine = LocalEngine(data, SHAPE, backend)
    planned = engine.plan({20: trials[20]}, 4)
    bucket = planned.buckets[0]
    wide = backend.build(bucket, data)
    needed = next(m for m in range(10**3, 10**8, 500) if wide.lanes_within(m) == 16)
    backend.machine = replace(backend.machine, memory=needed // 2)
    narrow = backend.build(bucket, data)
    assert 1 <= narrow.options.lanes <= bucket.options.lanes // 2
    assert narrow.lanes_within(needed // 2) == narrow.options.lanes
    programs = Programs(backend, data, SHAPE)
    programs.prepare(planned)
    assert programs.lanes(0) == narrow.lanes
    programs.narrow(0, 1)  # memory ran out all the same
    assert programs.lanes(0) == 1
    programs.close()
