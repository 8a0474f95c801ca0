"""The last training of a cross-validated study that fails: a fold's network is saved, and told."""

import json

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell.diagnosis import METRICS
from deepwell.execution._local import LocalEngine
from deepwell.report._json import fit_json
from deepwell.report._terminal import study_lines
from deepwell.study import _train_on_all, _verdicts, open_study
from deepwell.training._program import Outcome

ROWS, FOLDS = 150, 3
FIXED = {
    "hidden_layers": 1,
    "hidden_units": 6,
    "batch_size": 16,
    "batch_norm": "before",
    "batch_norm_statistics": "exact",
}


def table():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(ROWS, 2))
    signal = x[:, 0] + x[:, 1] ** 2 + 0.5 * rng.normal(size=ROWS)
    a = x[:, 0].tolist()
    a[3] = None  # its column has a flag for blanks where this row is a train row
    return pl.DataFrame({"a": a, "b": x[:, 1], "y": 9 + 4 * signal})


class Diverging(LocalEngine):
    """Says of the one network that it trains that it diverged."""

    def states(self, numbers):
        told = {"outcome": np.asarray(Outcome.DIVERGED, np.int64)}
        return {n: {**state, **told} for n, state in super().states(numbers).items()}


class Forgetful(LocalEngine):
    """Has no memory for a network."""

    def states(self, numbers):
        return {}


@pytest.mark.parametrize(
    ("engine", "why"), [(Diverging, "it diverged"), (Forgetful, "memory ran out")]
)
def test_a_fold_s_network_is_saved(engine, why, tmp_path, monkeypatch):
    monkeypatch.setattr(_train_on_all, "LocalEngine", engine)
    told = []
    judged = _verdicts.training_findings
    monkeypatch.setattr(
        _verdicts, "training_findings", lambda ended: told.append(ended) or judged(ended)
    )
    data = dw.load(table(), target="y", vault=tmp_path / "in", name="folded")
    study = dw.Study(data, folds=FOLDS, fixed=FIXED, store=tmp_path)
    result = study.run(trials=6, epochs=12)
    assert (result.refit_failure, result.refit_epochs) == (why, 0)
    fold = result.saved_fold
    assert sorted(result.folds)[1] == result.folds[fold - 1]  # the middle one of three
    trial = study.history()[result.best_trial]
    assert trial.spec.fold == fold
    assert study.best.about["trial"] == result.best_trial

    folds = study._folds
    assert told[0].best.spec.fold == fold  # the findings are about the same network
    np.testing.assert_array_equal(told[0].data.dev.y, folds.data(fold - 1).dev.y)
    assert len({len(encoder.mean) for encoder in folds.encoders}) > 1
    rows = data.pool.frame[folds.places[fold - 1]]
    loss = METRICS["rmse"].loss(rows["y"].to_numpy(), study.best.predict(rows), np.ones(len(rows)))
    assert loss == pytest.approx(result.folds[fold - 1], rel=1e-5)

    text = " ".join("\n".join(study_lines(result)).split())
    assert f"the saved network is that of fold {fold}, trained on the rows of the others" in text
    assert f"trained on all of these rows, {why}" in text
    again = open_study("folded", tmp_path)
    assert again.result.saved_fold == fold
    told = json.loads(json.dumps(fit_json(again.result)))
    assert (told["saved_fold"], told["refit_failure"]) == (fold, why)
    opening = again.open_test()[-1]
    assert (opening.trial, opening.number) == (result.best_trial, 1)
    assert f"that of fold {fold}" in " ".join(
        (tmp_path / "folded" / "report.txt").read_text().split()
    )


def test_a_network_on_all_rows_is_told_as_such(tmp_path):
    data = dw.load(table(), target="y", vault=tmp_path / "in", name="folded")
    result = dw.Study(data, folds=FOLDS, fixed=FIXED, store=tmp_path).run(trials=2, epochs=4)
    assert (result.saved_fold, result.refit_failure) == (0, "")
    assert result.refit_epochs > 0


def test_progress_tells_the_best_mean_over_folds(tmp_path):
    told = []

    class Watching(dw.Observer):
        def on_progress(self, progress):
            told.append(progress.best)

    data = dw.load(table(), target="y", vault=tmp_path / "in", name="folded")
    study = dw.Study(
        data,
        folds=FOLDS,
        fixed={"hidden_layers": 1, "hidden_units": 6},
        store=tmp_path,
        scheduler="none",
        observer=Watching(),
    )
    result = study.run(trials=4, epochs=6)
    assert told[0] is None
    scores = [best for best in told if best is not None]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 1
    assert scores[-1] == pytest.approx(np.mean(result.folds), rel=1e-5)
