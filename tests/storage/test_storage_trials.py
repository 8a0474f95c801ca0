import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepwell._base._errors import StudyError, UsageError
from deepwell.records import ChunkRecord, Event, Status, Trial, TrialSpec
from deepwell.storage import Store, StudyRecord, _chunks, _trials

NAN, INF = math.nan, math.inf
Chunk = Callable[..., ChunkRecord]


def test_proposed_trials_wait(store: Store, study: StudyRecord):
    trials = store.trials(study.id, curves=True)
    assert [t.number for t in trials] == [0, 1, 2, 3]
    for trial in trials:
        assert trial.spec == TrialSpec({"learning_rate": 0.01 * (trial.number + 1)}, trial.number)
        assert trial.status is Status.WAITING
        assert (trial.epochs, trial.best_epoch, trial.score, trial.cost) == (0, 0, INF, INF)
        assert (trial.message, trial.curves) == ("", {})
    assert store.best_trials(study.id) == []


def test_proposal_is_all_or_nothing(store: Store, study: StudyRecord):
    new = [(n, TrialSpec({}, seed=n)) for n in (7, 2)]
    with pytest.raises(StudyError, match="refused contradictory records"):
        store.propose(study.id, new, Event(2.0, "propose"))
    assert [t.number for t in store.trials(study.id)] == [0, 1, 2, 3]
    assert len(store.events(study.id)) == 1
    with pytest.raises(StudyError, match="refused contradictory records"):
        store.propose(99, new, Event(2.0, "propose"))
    store.propose(study.id, [], Event(2.0, "propose"))
    assert len(store.events(study.id)) == 2


specs = st.builds(
    TrialSpec,
    hyperparameters=st.fixed_dictionaries(
        {},
        optional={
            "learning_rate": st.floats(1e-300, 1e300),
            "dropout": st.floats(0, 1, exclude_max=True),
            "hidden_units": st.lists(st.integers(1, 65_536), min_size=1, max_size=5),
            "activation": st.sampled_from(["relu", "tanh", "leaky_relu"]),
            "optimizer": st.sampled_from(["sgd", "momentum", "rmsprop", "adam"]),
            "batch_size": st.integers(1, 1_000_000),
        },
    ),
    seed=st.integers(-(2**63), 2**64),
    order_seed=st.integers(-(2**63), 2**64),
    dtype=st.sampled_from(["float32", "float64"]),
)


@settings(max_examples=40)
@given(
    proposed=st.dictionaries(st.integers(0, 2**31 - 1), specs, max_size=5),
    message=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    status=st.sampled_from(Status),
)
def test_any_trial_comes_back(
    shared: Store, proposed: dict[int, TrialSpec], message: str, status: Status
):
    study = shared.create_study("x", {})
    shared.propose(study.id, list(proposed.items()), Event(1.0, "propose"))
    shared.record_statuses(
        study.id, dict.fromkeys(proposed, status), dict.fromkeys(proposed, message)
    )
    expected = [Trial(n, proposed[n], status, message=message) for n in sorted(proposed)]
    assert shared.trials(study.id) == expected


def test_statuses_and_messages(store: Store, study: StudyRecord):
    event = Event(5.0, "prune", None, {"rung": 1})
    statuses = {0: Status.PRUNED, 2: Status.PAUSED, 3: Status.PRUNED}
    store.record_statuses(study.id, statuses, {1: "diverged at step 12"}, event)
    trials = store.trials(study.id)
    assert [t.status.name for t in trials] == ["PRUNED", "WAITING", "PAUSED", "PRUNED"]
    assert [t.message for t in trials] == ["", "diverged at step 12", "", ""]
    assert store.events(study.id, "prune") == [event]
    store.record_statuses(study.id, {}, {})
    assert len(store.events(study.id)) == 2


def test_hostile_message_becomes_storable(store: Store, study: StudyRecord):
    store.record_statuses(study.id, {}, {0: "a\0b\udcffc'); DROP TABLE trial; --"})
    assert store.trials(study.id)[0].message == "a?b?c'); DROP TABLE trial; --"


