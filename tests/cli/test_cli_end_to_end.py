"""The whole way: a real table in, a tested network out."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

FIT = [
    *("fit", "iris.csv", "--target", "label", "--trials", "6", "--epochs", "5"),
    *("--hidden-layers", "1", "--hidden-units", "8", "--batch-size", "16"),
]


@pytest.fixture
def here(deepwell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert deepwell("sample", "iris").code == 0
    return tmp_path


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def test_a_dry_run_writes_nothing(deepwell, here: Path) -> None:
    planned = deepwell(*FIT, "--dry-run", "--json")
    assert planned.code == 0
    assert planned.json["plan"]["networks"] == 6
    assert [p.name for p in here.iterdir()] == ["iris.csv"]


def test_fit_show_test_predict_report(deepwell, here: Path) -> None:
    fitted = deepwell(*FIT, "--json")
    assert (fitted.code, fitted.err) == (0, "")
    told = fitted.json
    assert told["task"] == "classification"
    assert told["networks"] == 6
    assert told["programs"] == told["plan"]["programs"] == 1
    assert told["best"]["hidden_units"] == [8]
    assert told["dev"]["low"] <= told["dev"]["value"] <= told["dev"]["high"]
    assert (here / told["model"] / "model.json").is_file()

    assert told["program"] in ("native", "jax")
    assert told["compile_seconds"] >= 0
    assert told["networks_per_second"] == pytest.approx(6 / told["seconds"])
    assert 0 < told["gemm_share"] <= 1

    shown = deepwell("show", "iris", "--json").json
    assert shown.pop("search")["facts"]["edges"] == []  # six networks tell of no range
    assert (shown.pop("notes"), shown.pop("tags")) == ([], [])
    assert shown == told
    for text in (deepwell("show", "iris").out, (here / told["report"]).read_text()):
        words = " ".join(text.split())
        assert f"{told['program']} program" in words
        assert "networks a second" in words
        assert "% of the machine's matrix rate" in words

    first = deepwell("test", "iris", "--json").json
    assert (first["openings"], first["unbiased"]) == (1, True)
    second = deepwell("test", "iris")
    assert "the test set was opened 2 times" in second.out
    for text in ((here / told["report"]).read_text(), deepwell("report", "iris").out):
        assert "The test set was opened 2 times" in text
        assert "is no longer an unbiased" in text

    assert deepwell("predict", "iris", "iris.csv", "-o", "p.csv").code == 0
    predicted = rows(here / "p.csv")
    classes = ["setosa", "versicolor", "virginica"]
    assert predicted[0] == ["prediction", *(f"probability_{c}" for c in classes)]
    assert len(predicted) == 151
    for row in predicted[1:]:
        shares = [float(share) for share in row[1:]]
        assert sum(shares) == pytest.approx(1, abs=1e-6)
        assert row[0] == classes[shares.index(max(shares))]

    alone = subprocess.run(
        [sys.executable, "-m", "deepwell", "predict", told["model"], "iris.csv", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    columns = json.loads(alone.stdout)["columns"]
    assert columns["prediction"] == [row[0] for row in predicted[1:]]
    expected = [float(row[1]) for row in predicted[1:]]
    assert columns["probability_setosa"] == pytest.approx(expected, abs=1e-6)

    again = deepwell(*FIT)
    assert again.code == 0
    assert "name      iris-2, since iris was taken" in again.out
    value = 100 * told["dev"]["value"]
    assert f"result    dev error {value:.1f} %" in again.out  # same seed, same numbers


def test_a_column_says_the_parts_of_the_rows(deepwell, here: Path) -> None:
    lines = (here / "iris.csv").read_text().splitlines()
    parts = ["Train", "train", "train", "Valid", "test"]
    rows = [f"{line},{parts[i % 5]}" for i, line in enumerate(lines[1:])]
    Path("parts.csv").write_text("\n".join([f"{lines[0]},part", *rows]))
    options = ("--split-column", "part", "--trials", "2", "--epochs", "2")
    fit = deepwell("fit", "parts.csv", "--target", "label", *options)
    assert fit.code == 0, fit.err
    assert "part says which rows are train, dev and test: not an input" in fit.out
    assert "60 / 20 / 20 as the column says: 90 train and 30 dev rows; 30 test rows" in " ".join(
        fit.out.split()
    )
    told = json.loads(deepwell("show", "parts", "--json").out)["data"]
    assert (told["split"], told["sizes"], told["features"]) == ("column", [90, 30, 30], 4)
    assert deepwell("test", "parts").code == 0
    Path("new.csv").write_text("\n".join(lines))  # without the column
    assert deepwell("predict", "parts", "new.csv").code == 0
    folded = deepwell("fit", "parts.csv", "--target", "label", *options, "--folds", "3")
    assert folded.code == 2
    assert "`folds` cannot be used here: the split column says which rows are dev" in folded.err


def test_changes_on_the_way_are_kept_and_told(deepwell, here: Path) -> None:
    changes = ("--change", "2:learning_rate=1e-3", "--change", "3: dropout=0.1, l2=0.01")
    fit = deepwell(*FIT, *changes)
    assert fit.code == 0, fit.err
    told = "2: learning_rate=0.001; 3: dropout=0.1; 3: l2=0.01"
    assert f"change {told}" in " ".join(fit.out.split())
    assert json.loads(deepwell("show", "iris", "--json").out)["best"]["change"] == told
    assert told in Path("deepwell/iris/report.txt").read_text()
    late = deepwell(*FIT, "--change", "5:learning_rate=1e-3")
    assert (late.code, late.out) == (2, "")
    assert "`change` after epoch 5 never comes, since networks train 5 epochs" in late.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fit", "iris.csv"), "target"),
        (("fit", "iris.csv", "--target", "lable"), 'did you mean "label"?'),
        (("fit", "nosuch.csv", "--target", "label"), "nosuch.csv"),
        (("fit", ".", "--target", "label"), "directory"),
        (("fit", "iris.csv", "--target", "label", "--metric", "rmse"), "metric"),
        (("fit", "iris.csv", "--target", "label", "--scheduler", "halvin"), '"halving"'),
        (("fit", "iris.csv", "--target", "label", "--budget", "soon"), "budget"),
        (("fit", "iris.csv", "--target", "label", "--split", "group"), "--group"),
        (("fit", "iris.csv", "--target", "label", "--split-column", "petal"), "petal"),
        (("fit", "iris.csv", "--target", "label", "--conv-layers", "1"), "needs images"),
        ((*FIT, "--optimizer", "optax:lion", "--program", "native"), "optax:lion from Optax"),
        ((*FIT, "--optimizer", "optax:nosuch"), "no optimizer of Optax"),
        ((*FIT, "--change", "2:learning_rate=0"), "`learning_rate` must be above 0, got 0"),
        ((*FIT, "--change", "2:hidden_units=4"), "cannot change while a network trains"),
        ((*FIT, "--dropout", "0.1,0.2"), "so `hidden_layers` must be 2"),
        ((*FIT, "--split-colum", "label"), '"--split-column"? deepwell fit --help tells more'),
        (("show", "nosuch"), "no store"),
        (("predict", "nosuch", "iris.csv"), "no store"),
    ],
)
def test_wrong_usage_is_one_sentence_and_leaves_nothing(
    deepwell, here: Path, arguments: tuple[str, ...], words: str
) -> None:
    refused = deepwell(*arguments)
    assert refused.code == 2, refused.err
    assert words in refused.err
    assert refused.err.startswith("error: ")
    assert refused.err.count("\n") == 1
    assert refused.out == ""
    assert [p.name for p in here.iterdir()] == ["iris.csv"]
