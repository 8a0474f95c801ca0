"""What a study's predictions tell: sections, calibration stored with the model, sets that cover."""

import json

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.diagnosis._temperature import at_temperature
from deepwell.study import open_study
from deepwell.study._reopened import reopen

N = 900


def rows(n: int, seed: int) -> pl.DataFrame:
    """Two overlapping classes, one rarer; every fourth shop is a coin's throw; a number."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 3))
    shop = generator.choice(["north", "south", "east", "west"], n)
    odds = np.where(shop == "west", 0.0, 6 * x[:, 0] - 5.0)
    return pl.DataFrame(
        {
            **{f"x{j}": x[:, j] for j in range(3)},
            "twin": x[:, 1] + 0.01 * generator.normal(size=n),
            "shop": shop,
            "amount": 10 + 3 * x[:, 0] + generator.normal(size=n),
            "bought": np.where(generator.random(n) < 1 / (1 + np.exp(-odds)), "yes", "no"),
        }
    )


FIXED = {"hidden_layers": 1, "hidden_units": 8, "batch_size": 32, "learning_rate": 0.02}


def fitted(folder, target="bought", **options):
    aside = {"bought": "amount", "amount": "bought"}[target]
    table = folder / "shop.csv"
    rows(N, 0).write_csv(table)
    data = dw.load(table, target=target, ignore=[aside], vault=folder / "in", name=target)
    study = dw.Study(data, fixed=FIXED, store=folder, program="native", **options)
    study.run(trials=4, epochs=40)
    return study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("predictions")


@pytest.fixture(scope="module")
def study(folder):
    return fitted(folder)


@pytest.fixture(scope="module")
def amounts(folder):
    return fitted(folder, "amount")


def test_a_diagnosis_has_all_sections(study, folder):
    told = {s.name: s for s in open_study("bought", folder).diagnose().sections}
    assert {"probabilities", "slices", "labels", "columns", "coverage"} <= set(told)
    codes = {name: [f.code for f in section.findings] for name, section in told.items()}
    assert codes["probabilities"] == ["DW213", "DW214", "DW214", "DW215"]
    assert codes["slices"] == ["DW212"]
    assert codes["labels"] == ["DW211"]
    slices = told["slices"].facts["found"]
    assert slices[0]["where"] == ["shop = west"]
    assert told["slices"].findings[0].level == "problem"
    columns = told["columns"].facts["columns"]
    assert columns[0]["columns"] == ["x0"]
    assert ["x1", "twin"] in [one["columns"] for one in columns]
    text = str(open_study("bought", folder).diagnose())
    assert max(len(line) for line in text.splitlines() if "deepwell" not in line) <= 80
    json.dumps([section.to_plain() for section in told.values()], allow_nan=False)


def test_numbers_have_slices_columns_and_intervals(amounts, folder):
    told = {s.name for s in open_study("amount", folder).diagnose().sections}
    assert {"slices", "labels", "columns", "coverage"} <= told
    assert "probabilities" not in told


def test_row_numbers_are_those_of_the_file(study, folder):
    """Labels that are flipped in the file come back with the numbers of their rows."""
    generator = np.random.default_rng(1)
    x = generator.normal(size=(800, 2))
    label = np.where(x[:, 0] > 0, "a", "b")
    wrong = generator.choice(800, 60, replace=False)
    label[wrong] = np.where(label[wrong] == "a", "b", "a")
    label = label.astype(object)
    label[::50] = None  # rows without a target do not shift the numbers
    table = folder / "flipped.csv"
    pl.DataFrame({"u": x[:, 0], "v": x[:, 1], "label": label.tolist()}).write_csv(table)
    data = dw.load(table, target="label", vault=folder / "in", name="flipped")
    dw.Study(data, fixed=FIXED, store=folder, program="native").run(trials=4, epochs=40)
    sections = open_study("flipped", folder).diagnose().sections
    facts = next(s for s in sections if s.name == "labels").facts
    listed = np.array([one["row"] for one in facts["suspects"]])
    assert len(listed) >= 10
    fewer = open_study("flipped", folder).mislabeled(rate=0.03)
    assert len(fewer) <= len(listed)
    assert set(fewer["row"]) <= set(listed.tolist())
    with pytest.raises(UsageError, match="`rate` must be above 0"):
        open_study("flipped", folder).mislabeled(rate=1)
    assert np.isin(listed - 1, wrong).mean() >= 0.9
    assert not np.isin(listed - 1, np.arange(0, 800, 50)).any()
    read = pl.read_csv(table)
    assert [one["label"] for one in facts["suspects"]] == read["label"][
        (listed - 1).tolist()
    ].to_list()


def test_sets_hold_the_class_of_fresh_rows(study, folder):
    fresh = rows(6_000, 7)
    model = study.best
    truth = fresh["bought"].to_numpy()
    for coverage in (0.8, 0.9, 0.95):
        for adaptive in (False, True):
            inside = model.predict_set(fresh, coverage, adaptive)
            held = inside[np.arange(len(fresh)), np.searchsorted(model.classes, truth)]
            assert held.mean() >= coverage - 0.05
            if coverage == 0.95:
                assert 0.92 <= held.mean() <= 0.985
    assert inside.shape == (6_000, 2)
    again = dw.load_model("bought", store=str(folder))
    np.testing.assert_array_equal(again.predict_set(fresh), model.predict_set(fresh))


def test_intervals_hold_the_amount_of_fresh_rows(amounts):
    fresh = rows(6_000, 8)
    model = amounts.best
    truth = fresh["amount"].to_numpy()
    for adaptive in (False, True):
        ends = model.predict_interval(fresh, 0.95, adaptive)
        held = ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean()
        assert 0.92 <= held <= 0.98
    columns = model.predict_frame(fresh, coverage=0.9)
    assert list(columns) == ["prediction", "low", "high"]
    assert (columns["low"] < columns["prediction"]).all()


def test_sets_and_intervals_refuse_what_they_cannot_do(study, amounts):
    fresh = rows(5, 9)
    with pytest.raises(UsageError, match="use predict_set"):
        study.best.predict_interval(fresh)
    with pytest.raises(UsageError, match="use predict_interval"):
        amounts.best.predict_set(fresh)
    with pytest.raises(UsageError, match="above 0 and below 1"):
        study.best.predict_set(fresh, 1.0)
    with pytest.raises(UsageError, match=r"at most 0\.994. for the 180 dev rows"):
        study.best.predict_set(fresh, 0.999)
    with pytest.raises(UsageError, match="cannot be given together"):
        study.best.predict_frame(fresh, samples=5, coverage=0.9)


def test_rows_of_a_single_column_are_predicted_where_it_has_no_value(tmp_path):
    x = np.random.default_rng(11).normal(size=200)
    inputs = [None if i % 9 == 0 else value for i, value in enumerate(x.tolist())]
    data = dw.load({"x": inputs, "y": 2 * x}, target="y", vault=tmp_path / "in")
    study = dw.Study(data, fixed=FIXED, store=tmp_path, program="native")
    study.run(trials=1, epochs=2)
    new, notes = tmp_path / "new.csv", []
    new.write_text('x\n"1"\n""\n\n"3"\n')
    predicted = study.best.predict_frame(new, notes=notes)["prediction"]
    np.testing.assert_array_equal(predicted, study.best.predict({"x": [1.0, None, 3.0]}))
    assert notes == ['new.csv: 1 blank line skipped; write "" for a row without a value']


def test_a_word_among_decimal_commas_is_named(amounts, tmp_path):
    commas = pl.col("x0").cast(pl.String).str.replace(".", ",", literal=True)
    word = pl.when(pl.int_range(800) == 699).then(pl.lit("abc")).otherwise(commas)
    new = rows(800, 12).with_columns(word.alias("x0"))
    new.write_csv(tmp_path / "new.csv", separator=";")
    with pytest.raises(UsageError, match='column "x0" must hold numbers, got "abc" in row 700'):
        amounts.best.predict(tmp_path / "new.csv")


def test_a_temperature_is_stored_and_used(study, folder):
    plain = dw.load_model("bought", store=str(folder))
    fresh = rows(200, 10)
    finished = open_study("bought", folder)
    found = finished.calibrate(threshold="cost=5")
    model = finished.model()
    kept = model.adjustments
    assert kept.threshold == found.threshold.value < 0.5
    assert kept.temperature == (found.scaling.temperature if found.kept else 1.0)
    p = plain.predict_proba(fresh)
    np.testing.assert_allclose(model.predict_proba(fresh), at_temperature(p, kept.temperature))
    second = model.predict_proba(fresh)[:, 1]
    assert (model.predict(fresh) == np.where(second > kept.threshold, "yes", "no")).all()
    description = json.loads((folder / "bought" / "model" / "model.json").read_text())
    assert description["format"] == 2
    finished.calibrate(temperature=False)
    back = finished.model()
    np.testing.assert_array_equal(back.predict_proba(fresh), p)
    assert back.adjustments == plain.adjustments
    assert json.loads((folder / "bought" / "model" / "model.json").read_text())["format"] == 1


def test_the_test_set_is_scored_with_the_decisions(tmp_path):
    study = fitted(tmp_path, metric="balanced_error")
    finished = open_study("bought", tmp_path)
    finished.calibrate(temperature=False, threshold="balanced_error")
    reopened = reopen(finished, tmp_path)
    model = finished.model()
    assert model.adjustments.threshold < 0.5
    opening = finished.open_test()[-1]
    plain = study.result.dev.value
    decided = model.decisions(reopened.dev_prediction)
    dev = reopened.metric.loss(reopened.y_dev, decided, reopened.data.dev.weight)
    assert dev < plain
    assert opening.test.value < plain + 0.05


def test_what_cannot_be_calibrated_is_refused(amounts, study, folder):
    with pytest.raises(UsageError, match="no probabilities"):
        open_study("amount", folder).calibrate()
    with pytest.raises(UsageError, match="f1, balanced_error or cost=R"):
        open_study("bought", folder).calibrate(threshold="best")


def test_importance_is_a_frame(study):
    frame = study.column_importance()
    assert frame.columns == ["columns", "change", "low", "high"]
    assert frame["columns"][0].to_list() == ["x0"]
    assert (frame["low"] <= frame["change"]).all()
    assert frame["change"].is_sorted(descending=True)


def test_a_cross_validated_study_is_told_out_of_fold(tmp_path):
    study = fitted(tmp_path, folds=3)
    finished = open_study("bought", tmp_path)
    told = {s.name: s for s in finished.diagnose().sections}
    bins = told["probabilities"].facts["calibration"]["bins"]
    assert sum(one["rows"] for one in bins) == sum(study.data.facts.sizes[:2])
    assert "columns" not in told
    with pytest.raises(UsageError, match="held out"):
        finished.column_importance()
    reopened = reopen(finished, tmp_path)
    error = (reopened.held.prediction.argmax(axis=1) != reopened.held.y).mean()
    assert error == pytest.approx(study.result.dev.value, abs=0.03)
    finished.calibrate()


def test_rows_from_memory_are_given_again(tmp_path):
    data = dw.load(rows(300, 3), target="bought", ignore=["amount"], vault=None, name="memory")
    study = dw.Study(data, fixed=FIXED, store=tmp_path, program="native")
    study.run(trials=2, epochs=10)
    with pytest.raises(UsageError, match="came from memory"):
        open_study("memory", tmp_path).calibrate()
    assert study.calibrate().rows == data.facts.sizes[1]
