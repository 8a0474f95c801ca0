"""Population based training: copies are trials whose specifications say all, to the bit."""

import functools
import math
import os
from dataclasses import replace

import numpy as np
import pytest
from tests.study.breaking import Failing, check_always

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell._native._core_module import available
from deepwell.execution import _jax_backend
from deepwell.execution._backends import choose_backend
from deepwell.execution._planner import Machine
from deepwell.records import Status, TrialSpec
from deepwell.storage import open_store
from deepwell.study._arrays import engine_of
from deepwell.study._forks import forked, lineage, root

PROGRAMS = [
    pytest.param("native", marks=pytest.mark.skipif(not available(), reason="no compiled core")),
    "jax",
]
SPACE = {
    "learning_rate": dw.log(1e-3, 0.5),
    "l2": dw.log(1e-5, 1e-1),
    "dropout": dw.uniform(0.0, 0.5),
    "momentum": dw.one_minus_log(0.5, 0.99),
    "optimizer": "momentum",
    "hidden_units": 6,
    "hidden_layers": 1,
    "batch_size": 16,
    "batch_norm": "before",
    "decay": "cosine",
    "patience": 9,
}


@pytest.fixture(scope="module", autouse=True)
def short_calls():
    """Let the JAX program make a call an update step, so that it can be stopped in an epoch."""
    with pytest.MonkeyPatch.context() as patch:
        short = functools.partial(Machine, chunk_seconds=1e-9)
        patch.setattr(_jax_backend, "_CORES", short)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(120, 3))
    y = np.where(x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=120) > 0, "yes", "no")
    table = {f"c{i}": x[:, i] for i in range(3)} | {"y": y}
    return dw.load(table, target="y", vault=tmp_path_factory.mktemp("vault"))


def begin(data, store, program=None, observer=None, budget=None, scheduler="pbt"):
    study = dw.Study(
        data, SPACE, name="mine", store=store, program=program, scheduler=scheduler, seed=2,
        observer=observer,
    )  # fmt: skip
    return study, study.run(trials=12, epochs=10, budget=budget)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Return what each program leaves of a study that nothing stops."""
    done = {}

    def of(program):
        if program not in done:
            store = tmp_path_factory.mktemp("whole")
            study, result = begin(data, store, program)
            done[program] = study, result, store
        return done[program]

    return of


def copies(store):
    with open_store(store, create=False) as opened:
        record = opened.study("mine")
        return {e.trial: e.details for e in opened.events(record.id, "fork")}


def left(store):
    """Return what a study left, to the bit, times apart."""
    with open_store(store, create=False) as opened:
        record = opened.study("mine")
        trials = opened.trials(record.id, curves=True)
        kinds = ("propose", "finish", "prune", "promote", "fork")
        events = [[(e.trial, e.details) for e in opened.events(record.id, k)] for k in kinds]
    curves = [{k: c.tobytes() for k, c in t.curves.items()} for t in trials]
    model = (store / "mine" / "model" / "model.safetensors").read_bytes()
    result = dw.open_study("mine", store).result
    told = (result.dev, result.statuses, result.best_trial, result.networks, result.findings)
    return [replace(t, curves={}) for t in trials], curves, events, model, told


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_copy_is_what_its_specification_trains_to_alone(program, data, whole):
    """Weights, optimizer, running statistics, counters and every epoch's scores, bit for bit."""
    study, _, store = whole(program)
    told = copies(store)
    trials = {t.number: t for t in study.history()}
    assert len(told) >= 10
    assert any(d["source"] in told for d in told.values())  # a copy of a copy
    wanted = [n for n in told if trials[n].status is not Status.DIVERGED]
    wanted = wanted[:2] + wanted[-3:]
    engine = engine_of(data, None, "error", choose_backend(program), None)
    specs = {n: trials[n].spec for n in wanted}
    engine.prepare(specs, engine.plan(specs, 10))
    seen = {n: [] for n in wanted}
    for n in wanted:
        for chunk in engine.train([n], trials[n].epochs, lambda: False):
            seen[n].append([chunk.metrics[m][0] for m in ("train_cost", "dev_cost", "dev_score")])
    for n in wanted:
        for place, metric in enumerate(("train_cost", "dev_cost", "dev_score")):
            alone = np.array(seen[n], np.float32)[:, place]
            np.testing.assert_array_equal(alone, trials[n].curves[metric])
        best = int(engine.states([n])[n]["best_epoch"])
        assert best == trials[n].best_epoch
    engine.close()


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_states_of_a_copy_are_those_of_its_specification_trained_alone(program, data):
    """The engine's act by itself: forked twice, and trained on beside others."""
    values = {k: v for k, v in SPACE.items() if not hasattr(v, "to_unit")}
    first = TrialSpec({**values, "learning_rate": 0.05, "dropout": 0.2, "epochs": 9}, seed=4)
    other = TrialSpec({**values, "learning_rate": 0.02, "dropout": 0.1, "epochs": 9}, seed=5)
    second = forked(first, 3, {"learning_rate": 0.2, "l2": 0.03})
    third = forked(second, 6, {"dropout": 0.4, "momentum": 0.8})
    engine = engine_of(data, None, "error", choose_backend(program), None)
    engine.prepare({0: first, 1: other}, engine.plan({0: first, 1: other}, 9))
    with pytest.raises(KeyError):
        engine.fork(0, 2, second)  # nothing is there yet
    run(engine, [0, 1], 3)
    engine.fork(0, 2, second)
    run(engine, [0, 1, 2], 6)
    engine.fork(2, 3, third)
    engine.forget([1, 2, 3])
    run(engine, [1, 2, 3], 9)
    population = engine.states([1, 2, 3])
    assert engine.programs() == 1
    alone = engine_of(data, None, "error", choose_backend(program), None)
    specs = {1: other, 2: second, 3: third}
    alone.prepare(specs, alone.plan(specs, 9))
    for number in specs:
        run(alone, [number], 9)
        expected = alone.states([number])[number]
        assert set(expected) == set(population[number])
        for name, array in expected.items():
            np.testing.assert_array_equal(population[number][name], array, err_msg=name)
    different = [name for name in expected if name.startswith("weights/")]
    assert all(np.any(population[2][n] != population[3][n]) for n in different)
    for one in (engine, alone):
        one.close()


