"""A cross-validated study: folds side by side, decisions on means, a last network on all rows."""

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.diagnosis import METRICS, unpaired_difference
from deepwell.search.schedulers._across_folds import configurations
from deepwell.study import open_study

RANDOM = np.random.default_rng(6)
ROWS, FOLDS = 150, 3
X = RANDOM.normal(size=(ROWS, 3))
TABLE = pl.DataFrame(
    {
        **{f"x{j}": X[:, j] for j in range(3)},
        "amount": 50 + 9 * X[:, 0] + RANDOM.normal(size=ROWS),
        "y": np.where(X[:, 0] * X[:, 1] + 0.3 * RANDOM.normal(size=ROWS) > 0, "yes", "no"),
    }
)
FIXED = {"hidden_layers": 1, "hidden_units": 6, "batch_size": 16}


def made(store, target="y", program="native", **options):
    aside = {"y": ["amount"], "amount": ["y"]}[target]
    data = dw.load(TABLE, target=target, ignore=aside, vault=store / "in", name="folded")
    return dw.Study(data, folds=FOLDS, fixed=FIXED, store=store, program=program, **options)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    place = tmp_path_factory.mktemp("folds")
    one = made(place)
    one.run(trials=9, epochs=20)
    return one, place


def test_each_configuration_is_a_trial_a_fold(study):
    one, _ = study
    trials = one.history()
    assert len(trials) == 9 * FOLDS
    for trial in trials:
        assert trial.spec.folds == FOLDS
        assert trial.spec.fold == trial.number % FOLDS + 1
        first = trials[trial.number // FOLDS * FOLDS].spec
        assert trial.spec.hyperparameters == first.hyperparameters
        assert trial.spec.seed == first.seed
    # a configuration is pruned as a whole
    for together in (trials[i : i + FOLDS] for i in range(0, len(trials), FOLDS)):
        pruned = {t.status.value for t in together} - {"early stopped"}
        assert len(pruned) <= 1
    assert {t.status.value for t in trials} >= {"pruned", "finished"}


def test_the_best_is_the_best_on_average(study):
    one, _ = study
    result, trials = one.result, one.history()
    means = configurations(trials, FOLDS)
    best = min(means, key=lambda t: (t.score, t.cost))
    assert result.best_trial == best.number
    assert result.refit_epochs == best.best_epoch
    assert np.mean(result.folds) == pytest.approx(best.score, abs=1e-6)
    assert len(result.folds) == FOLDS
    # each fold's score is what its network had at its best epoch
    scores = [trials[best.number + f].score for f in range(FOLDS)]
    np.testing.assert_allclose(result.folds, scores, atol=1e-6)
    # all rows together, each once
    sizes = [len(part[1]) for part in one._folds.parts]
    assert result.dev.value == pytest.approx(np.average(result.folds, weights=sizes), abs=1e-6)


def test_the_saved_network_is_trained_on_all_rows(study):
    """Refitted by a study of its own: all rows train rows, as many epochs, the same seed."""
    one, _ = study
    from deepwell.execution._backends import choose_backend
    from deepwell.execution._local import LocalEngine
    from deepwell.records import TrialSpec
    from deepwell.study._arrays import shape_of, training_rows

    result, whole = one.result, one._folds.whole
    spec = one.history()[result.best_trial].spec
    engine = LocalEngine(training_rows(whole), shape_of(whole, "error"), choose_backend("native"))
    values = {**spec.hyperparameters, "epochs": result.refit_epochs, "patience": 0}
    alone = {0: TrialSpec(values, spec.seed, spec.order_seed)}
    engine.prepare(alone, engine.plan(alone, 1))
    list(engine.train([0], result.refit_epochs, lambda: False))
    state = engine.states([0])[0]
    for name, array in one.best.parameters.items():
        np.testing.assert_array_equal(array, state[name])
    assert one.best.table_encoder.to_plain() == whole.table_encoder.to_plain()
    assert one.best.predict(TABLE[:5]).shape == (5,)
    assert one.open_test()[-1].test.value < 0.5


def test_the_simple_models_are_cross_validated_too(study):
    one, _ = study
    folds = one._folds
    guess = one.result.baselines[0].estimate.value
    majority = [
        METRICS["error"].loss(dev.y, np.eye(2)[np.full(len(dev), np.bincount(train.y).argmax())])
        for train, dev in folds.parts
    ]
    assert guess == pytest.approx(np.average(majority, weights=[len(d) for _, d in folds.parts]))


def test_no_row_repeats_itself(study):
    """All rows are train and dev rows, and are looked at once where equal inputs are counted."""
    one, _ = study
    assert {"DW117", "DW118"}.isdisjoint(f.code for f in one.result.findings)


def test_train_and_dev_scores_of_the_same_rows_are_compared_row_by_row(study):
    one, _ = study
    result = one.result
    [gap, *_] = [f.evidence["gap"] for f in result.findings if "gap" in f.evidence]
    apart = unpaired_difference(result.dev, result.train)
    assert gap["value"] == pytest.approx(apart.value)
    assert gap["high"] - gap["low"] < 0.95 * (apart.high - apart.low)


def test_what_is_shown(study):
    from deepwell.report._json import fit_json
    from deepwell.report._terminal import study_lines
    from deepwell.report._text_report import text_report

    one, place = study
    text = " ".join("\n".join(study_lines(one.result)).split())
    assert "27 networks (9 configurations x 3 folds)" in text
    assert "3-fold error" in text
    assert "mean of 3 folds" in text
    assert f"for {one.result.refit_epochs} epoch" in text
    assert fit_json(one.result)["folds"] == list(one.result.folds)
    assert "fold" in one.trials().columns
    report = (place / "folded" / "report.txt").read_text()
    assert report == text_report(
        one.result, one.history(), one.probe_records(one.result.best_trial)
    )
    assert "best of 9 trials" in report  # configurations
    assert "3-fold error" in report
    assert "dev error" not in report
    assert "chosen by their mean error over folds" in " ".join(report.split())
    assert "conv_" not in report


def test_numbers_are_in_the_target_s_unit(tmp_path):
    one = made(tmp_path, "amount")
    result = one.run(trials=2, epochs=12)
    best = min(configurations(one.history(), FOLDS), key=lambda t: t.score)
    assert np.mean(result.folds) == pytest.approx(best.score, rel=1e-5)
    assert 0.5 < result.dev.value < 9


def test_an_interrupted_study_ends_where_an_unbroken_one_does(tmp_path):
    """Stopped inside the search and resumed from its checkpoint, weights and scores to the bit."""

    class Stop(dw.Observer):
        def on_progress(self, progress):
            if progress.rung == 2 and not progress.rung_ended:
                raise KeyboardInterrupt

    whole = made(tmp_path / "a")
    whole.run(trials=9, epochs=20)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "b", observer=Stop()).run(trials=9, epochs=20)
    aside = ["amount"]
    data = dw.load(TABLE, target="y", ignore=aside, vault=tmp_path / "b" / "in", name="folded")
    again = dw.resume("folded", data, store=tmp_path / "b")
    for name, array in whole.best.parameters.items():
        np.testing.assert_array_equal(array, again.model().parameters[name])
    assert again.result.dev == whole.result.dev
    assert again.result.folds == whole.result.folds
    assert open_study("folded", tmp_path / "b").result.data.notes == whole.result.data.notes


def test_folds_are_advised_only_where_they_can_be_made(tmp_path):
    parts = pl.Series(["train", "train", "train", "dev", "test"] * (ROWS // 5))
    for options, advised in (
        ({}, True),
        ({"split_column": "part"}, False),
        ({"time": "amount"}, False),
        ({"train_dev": 0.1}, False),
    ):
        table = TABLE.with_columns(part=parts)
        data = dw.load(table, target="y", vault=None, ignore=["part"][: not options], **options)
        plan = dw.Study(data, store=tmp_path).plan(trials=2, epochs=2)
        assert ("--folds 5" in plan.advice) == advised, options


def test_bad_folds_are_refused(tmp_path):
    data = dw.load(TABLE, target="y", vault=None)
    for wrong in (1, 101, 2.5, "many", True):
        with pytest.raises(UsageError, match="`folds` must be a whole number from 2 to 100"):
            dw.Study(data, folds=wrong, store=tmp_path)
    few = dw.load(TABLE[:14], target="y", ignore=["amount"], vault=None)
    with pytest.raises(UsageError, match="`folds` must be at most"):
        dw.Study(few, folds=50, store=tmp_path)