def test_unknown_trial_undoes_all(store: Store, study: StudyRecord, make_chunk: Chunk):
    with pytest.raises(StudyError, match="has 1 of 2 trials that were to be recorded"):
        store.record_statuses(
            study.id, {0: Status.RUNNING, 9: Status.RUNNING}, {}, Event(1.0, "start")
        )
    with pytest.raises(StudyError, match="must be proposed first"):
        store.record_chunk(study.id, 0, make_chunk(1, [0.1, 0.2], trials=[0, 9]))
    with pytest.raises(StudyError, match="refused contradictory records"):
        store.record_chunk(99, 0, make_chunk(1, [0.1]))
    trials = store.trials(study.id, curves=True)
    assert [(t.status, t.epochs, t.curves) for t in trials] == [(Status.WAITING, 0, {})] * 4
    assert len(store.events(study.id)) == 1


def test_chunks_make_curves_and_summaries(store: Store, study: StudyRecord, make_chunk: Chunk):
    running = dict.fromkeys(range(3), Status.RUNNING)
    store.record_chunk(study.id, 0, make_chunk(1, [0.5, 0.4, 0.3], statuses=running))
    store.record_chunk(study.id, 0, make_chunk(2, [0.4, 0.6, NAN], statuses={2: Status.DIVERGED}))
    store.record_chunk(study.id, 1, make_chunk(3, [0.2, 0.3], trials=[1, 0]))
    zero, one, two, three = store.trials(study.id, curves=True)
    np.testing.assert_array_equal(zero.curves["dev_score"], np.float32([0.5, 0.4, 0.3]))
    np.testing.assert_array_equal(one.curves["dev_score"], np.float32([0.4, 0.6, 0.2]))
    np.testing.assert_array_equal(one.curves["dev_cost"], np.float32([0.4, 0.6, 0.2]) + 1)
    np.testing.assert_array_equal(one.curves["train_cost"], 2 * (np.float32([0.4, 0.6, 0.2]) + 1))
    np.testing.assert_array_equal(two.curves["dev_score"], np.float32([0.3]))
    assert three.curves["dev_score"].shape == (0,)
    assert all(c.dtype == np.float32 for c in zero.curves.values())
    assert [(t.epochs, t.best_epoch) for t in (zero, one, two, three)] == [
        *((3, 3), (3, 3), (1, 1), (0, 0))
    ]
    assert [t.score for t in (zero, one, two)] == [np.float32(s) for s in (0.3, 0.2, 0.3)]
    assert one.cost == np.float32(0.2) + np.float32(1)
    assert (two.status, three.status) == (Status.DIVERGED, Status.WAITING)
    assert store.trials(study.id)[0].curves == {}


def test_first_epoch_wins_ties_and_cost_breaks_them(
    store: Store, study: StudyRecord, make_chunk: Chunk
):
    for epoch, cost in ((1, 0.5), (2, 0.5), (3, 0.4), (4, 0.4), (5, 0.6)):
        store.record_chunk(study.id, 0, make_chunk(epoch, [0.25], [cost]))
    trial = store.trials(study.id)[0]
    assert (trial.best_epoch, trial.score, trial.cost) == (3, 0.25, np.float32(0.4))


def test_broken_epochs_are_never_best(store: Store, study: StudyRecord, make_chunk: Chunk):
    bad = [(NAN, 0.1), (0.1, NAN), (INF, 0.1), (-INF, 0.1)]
    for epoch, (score, cost) in enumerate(bad, start=1):
        store.record_chunk(study.id, 0, make_chunk(epoch, [score], [cost]))
    assert store.trials(study.id)[0].best_epoch == 0
    assert store.trials(study.id)[0].epochs == 4
    store.record_chunk(study.id, 0, make_chunk(5, [0.9], [INF]))
    trial = store.trials(study.id)[0]
    assert (trial.best_epoch, trial.score, trial.cost) == (5, np.float32(0.9), INF)


