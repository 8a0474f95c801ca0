"""A study's learning curve: sizes, records, units, folds, groups, and where there is none."""

import signal

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.diagnosis import METRICS
from deepwell.diagnosis._learning_curve import extrapolate
from deepwell.study import _learning_curve as module
from deepwell.study import open_study

RANDOM = np.random.default_rng(8)
ROWS = 400
X = RANDOM.normal(size=(ROWS, 3))
TABLE = pl.DataFrame(
    {
        **{f"x{j}": X[:, j] for j in range(3)},
        "amount": 500 + 90 * X[:, 0] * X[:, 1] + 20 * RANDOM.normal(size=ROWS),
        "y": np.where(X[:, 0] * X[:, 1] + 0.3 * RANDOM.normal(size=ROWS) > 0, "yes", "no"),
        "who": [f"p{n % 50}" for n in range(ROWS)],
        "counts": (np.arange(ROWS) % 10 > 0) * 1.0,
    }
)
FIXED = {"hidden_layers": 1, "hidden_units": 12, "batch_size": 16, "learning_rate": 0.01}
ASIDE = {"y": ["amount"], "amount": ["y"]}


def made(store, target="y", table=TABLE, given=None, **options):
    data = dw.load(
        *(table, target),
        **{"ignore": [*ASIDE[target], "who", "counts"], **(given or {})},
        vault=store / "in",
        name="curve",
    )
    one = dw.Study(data, fixed=FIXED, store=store, scheduler="none", **options)
    one.run(trials=2, epochs=6)
    return one


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    place = tmp_path_factory.mktemp("curve")
    one = made(place)
    return one, one.learning_curve(runs=3), place


def test_the_sizes_are_halves_of_halves(measured):
    one, curve, _ = measured
    n = len(one.data.train)
    sizes = [point.rows for point in curve.points]
    assert sizes[-1] == n
    assert sizes == sorted({round(n * 2 ** (-j / 2)) for j in range(len(sizes))})
    assert sizes[0] >= 10
    assert {point.runs for point in curve.points} == {3}
    assert curve.epochs == next(t for t in one.history() if t.number == curve.trial).epochs
    assert curve.dev_rows == len(one.data.dev)
    assert curve.points[0].score.value > curve.points[-1].score.value
    assert (curve.twice is None) == (curve.gain is None) == bool(curve.refusal)


def test_the_same_study_gives_the_same_curve(measured):
    one, curve, _ = measured
    n = len(one.data.train)
    assert 0.5 * one.result.dev.value <= curve.points[-1].score.value
    again = one.learning_curve(runs=3)
    assert [p.score for p in again.points] == [p.score for p in curve.points]
    assert again.points[-1].rows == n


def test_it_is_kept_and_told(measured):
    one, curve, place = measured
    found = open_study(one.name, place)
    kept = module.recorded_curve(found)
    assert kept is not None
    assert [p.score for p in kept.points] == [p.score for p in curve.points]
    diagnosis = one.diagnose()
    section = next(s for s in diagnosis.sections if s.name == "rows")
    assert section.findings[0].code in ("DW501", "DW502", "DW503")
    assert f"{curve.points[0].rows:,}" in repr(diagnosis)
    assert len(found.trials()) == 2  # networks of the curve are no trials of the study


def test_rows_from_memory_must_be_given_again(measured):
    one, _, place = measured
    with pytest.raises(UsageError, match=r"came from memory; .*learning_curve\(load"):
        open_study(one.name, place).learning_curve()
    curve = open_study(one.name, place).learning_curve(one.data, runs=3)
    assert curve.points


@pytest.mark.parametrize("runs", [2, 101, 3.5])
def test_runs_out_of_range(measured, runs):
    with pytest.raises(UsageError, match="`runs` must be"):
        measured[0].learning_curve(runs=runs)


def test_numbers_are_told_in_their_unit(tmp_path):
    one = made(tmp_path, "amount")
    curve = one.learning_curve(runs=3)
    assert 5 < curve.points[-1].score.value < 150
    assert curve.points[-1].score.value == pytest.approx(one.result.dev.value, rel=0.5)


