"""The checks of rows inside a study: every kind of data, told, stored, resumed, with commands."""

import json

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell.data._folds import make_folds
from deepwell.report._json import fit_json
from deepwell.report._terminal import study_lines
from deepwell.study import _data_checks
from deepwell.study._data_checks import check_data, compared, compared_table, data_findings
from deepwell.study._diagnose import diagnose_study

SMALL = {"hidden_layers": 1, "hidden_units": 4}


def frame(n=240, seed=0, shift=0.0):
    draws = np.random.default_rng(seed)
    x = draws.normal(size=(n, 4)).round(4)
    return pl.DataFrame(
        {
            "a": x[:, 0] + shift,
            "b": x[:, 1],
            "city": draws.choice(["Ulm", "Bonn", "Kiel"], n, p=[0.2, 0.3, 0.5]),
            "day": pl.Series(draws.integers(19_000, 19_900, n)).cast(pl.Int32).cast(pl.Date),
            "y": np.where(x[:, 0] + 0.5 * x[:, 3] > 0, "yes", "no"),
        }
    )


def finding(data, code, folds=None):
    found = check_data(data, folds)
    metric = "error" if data.task.classes else "rmse"
    told = data_findings(found, data, metric, 3 if folds else 0)
    return next(f for f in told if f.code == code)


class Listener(dw.Observer):
    def __init__(self):
        self.heard = []

    def on_data_checks(self, checks, findings):
        self.heard.append((checks, findings))


def test_a_study_tells_its_checks_of_rows_and_keeps_them(tmp_path):
    data = dw.load(frame(), target="y", vault=tmp_path / "vault")
    listener = Listener()
    study = dw.Study(data, store=tmp_path, fixed=SMALL, name="one", observer=listener)
    result = study.run(trials=2, epochs=1)
    ((checks, findings),) = listener.heard
    assert checks == result.data_checks
    assert [f.code for f in findings] == ["DW201", "DW202", "DW203", "DW204"]
    assert {f.level for f in findings} == {"ok"}
    assert [f for f in result.findings if f.code.startswith("DW20")] == list(findings)
    told = fit_json(result)
    json.dumps(told, allow_nan=False)
    assert told["data_checks"]["mismatch"][0]["auc"] == checks.mismatch[0].auc
    lines = study_lines(result)
    text = "\n".join(lines)
    found = checks.mismatch[0]
    assert f"train/dev alike (AUC {found.auc:.2f} +- " in text
    assert "no copies across" in text
    assert sum(line.startswith("DW20") for line in lines) == 1
    assert any(line.startswith("DW203 ok  train and dev look alike") for line in lines)
    again = Listener()
    dw.resume("one", store=tmp_path, observer=again)
    assert again.heard[0][0] == checks


def test_the_same_rows_give_the_same_checks():
    data = dw.load(frame(), target="y", vault=None)
    one, other = (check_data(data) for _ in range(2))
    assert one.mismatch == other.mismatch
    assert one.telling == other.telling


def test_given_dev_rows_of_another_kind_are_a_mismatch_with_a_command(tmp_path):
    frame().write_csv(tmp_path / "t.csv")
    frame(80, 1, shift=3.0).write_csv(tmp_path / "d.csv")
    data = dw.load(tmp_path / "t.csv", target="y", dev=tmp_path / "d.csv", test=0, vault=None)
    found = finding(data, "DW203")
    assert found.level == "problem"
    named = {c["name"]: c["words"] for c in found.evidence["columns"]}
    assert "a" in named
    assert set(named) <= {"a", "y"}
    assert named["a"].startswith("mean ")
    assert found.command.split()[:2] == ["deepwell", "fit"]
    assert "--train-dev 0.1" in found.command
    cut = dw.load(
        tmp_path / "t.csv", target="y", dev=tmp_path / "d.csv", test=0, train_dev=0.2, vault=None
    )
    dev, between = check_data(cut).mismatch
    assert (dev.part, between.part) == ("dev", "train-dev")
    assert dev.low > 0.8 > between.high
    assert finding(cut, "DW203").command == ""  # the slice is there