def test_an_epoch_recorded_again_counts_as_recorded_last(
    store: Store, study: StudyRecord, make_chunk: Chunk
):
    store.record_chunk(study.id, 0, make_chunk(1, [0.5, 0.5]))
    store.record_chunk(study.id, 0, make_chunk(1, [0.4, NAN]))
    zero, one, *_ = store.trials(study.id, curves=True)
    assert zero.curves["dev_score"].tolist() == [np.float32(0.4)]
    assert one.curves["dev_score"].tolist() == [0.5]


def test_a_missing_epoch_is_nan(store: Store, study: StudyRecord, make_chunk: Chunk):
    store.record_chunk(study.id, 0, make_chunk(3, [0.5]))
    store.record_chunk(study.id, 0, make_chunk(1, [0.75]))
    trial = store.trials(study.id, curves=True)[0]
    np.testing.assert_array_equal(trial.curves["dev_score"], np.float32([0.75, NAN, 0.5]))
    assert (trial.epochs, trial.best_epoch) == (3, 3)


def test_other_metrics_and_wide_floats_are_kept(store: Store, study: StudyRecord):
    metrics = {"train_cost": np.array([1e300]), "dev_cost": np.array([0.1]), "dev_score": [1 / 3]}
    metrics["weird '); metric"] = np.array([7])
    store.record_chunk(study.id, 0, ChunkRecord(1, np.array([0]), metrics, {}, np.array([1])))
    curves = store.trials(study.id, curves=True)[0].curves
    assert curves["train_cost"].tolist() == [INF]
    assert curves["dev_score"].tolist() == [np.float32(1 / 3)]
    assert curves["weird '); metric"].tolist() == [7]


def test_empty_chunk_is_harmless(store: Store, study: StudyRecord, make_chunk: Chunk):
    store.record_chunk(study.id, 0, make_chunk(1, []))
    assert all(t.epochs == 0 for t in store.trials(study.id, curves=True))
    other = store.create_study("none", {})
    assert store.trials(other.id, curves=True) == []


def test_wrong_chunks_are_refused(store: Store, study: StudyRecord, make_chunk: Chunk):
    good = make_chunk(1, [0.1, 0.2])
    short = ChunkRecord(1, good.trials, {**good.metrics, "dev_cost": np.zeros(1)}, {}, good.steps)
    with pytest.raises(UsageError, match=r"`dev_cost` of a chunk of 2 trials must have the shape"):
        store.record_chunk(study.id, 0, short)
    steps = ChunkRecord(1, good.trials, good.metrics, {}, np.zeros((2, 2)))
    with pytest.raises(UsageError, match="`steps` of a chunk"):
        store.record_chunk(study.id, 0, steps)
    less = {k: v for k, v in good.metrics.items() if k != "dev_score"}
    with pytest.raises(UsageError, match="must have the metric dev_score"):
        store.record_chunk(study.id, 0, ChunkRecord(1, good.trials, less, {}, good.steps))
    assert store.trials(study.id, curves=True)[0].curves == {}


def test_best_trials_follow_the_rank_key(store: Store, study: StudyRecord, make_chunk: Chunk):
    new = [(n, TrialSpec({}, seed=n)) for n in range(4, 40)]
    store.propose(study.id, new, Event(2.0, "propose"))
    rng = np.random.default_rng(0)
    scores, costs = rng.integers(0, 4, 38) / 8, rng.integers(0, 3, 38) / 8
    store.record_chunk(study.id, 0, make_chunk(1, scores, costs))
    ranked = sorted(store.trials(study.id), key=Trial.rank_key)
    assert store.best_trials(study.id, 10) == ranked[:10]
    assert store.best_trials(study.id) == ranked[:1]
    assert store.best_trials(study.id, 100) == ranked[:38]  # two trials have no score
    assert store.best_trials(study.id, 2, among={7, 30, 39, 99}) == [
        t for t in ranked if t.number in (7, 30)
    ]
    assert store.best_trials(study.id, among=()) == []


