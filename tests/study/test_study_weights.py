"""A study whose rows count more or less, with rows of train held out."""

import numpy as np
import polars as pl
import pytest

from deepwell.data import load
from deepwell.diagnosis import METRICS
from deepwell.study import Study, open_study

RANDOM = np.random.default_rng(1)
ROWS = 500
X = RANDOM.normal(size=(ROWS, 3))
TABLE = pl.DataFrame(
    {
        **{f"x{j}": X[:, j] for j in range(3)},
        "w": RANDOM.integers(1, 6, ROWS),
        "y": np.where(X[:, 0] + RANDOM.normal(size=ROWS) > 1, "yes", "no"),
    }
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    place = tmp_path_factory.mktemp("weights")
    data = load(
        TABLE,
        "y",
        weights="w",
        class_weight="balanced",
        train_dev=0.2,
        name="weighed",
        vault=place / "vault",
    )
    fixed = {"hidden_units": (4,), "learning_rate": 0.01}
    made = Study(data, fixed=fixed, store=place, program="native", metric="error")
    made.run(trials=2, epochs=4)
    return made, place


def test_every_score_counts_the_rows_by_weight(study):
    made, _ = study
    data, result = made.data, made.result
    error = METRICS["error"]
    for rows, told in (
        (data.train, result.train),
        (data.dev, result.dev),
        (data.train_dev, result.train_dev),
    ):
        said = made.best.outputs(rows.x)
        assert told.value == pytest.approx(error.loss(rows.y, said, rows.weight))
        assert told.value != pytest.approx(error.loss(rows.y, said))
        assert told.low < told.value < told.high
    best = next(t for t in made.history() if t.number == result.best_trial)
    assert best.score == pytest.approx(result.dev.value, abs=1e-6)  # what the program has watched
    # balanced classes: a constant is wrong half of the time
    assert result.baselines[0].estimate.value == pytest.approx(0.5, abs=0.1)


def test_the_test_set_is_weighed_alike(study):
    made, place = study
    (opening,) = open_study("weighed", place).open_test()
    from deepwell.data._vault_reader import read_sealed

    frame = read_sealed(made.data.vault)
    said = made.best.predict_proba(frame)
    y = made.data.target_encoder.encode(frame["y"])
    factor = np.array(made.data.weighting.by_class)[y]
    weight = frame["w"].to_numpy() * factor
    wrong = said.argmax(axis=1) != y
    assert opening.test.value == pytest.approx((wrong * weight).sum() / weight.sum())


def test_the_output_shows_the_slice(study):
    from deepwell.report._json import fit_json
    from deepwell.report._terminal import study_lines

    made, place = study
    text = "\n".join(study_lines(made.result))
    assert "240 train, 60 train-dev and 100 dev rows" in " ".join(text.split())
    assert "train-dev error" in text
    assert "class weights no " in text
    assert fit_json(made.result)["train_dev"]["value"] == made.result.train_dev.value
    report = (place / "weighed" / "report.txt").read_text()
    assert "train-dev" in report
