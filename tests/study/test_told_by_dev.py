"""Any library's predictions: calibration, confusion, slices, labels and sets from a table alone."""

import numpy as np
import pytest

import deepwell as dw


def table(n: int = 1_200, seed: int = 0, sharp: float = 1.0):
    """Two classes with probabilities, sharper than right where `sharp` is above 1."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(0, 2, n)
    shop = generator.choice(["north", "south", "west"], n)
    p = 1 / (1 + np.exp(-np.where(shop == "west", 0.2 * logit, logit)))
    said = 1 / (1 + np.exp(-sharp * logit))
    return {
        "truth": np.where(generator.random(n) < p, "yes", "no"),
        "probability_no": 1 - said,
        "probability_yes": said,
        "part": np.where(np.arange(n) < n // 2, "train", "dev"),
        "shop": shop,
        "age": generator.uniform(18, 80, n),
    }


def test_all_sections_are_told_of_the_dev_rows():
    by_loss = dw.diagnose_predictions(table(sharp=3.0), metric="log_loss")
    told = {s.name: s for s in by_loss.sections}
    assert list(told) == ["error", "probabilities", "slices", "coverage", "labels"]
    calibration = told["probabilities"].findings[0]
    assert (calibration.code, calibration.level) == ("DW213", "problem")
    assert calibration.claim == "probabilities too sure"
    assert told["slices"].facts["found"][0]["where"] == ["shop = west"]
    counts = np.array(told["probabilities"].facts["confusion"]["counts"])
    assert counts.sum() == 600


def test_answers_alone_have_slices_where_there_are_columns():
    given = table()
    answers = np.where(given["probability_yes"] > 0.5, "yes", "no")
    plain = {k: v for k, v in given.items() if not k.startswith("probability")}
    told = dw.diagnose_predictions(plain | {"prediction": answers})
    assert [s.name for s in told.sections] == ["error", "slices"]
    bare = {k: v for k, v in plain.items() if k in ("truth", "part")}
    told = dw.diagnose_predictions(bare | {"prediction": answers})
    assert [s.name for s in told.sections] == ["error"]


def test_numbers_have_intervals():
    generator = np.random.default_rng(1)
    truth = generator.normal(size=400)
    told = dw.diagnose_predictions(
        {
            "truth": truth,
            "prediction": truth + 0.5 * generator.normal(size=400),
            "part": ["train"] * 200 + ["dev"] * 200,
        }
    )
    assert [s.findings[0].level for s in told.sections if s.name == "labels"] == ["unsure"]
    (coverage,) = [s for s in told.sections if s.name == "coverage"]
    assert coverage.facts["reach"] == pytest.approx(0.98, abs=0.15)


def test_row_numbers_are_those_of_the_table():
    generator = np.random.default_rng(2)
    n = 1_000
    y = generator.integers(0, 2, n)
    margin = 2 * generator.gamma(3, 1, n)
    yes = 1 / (1 + np.exp(-np.where(y == 1, margin, -margin)))
    wrong = generator.choice(np.arange(n // 2, n), 40, replace=False)
    label = y.copy()
    label[wrong] = 1 - label[wrong]
    told = dw.diagnose_predictions(
        {
            "truth": np.array(["no", "yes"])[label],
            "probability_no": 1 - yes,
            "probability_yes": yes,
            "part": np.where(np.arange(n) < n // 2, "train", "dev"),
        }
    )
    (labels,) = [s for s in told.sections if s.name == "labels"]
    rows = np.array([one["row"] for one in labels.facts["suspects"]]) - 1
    assert len(rows) > 8
    assert np.isin(rows, wrong).mean() >= 0.9