def test_more_trials_than_one_statement_takes(store: Store, make_chunk: Chunk):
    study, count = store.create_study("wide", {}), 12_000
    spec = TrialSpec({}, seed=0)
    store.propose(study.id, [(n, spec) for n in range(count)], Event(1.0, "propose"))
    scores = np.random.default_rng(0).permutation(count) / count
    statuses = dict.fromkeys(range(count), Status.RUNNING)
    store.record_chunk(study.id, 0, make_chunk(1, scores, statuses=statuses))
    best = store.best_trials(study.id, 3)
    assert [t.number for t in best] == np.argsort(scores)[:3].tolist()
    with store._database.reading() as connection:
        done = "SELECT count(*) FROM trial WHERE status = 'running' AND epochs = 1"
        assert connection.exec_driver_sql(done).scalar_one() == count


def test_the_best_are_found_without_sorting_all(sqlite_store: Store):
    """Quick for any number of trials; a server's planner decides by the data, SQLite's does not."""
    with sqlite_store._database.reading() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT * FROM trial WHERE study_id = 1 AND score IS NOT NULL "
            "ORDER BY score, cost, number LIMIT 1"
        ).all()
    assert "USING INDEX ix_trial_study_id_score_cost_number" in str(plan)
    assert "TEMP B-TREE" not in str(plan)


values = st.sampled_from([0.0, 0.25, 0.5, 1.0, NAN, INF])
cells = st.fixed_dictionaries({"dev_score": values, "dev_cost": values, "train_cost": values})
chunks = st.lists(st.dictionaries(st.integers(0, 3), cells, min_size=1), max_size=6)


@settings(max_examples=60)
@given(chunks)
def test_summaries_follow_from_the_curves(
    shared: Store, recorded: list[dict[int, dict[str, float]]]
):
    study = shared.create_study("x", {})
    shared.propose(study.id, [(n, TrialSpec({}, seed=n)) for n in range(4)], Event(1.0, "propose"))
    for epoch, members in enumerate(recorded, start=1):
        metrics = {
            m: [c[m] for c in members.values()] for m in ("dev_score", "dev_cost", "train_cost")
        }
        arrays = {m: np.array(v, np.float32) for m, v in metrics.items()}
        numbers = np.array(list(members))
        shared.record_chunk(study.id, 0, ChunkRecord(epoch, numbers, arrays, {}, 10 * numbers))
    for trial in shared.trials(study.id, curves=True):
        history = [chunk.get(trial.number) for chunk in recorded]
        trained = [
            cell is not None and not all(math.isnan(v) for v in cell.values()) for cell in history
        ]
        epochs = max((i for i, t in enumerate(trained, start=1) if t), default=0)
        assert trial.epochs == epochs
        best = (INF, INF, 0)
        for epoch, cell in enumerate(history[:epochs], start=1):
            for metric, curve in trial.curves.items():
                value = NAN if cell is None else cell[metric]
                assert curve.shape == (epochs,)
                np.testing.assert_equal(float(curve[epoch - 1]), value)
            if cell and math.isfinite(cell["dev_score"]) and not math.isnan(cell["dev_cost"]):
                new = (cell["dev_score"], cell["dev_cost"], epoch)
                best = new if new[:2] < best[:2] else best
        assert (trial.score, trial.cost, trial.best_epoch) == best


def test_the_curves_of_one_trial_are_those_among_all(
    store: Store, study: StudyRecord, make_chunk: Chunk
):
    store.record_chunk(study.id, 0, make_chunk(1, [0.5, 0.4, 0.3]))
    store.record_chunk(study.id, 0, make_chunk(2, [0.4, NAN], trials=[1, 0]))
    store.record_chunk(study.id, 1, make_chunk(3, [0.2, 0.3], trials=[1, 0]))
    for trial in store.trials(study.id, curves=True):
        (own,) = store.curves_of(study.id, [trial])
        known = {name: curve for name, curve in trial.curves.items() if len(curve)}
        assert set(own) == set(known)
        for name, curve in known.items():
            np.testing.assert_array_equal(own[name], curve)
    assert len(store.curves_of(study.id, store.trials(study.id)[1:2])[0]["dev_score"]) == 3
    assert store.curves_of(study.id, []) == []