@pytest.mark.parametrize("options", [{"program": "jax"}, {"metric": "auc"}], ids=["jax", "auc"])
def test_other_programs_and_metrics(tmp_path, options):
    curve = made(tmp_path, **options).learning_curve(runs=3)
    scores = [point.score.value for point in curve.points]
    assert np.isfinite(scores).all()
    assert scores[0] > scores[-1]


def test_folds_are_runs_of_their_own(tmp_path):
    one = made(tmp_path, folds=3)
    curve = one.learning_curve(runs=4)
    assert {point.runs for point in curve.points} == {6}  # 2 on each of 3 folds
    assert curve.dev_rows == len(one.data.train) + len(one.data.dev)
    assert curve.points[-1].rows < curve.dev_rows


def test_runs_of_a_fold_share_its_dev_rows(tmp_path, monkeypatch):
    """Leaving a dev row out changes the mean of its own fold, by a third of what it does there."""
    given = []
    monkeypatch.setattr(module, "extrapolate", lambda *a: given.append(a[0]) or extrapolate(*a))
    one = made(tmp_path, folds=3)
    curve = one.learning_curve(runs=4)
    [told] = given
    assert told.fold.tolist() == [0, 0, 1, 1, 2, 2]
    assert len(told.by_group) == curve.dev_rows
    off = told.by_group - told.scores.mean(axis=0)
    n = curve.dev_rows / 3  # an error less among n rows: 1 / (n - 1) of a fold's mean at most
    assert 0 < np.abs(off).max() <= 1 / 3 / (n - 2)
    alone = made(tmp_path / "four", folds=4).learning_curve(runs=4)
    assert {point.runs for point in alone.points} == {4}
    assert given[1].fold is None, "one run a fold has dev rows of its own"
    assert len(given[1].by_group) == 0


def test_rows_of_weight_0_are_no_rows(tmp_path):
    one = made(tmp_path, given={"weights": "counts", "ignore": ["amount", "who"]})
    counting = int((one.data.train.weight > 0).sum())
    assert counting < len(one.data.train)
    assert one.learning_curve(runs=3).points[-1].rows == counting


def test_groups_stay_together(tmp_path):
    one = made(tmp_path, given={"group": "who", "ignore": ["amount", "counts"]})
    together = module._groups(one.data)
    assert together is not None
    assert len(np.unique(together)) == len(set(TABLE["who"])) - _groups_elsewhere(one)
    [order, *_] = module._orders(one.data, 1)
    assert np.count_nonzero(np.diff(together[order])) == len(np.unique(together)) - 1
    assert one.learning_curve(runs=3).points


def _groups_elsewhere(one):
    groups = one.data.pool.frame["who"].to_numpy()
    return 50 - len(set(groups[one.data.pool.train]))


def test_too_few_rows_are_told_and_nothing_is_trained(tmp_path):
    curve = made(tmp_path, table=TABLE[:60]).learning_curve(runs=3)
    assert curve.points == ()
    assert curve.refusal.endswith("train rows are too few, 60 would do")
    section = open_study("curve", tmp_path)
    assert module.recorded_curve(section) == curve


def test_a_network_that_fails_counts_as_a_constant_guess(measured):
    one, _, _ = measured
    scores = np.array([[0.2, np.nan], [0.3, 0.1]])
    filled = module._bounded(scores, one.result)
    worst = max(b.estimate.value for b in one.result.baselines)
    assert filled[0, 1] == max(worst, 0.3)
    assert filled[1].tolist() == [0.3, 0.1]


def test_what_is_worth_having(measured):
    result = measured[0].result
    assert METRICS[result.metric].bounded
    assert module._worth(result, 0.5) == 0.01
    assert module._worth(result, 0.02) == pytest.approx(0.002)


def test_a_person_may_stop_it(measured, monkeypatch):
    one, _, place = measured
    before = len(open_study(one.name, place).notes(module.EVENT))

    class Stopping(dw.Observer):
        def on_progress(self, progress):
            assert 0 < progress.share <= 1
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        open_study(one.name, place).learning_curve(one.data, observer=Stopping(), runs=3)
    assert len(open_study(one.name, place).notes(module.EVENT)) == before
