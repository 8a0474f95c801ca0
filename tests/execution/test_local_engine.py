"""The local engine on a tiny table: records, rungs, stops, statuses and compiled programs."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deepwell._base._errors import StudyError
from deepwell.execution import _jax_backend
from deepwell.execution._jax_backend import JaxBackend
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import architecture_of
from deepwell.networks._forward import forward
from deepwell.records import ChunkRecord, Status
from deepwell.storage._blobs import load_arrays, save_arrays
from deepwell.training import _jax_program
from deepwell.training._jax_program import compiled_programs
from deepwell.training._jax_session import JaxSession

ALL = range(20, 26)
STEPS = 5  # of an epoch: 70 rows are four batches of 16 and one of 6


def after(calls: int) -> Callable[[], bool]:
    """Return a stop that says yes from its n-th question on."""
    left = [calls]

    def stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    return stop


def curve(records: list[ChunkRecord], number: int, metric: str) -> list[float]:
    return [
        float(r.metrics[metric][list(r.trials).index(number)])
        for r in records
        if number in r.trials
    ]


def statuses(records: list[ChunkRecord]) -> list[tuple[int, int, Status]]:
    return [
        (r.epoch, n, s) for r in records for n, s in r.statuses.items() if s is not Status.RUNNING
    ]


def test_planning_compiles_nothing_and_preparing_one_program_a_structure(prepared) -> None:
    assert prepared.compiled_while_planning == 0
    assert len(prepared.plan.buckets) == prepared.engine.programs() == 2
    assert {b.structure.activation for b in prepared.plan.buckets} == {"relu", "tanh"}
    assert {b.structure.steps for b in prepared.plan.buckets} == {2}  # three calls an epoch


def test_records_say_who_trained_how_far(prepared) -> None:
    records = prepared.train(ALL, 3)
    seen = Counter((int(n), r.epoch) for r in records for n in r.trials)
    assert seen == Counter((n, epoch) for n in ALL for epoch in (1, 2, 3))
    for record in records:
        members = len(record.trials)
        assert record.trials.dtype == record.steps.dtype == np.int64
        assert record.steps.tolist() == [record.epoch * STEPS] * members
        assert set(record.metrics) == {"train_cost", "dev_cost", "dev_score"}
        for values in record.metrics.values():
            assert (values.dtype, values.shape) == (np.float32, (members,))
            assert np.isfinite(values).all()
        started = {int(n): Status.RUNNING for n in record.trials} if record.epoch == 1 else {}
        assert record.statuses == started


def test_the_best_weights_have_the_best_recorded_score(prepared, trials, data) -> None:
    records = prepared.train(ALL, 6)
    for n in ALL:
        network = architecture_of(trials[n], data.x_dev.shape[1], 3, "softmax")
        outputs = forward(network, prepared.engine.best_parameters(n), data.x_dev)
        wrong = outputs.argmax(axis=1) != data.y_dev
        error = (wrong * data.weight_dev).sum() / data.weight_dev.sum()
        assert error == pytest.approx(min(curve(records, n, "dev_score")), abs=1e-6)
    costs = [curve(records, n, "train_cost") for n in ALL]
    assert all(cost[-1] < cost[0] for cost in costs)  # they learn


def test_best_weights_have_the_trials_true_shapes(prepared, trials) -> None:
    prepared.train(ALL, 1)
    for n in ALL:
        (units,) = trials[n].hidden_units
        shapes = {name: p.shape for name, p in prepared.engine.best_parameters(n).items()}
        assert shapes == {
            "weights/0": (5, units), "biases/0": (units,), "weights/1": (units, 3), "biases/1": (3,)
        }  # fmt: skip


def test_two_rungs_are_one_run(prepared) -> None:
    through = prepared.train(ALL, 4)
    weights = prepared.weights(*ALL)
    prepared.engine.forget([])
    first, second = prepared.train(ALL, 2), prepared.train(ALL, 4)
    assert prepared.weights(*ALL) == weights
    assert sorted({r.epoch for r in second}) == [3, 4]
    for n in ALL:
        for metric in ("train_cost", "dev_cost", "dev_score"):
            assert curve(first + second, n, metric) == curve(through, n, metric)


def test_a_trial_does_not_depend_on_its_company(prepared) -> None:
    prepared.train(ALL, 3)
    weights = prepared.weights(*ALL)
    prepared.engine.forget([])
    for n in reversed(ALL):
        prepared.train([n], 3)
    assert prepared.weights(*ALL) == weights


def test_a_trials_own_order_of_rows_is_used(prepared, make_spec) -> None:
    engine = prepared.engine
    twins = {30: make_spec(5, "relu", 7), 31: make_spec(5, "relu", 7, order_seed=2)}
    engine.prepare(twins, engine.plan(twins, 10))
    records = prepared.train([30, 31], 2)
    assert [len(r.trials) for r in records] == [1, 1, 1, 1]
    assert prepared.weights(30) != {(30, k): v for (_, k), v in prepared.weights(31).items()}


def test_a_trial_ends_at_its_own_epochs(prepared, make_spec) -> None:
    engine = prepared.engine
    short = {32: make_spec(5, "relu", 7, epochs=2), 33: make_spec(5, "relu", 7, epochs=9)}
    engine.prepare(short, engine.plan(short, 10))
    records = prepared.train([32, 33], 4)
    assert len(curve(records, 32, "dev_cost")) == 2
    assert len(curve(records, 33, "dev_cost")) == 4
    assert prepared.train([32, 33], 4) == []


def test_a_stop_before_the_first_call_trains_nothing(prepared) -> None:
    assert prepared.train(ALL, 3, stop=lambda: True) == []
    with pytest.raises(KeyError):
        prepared.engine.best_parameters(20)


@pytest.mark.parametrize("questions", range(1, 14))
def test_a_stop_keeps_all_states_and_going_on_loses_nothing(prepared, questions: int) -> None:
    """Whether it comes between epochs or inside one: the end is the same to the bit."""
    through = prepared.train(ALL, 3)
    weights = prepared.weights(*ALL)
    prepared.engine.forget([])
    first = prepared.train(ALL, 3, stop=after(questions))
    assert sum(len(r.trials) for r in first) < 3 * len(ALL)
    second = prepared.train(ALL, 3)
    assert prepared.weights(*ALL) == weights
    for n in ALL:
        assert curve(first + second, n, "train_cost") == curve(through, n, "train_cost")


def test_a_consumer_that_leaves_keeps_the_states(prepared) -> None:
    prepared.train(ALL, 3)
    weights = prepared.weights(*ALL)
    prepared.engine.forget([])
    records = prepared.engine.train(ALL, 3, lambda: False)
    next(records)
    records.close()
    prepared.train(ALL, 3)
    assert prepared.weights(*ALL) == weights


def test_forgetting_drops_the_states_of_all_others(prepared) -> None:
    prepared.train(ALL, 2)
    weights = prepared.weights(21, 24)
    prepared.engine.forget([21, 24, 999])
    assert prepared.weights(21, 24) == weights
    for n in (20, 22, 23, 25):
        with pytest.raises(KeyError):
            prepared.engine.best_parameters(n)
    assert [r.epoch for r in prepared.train([21], 3)] == [3]  # the kept one goes on


def ending(make_spec) -> dict:
    return {
        40: make_spec(5, "relu", 1, learning_rate=1e-30, dropout=0.0, patience=2),
        41: make_spec(8, "relu", 2, learning_rate=1e30),
        42: make_spec(6, "relu", 3),
    }


def test_each_end_is_told_once(prepared, make_spec) -> None:
    engine, specs = prepared.engine, ending(make_spec)
    engine.prepare(specs, engine.plan(specs, 10))
    records = prepared.train(specs, 6)
    # Nothing gets better after epoch 1; the second step already overflows.
    assert statuses(records) == [(1, 41, Status.DIVERGED), (3, 40, Status.EARLY_STOPPED)]
    assert len(curve(records, 40, "dev_cost")) == 3
    assert np.isnan(curve(records, 41, "dev_cost")).tolist() == [True]
    (diverged,) = [r for r in records if 41 in r.trials]
    assert diverged.steps[list(diverged.trials).index(41)] == 2
    assert len(curve(records, 42, "dev_cost")) == 6
    later = prepared.train(specs, 8)
    assert statuses(later) == []
    assert [(r.epoch, r.trials.tolist()) for r in later] == [(7, [42]), (8, [42])]
    assert prepared.train([40, 41], 9) == []


def test_neighbors_of_a_diverged_trial_are_untouched(prepared, make_spec) -> None:
    engine, specs = prepared.engine, ending(make_spec)
    engine.prepare(specs, engine.plan(specs, 10))
    prepared.train([42], 4)
    alone = prepared.weights(42)
    engine.forget([])
    prepared.train([41, 42], 4)
    assert prepared.weights(42) == alone


@pytest.mark.parametrize("questions", [1, 2, 3])
def test_an_end_inside_an_epoch_is_told_before_a_stop(prepared, make_spec, questions: int) -> None:
    engine, specs = prepared.engine, ending(make_spec)
    engine.prepare(specs, engine.plan(specs, 10))
    first = prepared.train(specs, 2, stop=after(questions))
    told = statuses(first) + statuses(prepared.train(specs, 2))
    assert told == [(1, 41, Status.DIVERGED)]


def test_a_second_round_of_the_same_structures_compiles_nothing(prepared, make_spec) -> None:
    engine = prepared.engine
    prepared.train(ALL, 1)
    programs, compiled = engine.programs(), compiled_programs()
    again = {50 + n: make_spec(8, activation, n) for n, activation in enumerate(["relu", "tanh"])}
    engine.prepare(again, engine.plan(again, 10))
    records = prepared.train(again, 2)
    assert Counter(int(n) for r in records for n in r.trials) == {50: 2, 51: 2}
    assert (engine.programs(), compiled_programs()) == (programs, compiled)


def test_nothing_is_compiled_after_the_plan(prepared, make_spec) -> None:
    """By JAX's own account: under halving, early stops, divergence and a further round."""
    import jax

    engine, specs = prepared.engine, ending(make_spec)
    prepared.train(ALL, 1)
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, seconds, **_: compiled.append(name) if "compile" in name else None
    )
    try:
        for alive, until in ((ALL, 2), ((20, 22, 24), 4), ((22,), 6)):
            prepared.train(alive, until)
            engine.forget(alive)
        engine.prepare(specs, engine.plan(specs, 10))
        ends = statuses(prepared.train(specs, 6))
        assert {status for _, _, status in ends} == {Status.DIVERGED, Status.EARLY_STOPPED}
        assert compiled == []
        jax.jit(lambda x: x + 1)(np.float32(1))  # the account is kept at all
        assert compiled
    finally:
        jax.monitoring.clear_event_listeners()