def test_no_more_is_read_than_the_epochs_of_the_trials_in_question(
    store: Store, study: StudyRecord, make_chunk: Chunk, monkeypatch: pytest.MonkeyPatch
):
    for epoch in (1, 2, 3):
        store.record_chunk(study.id, 0, make_chunk(epoch, [0.5, 0.4], trials=[0, 1]))
        store.record_chunk(study.id, 1, make_chunk(epoch, [0.3, 0.2], trials=[2, 3]))
    whole, read = store.trials(study.id, curves=True), list[int]()
    kept = _chunks._trained

    def counted(blocks: Mapping[str, np.ndarray]) -> np.ndarray:
        read.append(len(blocks["dev_score"]))
        return kept(blocks)

    monkeypatch.setattr(_chunks, "_trained", counted)
    monkeypatch.setattr(_chunks, "_AT_ONCE", 2)
    for chosen, epochs in (([0], 3), ([1, 2], 6), ([0, 1, 2, 3], 6)):
        read.clear()
        found = store.curves_of(study.id, [whole[number] for number in chosen])
        assert len(read) == epochs
        for number, curves in zip(chosen, found, strict=True):
            for name, curve in whole[number].curves.items():
                np.testing.assert_array_equal(curves[name], curve)


@pytest.mark.parametrize("named", [0, 1_000])
@pytest.mark.parametrize("among", [[], [1], [0, 2], {2, 1, 0}, [9], [2, 9, 1]])
def test_trials_of_some_numbers_are_those_among_all(
    store: Store,
    study: StudyRecord,
    make_chunk: Chunk,
    among: Collection[int],
    named: int,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(_trials, "_NAMED", named)  # one by one, or as all between them
    store.record_chunk(study.id, 0, make_chunk(1, [0.5, 0.4, 0.3]))
    store.record_chunk(study.id, 0, make_chunk(2, [0.4, 0.2], trials=[1, 0]))
    some = [t for t in store.trials(study.id, curves=True) if t.number in among]
    assert store.trials(study.id, among=among) == [replace(t, curves={}) for t in some]
    read = store.trials(study.id, curves=True, among=among)
    assert [t.number for t in read] == [t.number for t in some]
    for one, other in zip(read, some, strict=True):
        for name, curve in other.curves.items():
            np.testing.assert_array_equal(one.curves[name], curve)


@pytest.mark.parametrize("first", [0, 1, 2, 9])
def test_late_trials_are_those_among_all(
    store: Store, study: StudyRecord, make_chunk: Chunk, first: int
):
    store.record_chunk(study.id, 0, make_chunk(1, [0.5, 0.4, 0.3]))
    store.record_chunk(study.id, 0, make_chunk(2, [0.4, 0.2], trials=[1, 0]))
    late = [t for t in store.trials(study.id, curves=True) if t.number >= first]
    read = store.trials(study.id, curves=True, first=first)
    assert [t.number for t in read] == [t.number for t in late]
    for one, other in zip(read, late, strict=True):
        assert one.rank_key() == other.rank_key()
        for name, curve in other.curves.items():
            np.testing.assert_array_equal(one.curves[name], curve)


def test_epochs_recorded_since_a_trial_was_read_are_not_of_its_curves(
    store: Store, study: StudyRecord, make_chunk: Chunk
):
    store.record_chunk(study.id, 0, make_chunk(1, [0.5, 0.4, 0.3]))
    trial = store.trials(study.id)[0]
    store.record_chunk(study.id, 0, make_chunk(2, [0.4, 0.2, 0.1]))
    assert store.curves_of(study.id, [trial])[0]["dev_score"].tolist() == [np.float32(0.5)]
