"""People's labels at a fit: never an input, the best possible score, the network beside them."""

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.study import open_study

FIXED = {"hidden_layers": 1, "hidden_units": 8, "batch_size": 64, "learning_rate": 0.02}


def table(n: int = 1_200, seed: int = 0) -> pl.DataFrame:
    """Two classes of which one row in five is a coin's throw; people are right in nine of ten."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 3))
    y = np.where(generator.random(n) < 0.2, generator.random(n) < 0.5, x[:, 0] > 0)
    said = np.where(generator.random(n) < 0.1, ~y, y)
    asked = generator.random(n) < 0.6
    words = [["no", "yes"][int(s)] if a else None for s, a in zip(said, asked, strict=True)]
    return pl.DataFrame(
        {
            **{f"x{j}": x[:, j] for j in range(3)},
            "y": np.where(y, "yes", "no"),
            "doctor": pl.Series(words, dtype=pl.String),
            "amount": 3 * x[:, 0] + generator.normal(size=n),
            "guess": 3 * x[:, 0] + generator.normal(size=n),
        }
    )


def loaded(**options):
    given = {"target": "y", "ignore": ["amount", "guess"], "vault": None} | options
    return dw.load(table(), **given)


def test_people_are_never_an_input_and_keep_their_rows():
    data = loaded(human_labels="doctor")
    assert {c.name for c in data.table_encoder.columns} == {"x0", "x1", "x2"}
    assert data.human is not None
    parts = (data.human.train, data.human.dev)
    assert [len(p) for p in parts] == [len(data.train), len(data.dev)]
    for rows, said in zip((data.train, data.dev), parts, strict=True):
        known = ~np.isnan(said)
        assert 0.5 < known.mean() < 0.7
        assert (said[known] != rows.y[known]).mean() == pytest.approx(0.1, abs=0.04)
    assert loaded().human is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    table().write_csv(folder / "ward.csv")
    return folder


def test_their_score_is_the_best_possible_one(folder):
    data = dw.load(
        folder / "ward.csv",
        target="y",
        ignore=["amount", "guess"],
        human_labels="doctor",
        vault=folder / "in",
    )
    study = dw.Study(data, fixed=FIXED, store=folder, program="native")
    found = {f.code: f for f in study.run(trials=2, epochs=20).findings}
    bias = next(f for code, f in found.items() if "best" in f.evidence)
    assert bias.evidence["best"]["source"] == "human labels"
    assert bias.evidence["best_possible"] == pytest.approx(0.1, abs=0.03)
    people = found["DW119"]
    assert people.evidence["rows"] == int((~np.isnan(data.human.dev)).sum())
    again = open_study("ward", folder).diagnose()
    told = [f for f in again.findings if f.code == "DW119"]
    assert [f.evidence for f in told] == [people.evidence]
    best = next(s for s in again.sections if s.name == "error").facts["best"]
    assert best["source"] == "human labels"
    assert "by human labels" in str(again)


def test_a_given_score_goes_first_and_probabilities_have_no_people(folder):
    data = loaded(human_labels="doctor")
    given = dw.Study(data, fixed=FIXED, store=folder, name="given", best_possible=0.02)
    found = given.run(trials=1, epochs=3).findings
    assert {f.evidence["best"]["source"] for f in found if "best" in f.evidence} == {"given"}
    loss = dw.Study(data, fixed=FIXED, store=folder, name="loss", metric="log_loss")
    codes = [f.code for f in loss.run(trials=1, epochs=3).findings]
    assert "DW119" not in codes


def test_numbers_have_people_too(folder):
    data = loaded(target="amount", ignore=["y", "doctor"], human_labels="guess")
    study = dw.Study(data, fixed=FIXED, store=folder, name="numbers")
    found = {f.code: f for f in study.run(trials=1, epochs=15).findings}
    assert found["DW119"].evidence["rows"] == len(data.dev)
    assert found["DW119"].level == "ok"  # people guess with the noise of two


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"human_labels": "docter"}, 'did you mean "doctor"'),
        ({"human_labels": "y"}, "is the target; it cannot be another thing too"),
        ({"human_labels": "amount"}, "one of the 2 classes no, yes"),
        ({"human_labels": "empty"}, "no human label in a train or dev row"),
    ],
)
def test_what_is_no_label_is_refused(options, words):
    rows = table().with_columns(pl.lit(None, dtype=pl.String).alias("empty"))
    with pytest.raises(UsageError, match=words):
        dw.load(rows, target="y", ignore=["guess"], vault=None, **options)