def run(engine, numbers, until):
    for _ in engine.train(numbers, until, lambda: False):
        pass


@pytest.mark.parametrize("program", PROGRAMS)
def test_records_of_copies(program, data, whole):
    study, result, store = whole(program)
    trials = {t.number: t for t in study.history()}
    told = copies(store)
    assert result.networks == 12  # a copy is no network of its own
    assert set(told) == set(range(12, len(trials)))
    for number, details in told.items():
        source, epoch = trials[details["source"]], details["epoch"]
        copy = trials[number]
        for name, curve in copy.curves.items():
            np.testing.assert_array_equal(curve[:epoch], source.curves[name][:epoch])
        assert copy.spec == forked(source.spec, epoch, details["changes"])
        assert details["changes"]
        at_epoch = copy.curves["dev_score"]
        assert copy.score == pytest.approx(float(np.nanmin(at_epoch)))
    ended = [t for t in trials.values() if t.status is Status.PRUNED]
    assert ended
    assert {t.status for t in trials.values()} <= {
        Status.PRUNED, Status.FINISHED, Status.EARLY_STOPPED, Status.DIVERGED
    }  # fmt: skip
    with open_store(store, create=False) as opened:
        record = opened.study("mine")
        ended = [e.details.get("trials", []) for e in opened.events(record.id, "finish")]
    assert sum(map(len, ended)) <= 12  # places never grow in number


@pytest.mark.parametrize("often", [True, False])
@pytest.mark.parametrize(
    ("program", "after"),
    [
        *(pytest.param("native", n, marks=PROGRAMS[0].marks) for n in (4, 8, 13, 17, 20)),
        ("jax", 9),
        ("jax", 16),
    ],
)
def test_a_study_with_copies_that_breaks_off_ends_as_an_unbroken_one(
    program, after, often, data, whole, tmp_path, monkeypatch
):
    if often:
        check_always(monkeypatch)
    with pytest.raises(RuntimeError, match="broken"):
        begin(data, tmp_path, program, Failing(after))
    dw.resume("mine", data, store=tmp_path)
    assert left(tmp_path) == left(whole(program)[2])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no choice of cores here")
