"""Rounds of proposals for samplers that learn: sizes, what is told, breaks between and in them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.study.breaking import Failing, check_always

import deepwell as dw
from deepwell.records import Observation, Status, Trial, TrialSpec
from deepwell.report._plan_lines import plan_lines
from deepwell.report._progress import progress_line
from deepwell.search import SAMPLERS
from deepwell.search.samplers._sampler import Sampler
from deepwell.search.schedulers._across_folds import configurations
from deepwell.storage import open_store
from deepwell.study import _course
from deepwell.study._budget import Clock
from deepwell.study._comparable import comparable
from deepwell.study._history import History
from deepwell.study._observations import observed
from deepwell.study._on_the_way import OnTheWay
from deepwell.study._round_sizes import LEAST, MOST, round_sizes

SPACE = {
    "learning_rate": dw.log(1e-4, 1e-1),
    "hidden_units": dw.integer(2, 7),
    "hidden_layers": 1,
    "batch_size": 16,
}


@given(st.integers(1, 3000), st.integers(0, 40))
def test_rounds_have_all_networks_and_are_few_and_large_enough(trials: int, axes: int) -> None:
    assert round_sizes(trials, axes, learns=False) == (trials,)
    sizes = round_sizes(trials, axes, learns=True)
    assert sum(sizes) == trials
    assert 1 <= len(sizes) <= max(1, min(MOST, trials // LEAST))
    assert max(sizes[1:], default=0) - min(sizes[1:], default=0) <= 1
    if len(sizes) > 1:
        assert sizes[0] >= min(2 * axes, trials // 2)
        assert max(sizes[1:]) <= sizes[0]
        assert min(sizes) >= LEAST
        assert round_sizes(trials, axes, learns=True, given=20)[0] >= min(20, trials)


def learned(domain, history, n, key):
    """Draw at random, at rates above the best one so far: what it saw shows in what it proposes."""
    told = [o for o in history if not math.isnan(o.score)]
    low = min((float(o.values["learning_rate"]) for o in told), default=1e-4)
    narrow = type(domain)({**domain, "learning_rate": dw.log(min(low * 1.1, 9e-2), 1e-1)})
    return SAMPLERS["random"](narrow, [], n, key)


@pytest.fixture(autouse=True)
def learning(monkeypatch):
    monkeypatch.setitem(SAMPLERS._entries, "learning", Sampler(learned, learns=True))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(90, 3))
    columns = {f"c{i}": x[:, i] for i in range(3)}
    return dw.load(
        columns | {"y": np.where(x[:, 0] > 0, "yes", "no")},
        target="y",
        vault=tmp_path_factory.mktemp("vault"),
    )


class Hearing(Failing):
    """Keeps the plans that are told as well."""

    def __init__(self, after=0):
        super().__init__(after)
        self.plans = []

    def on_plan(self, plan):
        self.plans.append(plan)


def begin(data, store, observer=None, trials=27, budget=None, **options):
    study = dw.Study(
        data, SPACE, search="learning", name="mine", store=store, observer=observer, **options
    )
    return study, study.run(trials=trials, epochs=9, budget=budget)


def left(store):
    with open_store(store, create=False) as opened:
        record = opened.study("mine")
        trials = [(t.spec, t.status, t.epochs, t.score) for t in opened.trials(record.id)]
        proposed = [e.details for e in opened.events(record.id, "propose")]
    model = (store / "mine" / "model" / "model.safetensors").read_bytes()
    return trials, proposed, model, dw.open_study("mine", store).result.statuses


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    store = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SAMPLERS._entries, "learning", Sampler(learned, learns=True))
        heard = Hearing()
        study, result = begin(data, store, heard)
    return study, result, store, heard


def test_a_sampler_that_learns_is_asked_again_when_scores_are_there(whole):
    study, result, store, heard = whole
    assert result.networks == 27
    assert [p["networks"] for p in left(store)[1]] == [9, 9, 9]
    rates = [t.spec.number("learning_rate") for t in study.history()]
    assert min(rates[9:18]) > min(rates[:9])
    assert min(rates[18:]) > min(rates[:18])
    (plan,) = heard.plans
    assert (plan.networks, plan.rounds) == (27, (9, 9, 9))
    assert "27 networks in 3 rounds" in plan_lines(plan)[0]
    assert study.plan(trials=27, epochs=9).rounds == (9, 9, 9)
    assert study.plan(trials=10, epochs=9).rounds == (10,)


def test_progress_is_that_of_all_rounds(whole):
    told = whole[3].told
    shares = [p.share for p in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert [p.rounds for p in told] == [3] * len(told)
    assert sorted({p.round for p in told}) == [1, 2, 3]
    ends = [p.share for p in told if p.rung_ended and p.rung == p.rungs]
    assert ends == pytest.approx([9 / 27, 18 / 27, 1.0])
    assert "round 1/3 rung 1/" in progress_line(told[0])


def test_configurations_that_were_proposed_are_counted_without_reading_trials(whole, monkeypatch):
    with open_store(whole[2], create=False) as opened:
        history = History(opened, opened.study("mine"))
        monkeypatch.setattr(opened, "trials", None)
        assert history.proposed() == 27


def test_others_propose_all_at_once(data, tmp_path):
    heard = Hearing()
    dw.Study(data, SPACE, store=tmp_path, observer=heard).run(trials=27, epochs=3)
    assert heard.plans[0].rounds == (27,)
    assert "round" not in plan_lines(heard.plans[0])[0]
    assert "round" not in progress_line(heard.told[0])


@pytest.mark.parametrize("often", [True, False])
@pytest.mark.parametrize("after", [5, 13, 17, 24])
def test_a_break_in_any_round_changes_nothing(after, often, data, whole, tmp_path, monkeypatch):
    if often:
        check_always(monkeypatch)
    with pytest.raises(RuntimeError, match="broken"):
        begin(data, tmp_path, Hearing(after))
    dw.resume("mine", data, store=tmp_path)
    assert left(tmp_path) == left(whole[2])


class BetweenRounds(Clock):
    """A clock whose budget is used up when as many networks as the first round has have ended."""

    history = None

    def over(self):
        if self.budget is None or BetweenRounds.history is None:
            return False
        store, study = BetweenRounds.history.store, BetweenRounds.history.record.id
        return all(t.status.over for t in store.trials(study)) and bool(store.trials(study))


def test_a_stop_between_rounds_is_a_stop_and_the_others_come_later(
    data, whole, tmp_path, monkeypatch
):
    kept = _course._train

    def watched(job, history, *others):
        BetweenRounds.history = history
        return kept(job, history, *others)

    with monkeypatch.context() as patch:
        patch.setattr(_course, "Clock", BetweenRounds)
        patch.setattr(_course, "_train", watched)
        _, result = begin(data, tmp_path, budget=1000)
    assert result.stopped == "the time budget was used up"
    assert result.networks == 9
    assert "interrupted" not in result.statuses
    dw.resume("mine", data, store=tmp_path, budget=1000)
    assert left(tmp_path) == left(whole[2])


def test_folds_are_rounds_of_configurations(data, tmp_path):
    heard = Hearing()
    study, _ = begin(data, tmp_path, heard, trials=18, folds=2)
    assert heard.plans[0].rounds == (9, 9)
    assert heard.plans[0].networks == 36
    assert len(study.history()) == 36
    with open_store(tmp_path, create=False) as opened:
        assert History(opened, opened.study("mine")).proposed() == 18
    assert {t.status for t in study.history()} <= {
        Status.FINISHED, Status.PRUNED, Status.EARLY_STOPPED
    }  # fmt: skip


def test_a_budget_alone_makes_rounds_while_time_is_left(data, tmp_path, monkeypatch):
    shares, before = [], []

    def sized(_left, _each, share, done=0):
        shares.append(share)
        before.append(done)
        return 8 if len(shares) < 4 else 0

    for module in ("_rounds", "_course"):
        monkeypatch.setattr(f"deepwell.study.{module}.round_size", sized)
    study, _ = begin(data, tmp_path, trials=None, budget=60)
    assert len(study.history()) == 24
    assert shares == [0.25] * 4
    assert before == [0, 8, 16, 24]


def test_a_budget_for_a_few_networks_trains_them_at_once(data, tmp_path, monkeypatch):
    monkeypatch.setattr("deepwell.study._rounds.seconds_a_network", lambda *_: 8.0)
    study = dw.Study(data, SPACE, store=tmp_path)
    assert [study.plan(budget=left).rounds for left in (64, 60, 15, 5)] == [(8,), (7,), (1,), (1,)]


def test_a_study_that_goes_on_after_its_end_learns_in_rounds_too(data, tmp_path):
    heard = Hearing()
    begin(data, tmp_path, trials=18)
    finished = dw.resume("mine", data, store=tmp_path, trials=18, observer=heard)
    assert [p["networks"] for p in left(tmp_path)[1]] == [9, 9, 9, 9]
    assert heard.plans[0].rounds == (9, 9)
    assert {(p.round, p.rounds) for p in heard.told} == {(1, 2), (2, 2)}
    assert heard.told[-1].share == pytest.approx(1.0)
    rates = [t.spec.number("learning_rate") for t in finished.trials()]
    assert min(rates[27:]) > min(rates[:27])


def test_networks_that_time_ran_out_for_were_never_proposed(data, tmp_path, monkeypatch):
    """The second round is interrupted at once: nothing is known of it, and it is tried later."""
    told: list[list[Observation]] = []

    def heard(domain, history, n, key):
        told.append(list(history))
        return SAMPLERS["quasi-random"](domain, history, n, key)

    class InSecondRound(Clock):
        def over(self):
            return self.budget is not None and bool(told) and bool(told[-1])

    monkeypatch.setitem(SAMPLERS._entries, "learning", Sampler(heard, learns=True))
    for module in ("_rounds", "_course"):
        monkeypatch.setattr(f"deepwell.study.{module}.round_size", lambda *_: 8)
    with monkeypatch.context() as patch:
        patch.setattr(_course, "Clock", InSecondRound)
        study, result = begin(data, tmp_path, trials=None, budget=60)
    assert result.stopped == ""
    late = study.history()[8:]
    assert {(t.status, t.epochs) for t in late} == {(Status.INTERRUPTED, 0)}
    assert [observed(t).pending for t in study.history()] == [False] * 8 + [True] * 8
    trials = dw.resume("mine", data, store=tmp_path, trials=8).trials()
    second, third = [seen for seen in told if seen]
    assert len(second) == len(third) == 8
    assert all(math.isfinite(one.score) for one in third)
    values = [t.spec.hyperparameters for t in trials]
    assert values[16:] == values[8:16]
    assert all(math.isfinite(t.score) for t in trials[16:])


def folded(number, status, epochs=0, score=math.inf):
    spec = TrialSpec({"learning_rate": 0.1}, seed=number // 2, fold=number % 2 + 1, folds=2)
    curves = {"dev_score": np.full(epochs, score, np.float32)} if epochs else {}
    return Trial(number, spec, status, epochs, min(epochs, 1), score, score, curves=curves)


def test_a_configuration_that_lacks_a_fold_is_no_failure():
    trials = [
        folded(0, Status.FINISHED, 3, 0.25),
        folded(1, Status.FINISHED, 3, 0.75),
        folded(2, Status.FINISHED, 3, 0.25),
        folded(3, Status.INTERRUPTED),  # never trained
        folded(4, Status.PRUNED, 1, 0.5),
        folded(5, Status.DIVERGED, 1),
        folded(6, Status.FINISHED, 3, 0.25),
        folded(7, Status.FAILED, 1),
    ]
    seen = [observed(one) for one in configurations(trials, 2)]
    assert [one.pending for one in seen] == [False, True, False, False]
    assert [one.score for one in seen if not one.pending] == [0.5, math.inf, math.inf]
    told, epochs = comparable(trials, OnTheWay(), 2)
    assert epochs == 1
    assert [one.score for one in told] == [0.5, math.inf]


@pytest.mark.parametrize(
    ("status", "epochs", "score", "seen"),
    [
        (Status.WAITING, 0, math.inf, math.nan),
        (Status.RUNNING, 2, 0.5, 0.5),
        (Status.INTERRUPTED, 2, 0.5, 0.5),
        (Status.INTERRUPTED, 0, math.inf, math.nan),
        (Status.PRUNED, 0, math.inf, math.nan),  # by hand, before its first epoch
        (Status.PRUNED, 2, 0.5, 0.5),
        (Status.DIVERGED, 0, math.inf, math.inf),
        (Status.FAILED, 0, math.inf, math.inf),
    ],
)
def test_what_samplers_see_of_a_network(status, epochs, score, seen):
    assert observed(folded(0, status, epochs, score)).score == pytest.approx(seen, nan_ok=True)