def test_work_is_counted_with_and_without_padding(prepared) -> None:
    engine = prepared.engine
    useful, executed = engine.meter.useful, engine.meter.executed
    prepared.train([20], 2)  # 5 of 8 units, 70 rows in batches of 16
    widest = 5 * 8 * 2 + 8 * 3 * 3
    true = 5 * 5 * 2 + 5 * 3 * 3
    dev = 2 * 40
    assert engine.meter.useful - useful == 2 * 70 * true + dev * (5 * 5 + 5 * 3)
    assert engine.meter.executed - executed == 2 * 5 * 16 * widest + dev * (5 * 8 + 8 * 3)


def test_preparing_a_trial_twice_trains_it_once(prepared, trials) -> None:
    prepared.engine.prepare(trials, prepared.plan)
    seen = Counter(int(n) for r in prepared.train(ALL, 1) for n in r.trials)
    assert seen == dict.fromkeys(ALL, 1)


def test_wrong_arithmetic_is_refused_before_anything_compiles(
    prepared, trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> float:
        raise StudyError("computes wrong numbers")

    monkeypatch.setattr(_jax_backend, "check_numerics", refuse)
    engine = LocalEngine(prepared.engine._rows, prepared.engine.shape, JaxBackend())
    with pytest.raises(StudyError, match="wrong numbers"):
        engine.prepare(trials, prepared.plan)
    assert engine.programs() == 0


def test_a_program_that_does_not_compile_says_so(
    prepared, trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("the compiler is broken")

    monkeypatch.setattr(_jax_program, "JaxProgram", broken)
    engine = LocalEngine(prepared.engine._rows, prepared.engine.shape, JaxBackend())
    engine.prepare(trials, prepared.plan)
    with pytest.raises(RuntimeError, match="the compiler is broken"):
        list(engine.train(ALL, 1, lambda: False))
    engine.close()


def test_states_taken_between_records_stand_where_the_records_say(prepared, tmp_path) -> None:
    """Taken at any record, written to a file and restored, they go on to the same end."""
    through = prepared.train(ALL, 4)
    weights = prepared.weights(*ALL)
    for place in range(len(through)):
        prepared.engine.forget([])
        records = prepared.engine.train(ALL, 4, lambda: False)
        first = [next(records) for _ in range(place + 1)]
        states = prepared.engine.states([*ALL, 999])
        done = {n: len(curve(first, n, "dev_cost")) for n in ALL}
        assert {n: int(state["epoch"]) for n, state in states.items()} == {
            n: epochs for n, epochs in done.items() if n in states
        }
        assert all(done[n] == 0 for n in ALL if n not in states)
        arrays = {f"{n}/{key}": a for n, state in states.items() for key, a in state.items()}
        save_arrays(tmp_path / "states", arrays)
        records.close()
        prepared.engine.forget([])
        restored: dict[int, dict[str, np.ndarray]] = {}
        for name, array in load_arrays(tmp_path / "states").arrays.items():
            number, _, key = name.partition("/")
            restored.setdefault(int(number), {})[key] = array
        prepared.engine.restore(restored)
        second = prepared.train(ALL, 4)
        assert prepared.weights(*ALL) == weights
        for n in ALL:
            assert curve(first + second, n, "train_cost") == curve(through, n, "train_cost")


@pytest.mark.parametrize("questions", [2, 5, 8])
def test_states_inside_an_epoch_go_on_from_there(prepared, questions: int) -> None:
    prepared.train(ALL, 3)
    weights = prepared.weights(*ALL)
    prepared.engine.forget([])
    prepared.train(ALL, 3, stop=after(questions))
    states = prepared.engine.states(ALL)
    assert any(int(s["step"]) % STEPS for s in states.values())
    prepared.engine.forget([])
    prepared.engine.restore(states)
    prepared.train(ALL, 3)
    assert prepared.weights(*ALL) == weights


def test_ctrl_c_inside_a_call_that_took_the_states_is_not_hidden(
    prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAX deletes the states that it is given; those of the last rung are gone on from."""
    prepared.train([20], 3)
    weights = prepared.weights(20)
    prepared.engine.forget([])
    prepared.train([20], 1)
    call = JaxSession._call

    def broken_off(self: JaxSession, *arguments: Any) -> None:
        call(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(JaxSession, "_call", broken_off)
        with pytest.raises(KeyboardInterrupt):
            prepared.train([20], 3)
    (state,) = prepared.engine.states([20]).values()
    assert int(state["epoch"]) == 1
    prepared.train([20], 3)
    assert prepared.weights(20) == weights


def test_programs_of_an_engine_share_the_rows_on_the_devices(prepared) -> None:
    one, other = (prepared.engine._programs.at(index)._rows for index in range(2))
    for field in dataclasses.fields(one):
        assert getattr(one, field.name) is getattr(other, field.name), field.name
