"""Probes as an argument of the engine: when, of whom, and that nobody notices them (E1)."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from deepwell._native._core_module import available
from deepwell.execution._backends import choose_backend
from deepwell.execution._course import Course
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Shape
from deepwell.execution._probe_plan import ProbePlan
from deepwell.records import Probe, TrialSpec
from deepwell.training._program import TrainingRows

TRAIN, DEV, INPUTS = 60, 30, 4
NAMES = (
    *("activations", "gradients", "weights", "dead", "saturated", "zero"),
    *("weight_norm", "gradient_norm", "update_norm"),
)
PROGRAMS = [
    pytest.param(
        "native", marks=pytest.mark.skipif(not available(), reason="no compiled core here")
    ),
    "jax",
]


def made_rows(seed: int = 0, train: int = TRAIN, **options: object) -> TrainingRows:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(train + DEV, INPUTS)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
    w = np.ones(train + DEV, np.float32)
    parts = x[:train], y[:train], w[:train], x[train:], y[train:], w[train:]
    return TrainingRows(*parts, **options)  # type: ignore[arg-type]


def spec(seed: int, **changes: object) -> TrialSpec:
    values = {
        "hidden_units": [5, 4],
        "optimizer": "adam",
        "learning_rate": 0.01,
        "batch_size": 16,
        "epochs": 6,
        "patience": 0,
        "dropout": 0.2,
        **changes,
    }
    return TrialSpec(values, seed=seed, order_seed=3)


def bits(probe: Probe) -> tuple[object, ...]:
    arrays = tuple(getattr(probe, name).tobytes() for name in NAMES)
    return (probe.trial, probe.epoch, probe.step, probe.layers, *arrays)


def run(program, specs, plan, rows=None, shape=None, rungs=(6,), memory=None):
    """Return states, probes and records of trials trained rung by rung; the engine is closed."""
    rows = rows or made_rows()
    shape = shape or Shape(TRAIN, DEV, INPUTS, 1, "logistic", "error")
    with contextlib.closing(LocalEngine(rows, shape, choose_backend(program), memory)) as engine:
        engine.prepare(specs, engine.plan(specs, 6))
        records = [
            r for until in rungs for r in engine.train(list(specs), until, lambda: False, plan)
        ]
        states = {n: dict(state) for n, state in engine.states(list(specs)).items()}
        replayed = [
            p for n in sorted(plan.trials & set(specs)) if (p := engine.replay(n, plan.epochs(6)))
        ] if plan else []  # fmt: skip
        last = {n: engine.probe(n, int(states[n]["epoch"])) for n in specs}
    probes = sorted((p for r in records for p in r.probes), key=lambda p: (p.trial, p.epoch))
    return states, probes, records, [p for some in replayed for p in some], last


@pytest.mark.proves("C5", "population")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_probed_run_is_the_unprobed_one_to_the_bit(program):
    specs = {n: spec(n) for n in range(5, 9)}
    plain, none, records, *_ = run(program, specs, None)
    plan = ProbePlan(frozenset({5, 8}))
    probed, probes, same, replayed, last = run(program, specs, plan, rungs=(2, 3, 6))
    assert none == []
    for number, state in plain.items():
        assert state.keys() == probed[number].keys()
        for name in state:
            assert state[name].tobytes() == probed[number][name].tobytes(), name
    metrics = [[(k, v.tobytes()) for k, v in r.metrics.items()] for r in records]
    assert metrics == [[(k, v.tobytes()) for k, v in r.metrics.items()] for r in same]
    steps = -(-TRAIN // 16)
    assert [(p.trial, p.epoch, p.step) for p in probes] == [
        (n, e, e * steps) for n in (5, 8) for e in (0, 1, 2, 4, 6)
    ]
    # Once more from the start, alone: the same to the bit.
    assert [bits(p) for p in replayed] == [bits(p) for p in probes]
    assert bits(last[5][0]) == bits(probes[4])
    assert [p.epoch for p in last[6]] == [6]


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_interval_may_be_chosen(program):
    _, probes, *_ = run(program, {0: spec(0), 1: spec(1)}, ProbePlan(frozenset({1, 7}), every=4))
    assert [(p.trial, p.epoch) for p in probes] == [(1, 0), (1, 4), (1, 6)]


@pytest.mark.parametrize("program", PROGRAMS)
def test_float64_batch_norm_and_any_optimizer(program):
    specs = {
        0: TrialSpec({**spec(0).hyperparameters, "batch_norm": "before"}, 0, 3, "float64"),
        1: spec(1, optimizer="momentum", batch_norm="after", residual=1, dropout=0.0),
    }
    _, probes, _, replayed, _ = run(program, specs, ProbePlan(frozenset({0, 1})))
    assert [bits(p) for p in replayed] == [bits(p) for p in probes]
    for probe in probes:
        assert np.isfinite(probe.gradients).all()
        assert (probe.update_norm > 0).all()
        assert probe.weights.dtype == np.float32


@pytest.mark.parametrize("program", PROGRAMS)
def test_members_of_folds_are_measured_on_their_own_rows(program):
    views = [made_rows(n, TRAIN - n) for n in range(3)]
    rows = TrainingRows(**{**vars(views[0]), "others": tuple(views[1:])})
    shape = Shape(TRAIN, DEV, INPUTS, 1, "logistic", "error", views=3)
    base = spec(0).hyperparameters
    specs = {n: TrialSpec(base, 0, 3, fold=n + 1, folds=3) for n in range(3)}
    plan = ProbePlan(frozenset(specs))
    _, probes, _, replayed, _ = run(program, specs, plan, rows, shape)
    assert [bits(p) for p in replayed] == [bits(p) for p in probes]
    ends = [p for p in probes if p.epoch == 6]
    assert len({p.activations.tobytes() for p in ends}) == 3
    # The first view alone, as a study without folds has it.
    _, alone, *_ = run(program, {0: spec(0)}, ProbePlan(frozenset({0})), views[0])
    assert [bits(p)[2:] for p in alone] == [bits(p)[2:] for p in probes if p.trial == 0]


@pytest.mark.parametrize("program", PROGRAMS)
def test_streamed_rows(program):
    specs = {0: spec(0), 1: spec(1)}
    plan = ProbePlan(frozenset({1}))
    _, held, *_ = run(program, specs, plan)
    rows = made_rows(streamed=True)
    _, streamed, _, replayed, _ = run(program, specs, plan, rows, memory=200 * 2**20)
    assert [bits(p) for p in replayed] == [bits(p) for p in streamed]
    tolerance = 0 if program == "native" else 1e-5
    for one, other in zip(held, streamed, strict=True):
        for name in NAMES:
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=tolerance)


@pytest.mark.parametrize("program", PROGRAMS)
def test_members_that_diverge_or_stop_early_do_not_disturb_the_probes(program):
    specs = {
        0: spec(0),
        1: spec(1, learning_rate=1e30, optimizer="sgd"),
        2: spec(2, patience=1, learning_rate=1e-9),
    }
    plan = ProbePlan(frozenset(specs), every=1)
    states, probes, _, _, last = run(program, specs, plan)
    assert [int(states[n]["outcome"]) for n in specs] == [0, 2, 1]
    assert [p.epoch for p in probes if p.trial == 0] == list(range(7))
    gone = [p for p in probes if p.trial == 1]
    assert [p.epoch for p in gone] == [0, 1]
    assert not np.isfinite(gone[-1].weight_norm).all()
    stopped = [p for p in probes if p.trial == 2]
    assert stopped[-1].epoch == int(states[2]["epoch"])
    assert bits(last[2][0]) == bits(stopped[-1])
    _, alone, *_ = run(program, {0: specs[0]}, ProbePlan(frozenset({0}), every=1))
    assert [bits(p) for p in alone] == [bits(p) for p in probes if p.trial == 0]


def test_a_state_that_is_not_there_or_stands_elsewhere_gives_no_probe():
    program = "native" if available() else "jax"
    rows, shape = made_rows(), Shape(TRAIN, DEV, INPUTS, 1, "logistic", "error")
    with contextlib.closing(LocalEngine(rows, shape, choose_backend(program))) as engine:
        specs = {0: spec(0)}
        assert not engine.prepared(0)
        engine.prepare(specs, engine.plan(specs, 6))
        assert engine.prepared(0)
        assert engine.probe(0, 1) == []
        list(engine.train([0], 1, lambda: False))
        assert engine.probe(0, 2) == []
        (probe,) = engine.probe(0, 1)
        assert probe.epoch == 1
        inside = {**engine.states([0])[0], "step": np.asarray(6)}
        engine.restore({0: inside})
        assert engine.probe(0, 1) == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_network_whose_probes_do_not_fit_in_memory_trains_on(program, monkeypatch):
    specs = {n: spec(n) for n in range(2)}
    plain, *_ = run(program, specs, None)

    def full(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Course, "probe", full)
        rows, shape = made_rows(), Shape(TRAIN, DEV, INPUTS, 1, "logistic", "error")
        with contextlib.closing(LocalEngine(rows, shape, choose_backend(program))) as engine:
            engine.prepare(specs, engine.plan(specs, 6))
            plan = ProbePlan(frozenset(specs))
            records = list(engine.train(list(specs), 6, lambda: False, plan))
            states = engine.states(list(specs))
            assert not engine.take_shortages()
            assert not any(record.probes for record in records)
            for n in specs:
                np.testing.assert_array_equal(states[n]["weights/0"], plain[n]["weights/0"])