def test_columns_are_told_in_their_own_unit():
    table = frame(600)
    data = dw.load(table, target="y", vault=None)
    columns, x = compared_table(data), compared(data, data.train)
    a, city, day, y = (next(c for c in columns.columns if c.name == n)
                       for n in ("a", "city", "day", "y"))  # fmt: skip
    values = np.sort(table["a"].to_numpy())
    near = np.searchsorted(values, columns.values(x, a) - 1e-5)
    np.testing.assert_allclose(columns.values(x, a), values[near], atol=1e-5)
    labels = np.array([*city.labels, "?"])[columns.codes(x, city)]
    assert set(labels) == {"Ulm", "Bonn", "Kiel"}
    days = columns.values(x, day) + day.start
    assert 18_999 < days.min() < days.max() < 19_901
    np.testing.assert_array_equal(columns.codes(x, y), data.train.y)


def test_a_column_that_is_the_target_is_to_be_ignored(tmp_path):
    leaky = frame().with_columns(pl.col("y").replace({"yes": "gone", "no": "here"}).alias("state"))
    leaky.write_csv(tmp_path / "t.csv")
    data = dw.load(tmp_path / "t.csv", target="y", ignore=["b"], vault=None)
    found = finding(data, "DW202")
    assert (found.level, found.claim) == ("problem", "state is the target under another name")
    assert found.command.endswith("--ignore b --ignore state")


def test_groups_across_the_split_are_told_and_groups_of_the_split_are_units(tmp_path):
    draws = np.random.default_rng(0)
    who = np.repeat(np.arange(50), 6)
    own = draws.normal(size=(50, 3))[who]
    x = own + draws.normal(size=(300, 3))
    table = pl.DataFrame({"patient": who, "a": x[:, 0], "b": x[:, 1],
                          "y": x[:, 0] + own[:, 2] + 0.3 * draws.normal(size=300)})  # fmt: skip
    table.write_csv(tmp_path / "t.csv")
    parted = dw.load(tmp_path / "t.csv", target="y", vault=None)
    found = finding(parted, "DW204")
    assert found.level == "problem"
    assert found.command.endswith("--split group --group patient")
    marked = table.with_columns(part=pl.Series(["train", "dev", "train"] * 100))
    marked.write_csv(tmp_path / "m.csv")
    chosen = dw.load(tmp_path / "m.csv", target="y", split_column="part", test=0, vault=None)
    assert (finding(chosen, "DW204").level, finding(chosen, "DW204").command) == ("problem", "")
    whole = dw.load(tmp_path / "t.csv", target="y", group="patient", vault=None)
    checks = check_data(whole)
    assert checks.straddling == ()
    assert checks.mismatch[0].units == tuple(
        len(np.unique(rows.group)) for rows in (whole.train, whole.dev)
    )


def test_dates_of_rows_that_follow_each_other_are_something_to_check():
    draws = np.random.default_rng(0)
    day = np.arange(300)
    table = pl.DataFrame(
        {
            "day": pl.Series(19_000 + day).cast(pl.Int32).cast(pl.Date),
            "a": draws.normal(size=300),
            "y": np.cumsum(draws.normal(size=300)),
        }
    )
    assert finding(dw.load(table, target="y", vault=None), "DW204").level == "unsure"
    by_time = dw.load(table, target="y", time="day", vault=None)
    assert check_data(by_time).straddling == ()


def test_copies_across_time_are_counted():
    table = frame(200)
    table = pl.concat([table[:150], table[:40], table[150:]])
    table = table.with_columns(when=pl.Series(range(240)))
    table = table.drop("day")
    data = dw.load(table, target="y", time="when", vault=None)
    found = finding(data, "DW201")
    assert found.level == "problem"
    assert found.evidence["exact"] > 0
    assert finding(dw.load(table.drop("when"), target="y", vault=None), "DW201").level == "ok"


def test_every_fold_is_looked_at(monkeypatch):
    data = dw.load(frame(), target="y", vault=None)
    folds = make_folds(data, 3)
    found = check_data(folds.whole, folds)
    (worst,) = found.mismatch
    assert worst.fold in (1, 2, 3)
    assert worst.p_value <= 1.0
    assert finding(folds.whole, "DW203", folds).level == "ok"
    assert found.copies.exact == 0
    assert found.telling is not None
    monkeypatch.setattr(_data_checks, "_MOST_FOLDS", 2)
    assert check_data(folds.whole, folds).left_out == ("mismatch of folds 3 to 3",)