@pytest.mark.skipif(not available(), reason="no compiled core here")
@pytest.mark.parametrize("scheduler", ["pbt", "hyperband", "median", "patience", "extrapolate"])
def test_the_same_seed_gives_the_same_study_for_any_number_of_cores(scheduler, data, tmp_path):
    mine = os.sched_getaffinity(0)
    begin(data, tmp_path / "many", "native", scheduler=scheduler)
    try:
        os.sched_setaffinity(0, {min(mine)})
        begin(data, tmp_path / "one", "native", scheduler=scheduler)
    finally:
        os.sched_setaffinity(0, mine)
    assert left(tmp_path / "one") == left(tmp_path / "many")


def test_what_makes_no_sense_is_refused(data, tmp_path):
    with pytest.raises(
        UsageError, match="a network a fold that must stay alike; leave out `folds`"
    ):
        dw.Study(data, SPACE, scheduler="pbt", folds=3, store=tmp_path)
    with pytest.raises(UsageError, match="the space searches none that can change"):
        dw.Study(data, {"hidden_units": dw.integer(3, 9)}, scheduler="pbt", store=tmp_path)


def test_a_copy_keeps_the_changes_of_its_source():
    spec = TrialSpec({"change": "2: l2=0.1; 5: l2=0.2; 9: dropout=0.1"}, seed=0)
    copy = forked(spec, 5, {"l2": 0.3, "learning_rate": 0.01})
    assert copy["change"] == ("2: l2=0.1; 5: l2=0.3; 5: learning_rate=0.01; 9: dropout=0.1")
    assert (copy.seed, copy.order_seed) == (spec.seed, spec.order_seed)
    with pytest.raises(UsageError, match="cannot change while a network trains"):
        forked(spec, 5, {"hidden_units": 3})


def test_lineages():
    sources = {12: 3, 13: 12, 14: 3, 15: 13}
    assert root(sources, 15) == 3
    assert root(sources, 3) == 3
    assert lineage(sources, [15, 4]) == [(12, 3), (13, 12), (15, 13)]
    assert lineage(sources, [4]) == []


def test_a_study_with_copies_goes_on_after_its_end(data, tmp_path):
    """The best networks are trained again for it, and copies are among them."""
    _, first = begin(data, tmp_path)
    told = copies(tmp_path)
    best = dw.open_study("mine", tmp_path).model().parameters
    finished = dw.resume("mine", data, store=tmp_path, trials=5)
    assert finished.result.networks == 17
    assert len(copies(tmp_path)) > len(told)
    if finished.result.best_trial == first.best_trial:
        for name, array in best.items():
            np.testing.assert_array_equal(finished.model().parameters[name], array)


def test_a_grid_that_goes_on_does_not_count_copies(data, tmp_path):
    """After its 9 points come 7 between them, however many copies there are."""
    ranges = {"learning_rate": dw.log(1e-3, 1e-1), "l2": dw.log(1e-5, 1e-3)}
    values = {name: value for name, value in SPACE.items() if not hasattr(value, "to_unit")}
    study = dw.Study(
        data, {**values, **ranges}, name="mine", store=tmp_path, search="grid", scheduler="pbt"
    )
    study.run(trials=9, epochs=10)
    assert len(copies(tmp_path)) >= 5
    finished = dw.resume("mine", data, store=tmp_path, trials=7)
    assert finished.result.networks == 16
    told = copies(tmp_path)
    points = [
        [math.log10(trial.spec.number(name)) for name in ranges]
        for trial in finished.trials()
        if trial.number not in told
    ]
    places = (np.array(points) - [-3.0, -5.0]) / 2.0
    np.testing.assert_allclose(2 * places[:9], np.round(2 * places[:9]), atol=1e-9)
    np.testing.assert_allclose(4 * places[9:], np.round(4 * places[9:]), atol=1e-9)
    assert len(np.unique(np.round(4 * places), axis=0)) == 16


def test_what_is_given_after_copies_were_made_is_tried(data, tmp_path):
    begin(data, tmp_path)
    before = copies(tmp_path)
    finished = dw.resume("mine", data, store=tmp_path, trials=2, given=[{"learning_rate": 0.125}])
    own = [t for t in finished.trials() if t.number not in copies(tmp_path)]
    assert [t.spec.number("learning_rate") == 0.125 for t in own] == [False] * 12 + [True, False]
    assert min(t.number for t in own[12:]) > max(before)
