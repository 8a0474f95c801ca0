"""Studies that go on after their end, by another space or sampler, and proposals by people."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import deepwell as dw
from deepwell.records import Observation, Status
from deepwell.search.spaces._plain import space_from_plain
from deepwell.storage import open_store
from deepwell.study._given import Given
from deepwell.study._warm import (
    WarmStart,
    aligned,
    best_first,
    warm_from_plain,
    warm_to_plain,
    within,
)

SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "hidden_units": dw.integer(3, 9),
    "hidden_layers": 1,
    "batch_size": 16,
}
HARMLESS = {"learning_rate": dw.log(1e-8, 1e-7)}  # nothing learned there is ever the best


def table(rows=90, seed=5):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3)).round(3)
    y = np.where(x[:, 0] + 0.3 * rng.normal(size=rows) > 0, "yes", "no")
    return {f"c{i}": x[:, i] for i in range(3)} | {"y": y}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dw.load(table(), target="y", vault=tmp_path_factory.mktemp("vault"))


@pytest.fixture(scope="module")
def ended(data, tmp_path_factory):
    """Return a store with a study that has ended; tests go on with copies of it."""
    store = tmp_path_factory.mktemp("ended")
    begun(data, store).run(trials=5, epochs=6)
    return store


@pytest.fixture
def store(ended, tmp_path):
    shutil.copytree(ended, tmp_path / "store")
    return tmp_path / "store"


def begun(data, store, **options):
    return dw.Study(data, SPACE, name="mine", store=store, seed=1, **options)


def kept(store, kind, name="mine"):
    with open_store(store, create=False) as opened:
        return [event.details for event in opened.events(opened.study(name).id, kind)]


def weights(store, name="mine"):
    return (store / name / "model" / "model.safetensors").read_bytes()


def trials_of(store, name="mine"):
    with open_store(store, create=False) as opened:
        trials = opened.trials(opened.study(name).id, curves=True)
    return [
        (
            t.number,
            t.spec.to_json(),
            t.status,
            t.score,
            {k: c.tobytes() for k, c in t.curves.items()},
        )
        for t in trials
    ]


def test_a_finished_study_takes_more_networks_and_keeps_its_own(data, store):
    before, old = trials_of(store), dw.open_study("mine", store).result
    result = dw.resume("mine", data, store=store, trials=3).result
    assert (result.networks, result.resumed) == (8, 0)
    assert result.search_notes == ("after 5 networks it was given 3 more",)
    after = trials_of(store)
    assert after[:5] == before
    assert [n for n, *_ in after] == list(range(8))
    assert result.dev.value <= old.dev.value
    assert kept(store, "narrow") == []
    with open_store(store, create=False) as opened:
        assert opened.study("mine").status == "finished"
    assert not (store / "mine" / "checkpoint").exists()


def test_the_best_so_far_stays_the_best_where_the_new_ones_are_worse(data, store):
    old, model = dw.open_study("mine", store).result, weights(store)
    result = dw.resume("mine", data, store=store, trials=2, space=HARMLESS).result
    assert result.best_trial == old.best_trial < 5
    assert (result.dev, result.train) == (old.dev, old.train)
    assert weights(store) == model  # trained again it is the same to the bit


def test_what_changed_is_recorded_and_told(data, store):
    space = {**HARMLESS, "dropout": [0.0, 0.2]}
    result = dw.resume(
        "mine", data, store=store, trials=2, space=space, constraints=["hidden_units <= 8"]
    ).result
    (told,) = kept(store, "narrow")
    assert told["after"] == 5
    new, was = space_from_plain(told["space"]), space_from_plain(told["was"])
    assert was.describe()["learning_rate"] == "log(0.001, 0.1)"
    assert new.describe() == was.describe() | {
        "learning_rate": "log(1e-08, 1e-07)",
        "dropout": "choice(0, 0.2)",
    }
    assert new.constraints == ("hidden_units <= 8",)
    note = result.search_notes[-1]
    assert note.startswith("changed after trial 4: learning_rate log(1e-08, 1e-07) (it was log(")
    assert note.endswith("dropout choice(0, 0.2) (it was the default), hidden_units <= 8")
    assert note in " ".join(dw.open_study("mine", store).report_text().split())
    later = [json.loads(spec)["hyperparameters"] for _, spec, *_ in trials_of(store)[5:]]
    assert all(1e-8 <= values["learning_rate"] <= 1e-7 for values in later)


def test_a_kill_on_the_way_ends_where_no_kill_would(data, store, tmp_path):
    whole = tmp_path / "whole"
    shutil.copytree(store, whole)
    asked = {"trials": 4, "space": {"learning_rate": dw.log(1e-2, 1e-1)}}
    expected = dw.resume("mine", data, store=whole, **asked).result

    class Killed(dw.Observer):
        def __init__(self, after):
            self.left = after

        def on_progress(self, progress):
            self.left -= 1
            if self.left == 0:
                raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        dw.resume("mine", data, store=store, **asked, observer=Killed(3))
    with open_store(store, create=False) as opened:
        assert opened.study("mine").status == "failed"
    result = dw.resume("mine", data, store=store).result
    assert trials_of(store) == trials_of(whole)
    assert weights(store) == weights(whole)
    assert (result.dev, result.best_trial) == (expected.dev, expected.best_trial)
    assert result.resumed == 1


def test_a_study_goes_on_by_narrow_and_run(data, tmp_path):
    study = begun(data, tmp_path)
    with pytest.raises(dw.UsageError, match="has not been run yet"):
        study.narrow(HARMLESS)
    first = study.run(trials=3, epochs=4)
    study.narrow({"learning_rate": dw.log(1e-2, 1e-1)})
    with pytest.raises(dw.UsageError, match="leaves none"):
        study.narrow(constraints=["learning_rate > 1"])
    study.enqueue({"learning_rate": 0.05})
    second = study.run(trials=2)
    assert (second.name, second.networks) == (first.name, 5)
    assert study.history()[3].spec["learning_rate"] == 0.05
    assert study.history()[4].spec.whole("epochs") == 4
    assert study.run(trials=1, epochs=2).name == "mine-2"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"space": HARMLESS}, "needs networks to train"),
        ({"search": "random"}, "needs networks to train"),
        ({"trials": 0}, "`trials` must be"),
        ({"trials": 2, "search": "randon"}, 'did you mean "random"'),
        ({"trials": 2, "space": {"learning_rat": 1}}, 'did you mean "learning_rate"'),
        ({"trials": 2, "constraints": ["hidden_units > 9"]}, "leaves none"),
        ({"trials": 2, "space": {"conv_layers": 1}}, "images"),
        ({"trials": 2, "given": [{"dropout": 2}]}, "`dropout` must be"),
    ],
)
def test_what_cannot_be_leaves_the_study_as_it_is(data, ended, options, said):
    with pytest.raises(dw.UsageError, match=said):
        dw.resume("mine", data, store=ended, **options)
    with open_store(ended, create=False) as opened:
        assert opened.study("mine").status == "finished"
        assert len(opened.trials(opened.study("mine").id)) == 5


def test_configurations_of_your_own_come_first(data, tmp_path):
    study = begun(data, tmp_path, constraints=["hidden_units <= 8"])
    study.enqueue({"learning_rate": 0.5})  # outside of the range
    study.enqueue({"hidden_units": np.int64(7), "dropout": 0})
    result = study.run(trials=4, epochs=3)
    first, second = (trial.spec for trial in study.history()[:2])
    assert first["learning_rate"] == 0.5
    assert 3 <= first.hidden_units[0] <= 8
    assert second.hidden_units == (7,)
    assert result.networks == 4
    assert result.search_notes == ("trials 0, 1 proposed by you",)
    assert kept(tmp_path, "propose")[0]["by"] == {"you": [0, 1]}


def test_units_of_each_layer_may_be_listed_whatever_kind_of_list(data, tmp_path):
    study = begun(data, tmp_path)
    study.enqueue({"hidden_units": [5, 5]})
    study.enqueue({"hidden_units": (6, np.int64(4)), "dropout": [0, 0.1]})
    study.run(trials=2, epochs=2)
    assert [t.spec.hidden_units for t in study.history()] == [(5, 5), (6, 4)]
    assert study.history()[1].spec.dropout == (0, 0.1)


def test_own_configurations_are_tried_in_every_fold(data, tmp_path):
    study = begun(data, tmp_path, folds=2)
    study.enqueue({"learning_rate": 0.5})
    study.run(trials=2, epochs=2)
    assert [t.spec["learning_rate"] == 0.5 for t in study.history()] == [True, True, False, False]
    assert kept(tmp_path, "propose")[0]["by"] == {"you": [0]}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"learning_rat": 0.1}, 'did you mean "learning_rate"'),
        ({"dropout": 1.2}, r"`dropout` must be in \[0, 1\)"),
        ({"hidden_units": 100}, "constraints must leave something"),
        ({"hidden_units": [8, 8], "hidden_layers": 3}, "must be left out or agree"),
        ({"conv_layers": 1}, "images"),
    ],
)
def test_configurations_that_cannot_be_are_refused_at_once(data, tmp_path, values, said):
    study = begun(data, tmp_path, constraints=["hidden_layers * 30 >= hidden_units"])
    with pytest.raises(dw.UsageError, match=said):
        study.enqueue(values)


def test_trials_have_room_for_all_that_was_enqueued(data, tmp_path):
    study = begun(data, tmp_path)
    for rate in (0.1, 0.2):
        study.enqueue({"learning_rate": rate})
    with pytest.raises(dw.UsageError, match="room for the 2 configurations"):
        study.run(trials=1)


def test_more_trials_have_room_for_all_that_is_given(data, ended):
    with pytest.raises(dw.UsageError, match="2 configurations of your own need as many networks"):
        dw.resume("mine", data, store=ended, trials=1, given=[{"dropout": 0}, {"dropout": 0.1}])


def test_what_a_clock_once_cut_short_does_not_stop_what_comes_after(data, ended, tmp_path):
    shutil.copytree(ended, tmp_path / "store")
    with open_store(tmp_path / "store", create=False) as opened:
        record = opened.study("mine")
        opened.record_statuses(record.id, {0: Status.INTERRUPTED}, {})
    result = dw.resume("mine", data, store=tmp_path / "store", trials=2).result
    assert result.stopped == ""
    assert sum(result.statuses.values()) == 7


def test_a_warm_start_tries_the_best_first_and_counts_no_old_trial(data, ended, tmp_path):
    shutil.copytree(ended, tmp_path / "store")
    earlier = dw.open_study("mine", ended).trials()
    warm = dw.Study(data, SPACE, name="warm", store=tmp_path / "store", warm_start="mine", seed=3)
    result = warm.run(trials=8, epochs=6)
    assert result.networks == 8
    best = sorted(earlier, key=lambda trial: trial.rank_key())[:2]
    rates = [trial.spec["learning_rate"] for trial in warm.history()]
    assert rates[:2] == pytest.approx([trial.spec["learning_rate"] for trial in best])
    assert len(set(rates)) == 8
    assert result.search_notes == (
        "the sampler started from 5 configurations of study mine",
        "trials 0, 1 proposed by study mine",
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"warm_start": "nosuch"}, 'no study "nosuch"'),
        ({"warm_start": "mine", "metric": "log_loss"}, "the same metric"),
    ],
)
def test_a_warm_start_from_what_is_no_start_is_refused(data, ended, options, said):
    with pytest.raises(dw.UsageError, match=said):
        dw.Study(data, SPACE, store=ended, **options)


def test_a_warm_start_that_a_constraint_forbids_says_so():
    told = observations(dw.Space(SPACE), [0.3, 0.1])
    highest = max(one.values["learning_rate"] for one in told)
    narrow = dw.Space(SPACE, [f"learning_rate > {highest}"])
    with pytest.raises(dw.UsageError, match="none does: 2 break a constraint; change the space"):
        within(WarmStart("old", True, told), narrow)


def test_other_rows_are_told(store, tmp_path):
    other = dw.load(table(seed=6), target="y", vault=tmp_path / "vault")
    result = dw.Study(other, SPACE, store=store, warm_start="mine").run(trials=2, epochs=6)
    assert result.search_notes[0].endswith("study mine; its rows are others, so scores may shift")


def observations(space, scores):
    units = np.random.default_rng(0).random((len(scores), len(space.searched)))
    return tuple(
        Observation(space.decode(unit), score, score, 6, True)
        for unit, score in zip(units, scores, strict=True)
    )


def test_scores_on_other_rows_are_shifted_by_what_both_trained():
    space = dw.Space(SPACE)
    told = observations(space, [0.3, 0.1, 0.2, float("inf")])
    warm = WarmStart("old", False, told)
    assert aligned(warm, space, []) == told
    own = [replace(told[1], score=0.15), replace(told[2], score=0.27), replace(told[0], score=0.31)]
    assert [one.score for one in aligned(warm, space, own)] == pytest.approx(
        [0.35, 0.15, 0.25, float("inf")]
    )
    assert aligned(replace(warm, same_data=True), space, own) == told
    stopped = [replace(one, epochs=2, finished=False) for one in own]
    assert aligned(warm, space, stopped) == told  # after other epochs scores say nothing of rows
    both = replace(warm, observations=tuple(replace(one, epochs=2, finished=False) for one in told))
    assert aligned(both, space, stopped)[1].score == pytest.approx(0.15)


def test_the_best_of_an_earlier_study_are_those_inside_the_space():
    wide = dw.Space(SPACE)
    told = observations(wide, [0.5, 0.4, 0.3, 0.2, 0.1])
    warm = WarmStart("old", True, told)
    assert [given.values for given in best_first(warm, wide, 8)] == [told[4].values, told[3].values]
    assert len(best_first(warm, wide, None)) == 4
    assert best_first(warm, wide, 3) == ()
    low = min(one.values["learning_rate"] for one in told)
    narrow = dw.Space({**SPACE, "learning_rate": dw.log(low / 2, low * 1.001)})
    assert all(isinstance(given, Given) for given in best_first(warm, narrow, None))
    assert len(best_first(warm, narrow, None)) == 1


def test_what_is_tried_first_is_the_earlier_configuration_to_the_bit():
    """Else what both studies trained would differ by rounding, and shift no score."""
    space = dw.Space(
        {**SPACE, "dropout": dw.uniform(0, 0.5), "momentum": dw.one_minus_log(0.5, 0.99)}
    )
    told = tuple(  # numbers as people write them
        replace(
            one,
            values={
                name: float(f"{value:.3g}") if isinstance(value, float) else value
                for name, value in one.values.items()
            },
        )
        for one in observations(space, list(np.linspace(0.1, 0.5, 80)))
    )
    warm = WarmStart("old", False, told)
    assert any(space.decode(space.encode(one.values)) != one.values for one in told)
    for one in told:
        (given,) = best_first(replace(warm, observations=(one,)), space, None)
        assert given.values == one.values
        own = [replace(one, values=given.values, score=one.score + 0.25)]
        shifted = aligned(warm, space, own)
        assert shifted[0].score == pytest.approx(told[0].score + 0.25)


def test_equal_scores_of_an_earlier_study_go_by_cost_and_then_by_number():
    space = dw.Space(SPACE)
    told = observations(space, [0.3] * 5)
    costs = (float("nan"), 0.5, float("nan"), 0.2, 0.2)
    told = tuple(replace(one, cost=cost) for one, cost in zip(told, costs, strict=True))
    found = best_first(WarmStart("old", True, told), space, None)
    assert [given.values for given in found] == [told[n].values for n in (3, 4, 1, 0)]


def test_a_warm_start_comes_back_whole():
    space = dw.Space(SPACE)
    warm = WarmStart("old", False, observations(space, [0.3, float("inf")]))
    back = warm_from_plain(json.loads(json.dumps(warm_to_plain(warm))))
    assert back is not None
    assert [one.score for one in back.observations] == [0.3, float("inf")]
    ids = [[space.identity(one.values) for one in w.observations] for w in (warm, back)]
    assert ids[0] == ids[1]
    assert warm_from_plain(None) is None