def test_of_images_brightness_and_contrast_are_compared():
    draws = np.random.default_rng(0)
    x, y = draws.random((300, 4, 4, 2)), draws.integers(0, 2, 300)
    bright = draws.random((90, 4, 4, 2))
    bright[..., 1] += 0.5
    dev = (bright, draws.integers(0, 2, 90))
    found = check_data(dw.load((x, y), dev=dev, test=0, vault=None)).mismatch[0]
    assert found.low > 0.9
    assert found.columns[0].name == "brightness of channel 2"
    assert found.columns[0].words.startswith("mean 0.5")


def test_streamed_rows_are_sampled(tmp_path):
    draws = np.random.default_rng(0)
    x = draws.normal(size=(150_000, 12)).astype(np.float32)
    columns = {f"c{j}": x[:, j] for j in range(12)}
    table = pl.DataFrame({**columns, "y": x[:, 0] + x[:, 1], "who": np.arange(150_000) // 500})
    table.drop("who").write_parquet(tmp_path / "t.parquet")
    table.write_parquet(tmp_path / "g.parquet")
    data = dw.load(tmp_path / "t.parquet", target="y", memory="32MB", vault=None)
    assert isinstance(data.train.x, np.memmap)
    found = check_data(data)
    assert found.mismatch[0].low < 0.55
    assert found.mismatch[0].rows[0] < 90_000
    grouped = dw.load(tmp_path / "g.parquet", target="y", group="who", memory="32MB", vault=None)
    assert isinstance(grouped.train.x, np.memmap)
    assert max(check_data(grouped).mismatch[0].units) <= 300


def test_few_rows_and_too_little_memory_are_said(monkeypatch):
    few = dw.load(frame(20), target="y", vault=None)
    found = check_data(few)
    assert found.mismatch == ()
    assert found.left_out == ("mismatch: too few rows to tell any",)
    assert [f.code for f in data_findings(found, few)] == ["DW201"]

    def full(*_):
        raise MemoryError

    monkeypatch.setattr(_data_checks, "_checked", full)
    assert check_data(few).left_out[0].startswith("all checks of the rows")
    assert data_findings(check_data(few), few) == ()
    assert data_findings(None, few) == ()


@pytest.mark.parametrize("name", ["breast-cancer", "wine", "iris", "diabetes", "digits"])
def test_real_tables_raise_no_problem(name, tmp_path):
    dw.write_sample(name, tmp_path / "t.csv")
    goal = "target" if name == "diabetes" else "label"
    data = dw.load(tmp_path / "t.csv", target=goal, vault=None)
    levels = {f.code: f.level for f in data_findings(check_data(data), data)}
    assert set(levels) >= {"DW201", "DW202", "DW203"}
    assert "problem" not in levels.values()
    assert levels["DW202"] == "ok"


def test_a_diagnosis_asks_trees_too(tmp_path):
    """They see that a relation between columns turned round, which no column shows."""
    draws = np.random.default_rng(0)

    def turned(n, sign):
        a = draws.normal(size=n)
        b = sign * a + 0.4 * draws.normal(size=n)
        return pl.DataFrame({"a": a, "b": b, "y": a + draws.normal(size=n)})

    turned(400, 1).write_csv(tmp_path / "t.csv")
    turned(150, -1).write_csv(tmp_path / "d.csv")
    data = dw.load(tmp_path / "t.csv", target="y", dev=tmp_path / "d.csv", test=0, vault=None)
    study = dw.Study(data, store=tmp_path, fixed=SMALL, name="turned")
    study.run(trials=1, epochs=1)
    sections = diagnose_study(dw.open_study("turned", tmp_path), tmp_path).sections
    (rows,) = (s for s in sections if s.name == "data")
    levels = {f.code: f.level for f in rows.findings}
    assert levels["DW205"] == "problem"
    assert levels["DW203"] != "problem"
