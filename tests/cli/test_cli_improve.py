"""`deepwell improve`: output, JSON, a dry run, wrong usage."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    from deepwell.cli import run

    folder = tmp_path_factory.mktemp("improve")
    table, store = str(folder / "digits.csv"), str(folder / "store")
    assert run(["sample", "digits", "-o", table]) == 0
    network = ("--hidden-units", "3", "--hidden-layers", "1", "--learning-rate", "0.01")
    short = ("--trials", "1", "--epochs", "6", "--dropout", "0", "--l2", "0")
    fit = ["fit", table, "--target", "label", "--name", "small", "--store", store]
    assert run([*fit, *network, *short, "--json"]) == 0
    return folder


def test_improve_measures_tells_and_saves(deepwell, place: Path) -> None:
    store = str(place / "store")
    asked = ("improve", "small", "--apply", "DW102", "--store", store, "--replicates", "4")
    done = deepwell(*asked, "--budget", "200s")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "recipe    for DW102"
    assert all(len(line) <= 80 for line in lines if "deepwell " not in line)
    assert any(line.startswith("cycle 1   change of the dev error") for line in lines)
    assert any(line.startswith("training  rung 1/2 done") for line in lines)
    assert any(line.startswith("DW601 ok  remedy ") for line in lines)
    assert any(line.startswith("saved     study small-improved: dev error") for line in lines)
    told = " ".join(done.out.split())
    assert f"deepwell test small-improved --store {store}" in told
    assert "study small is as it was" in told
    shown = deepwell("show", "small-improved", "--store", store)
    assert "improved from study small by" in " ".join(shown.out.split())


def test_improve_as_json(deepwell, place: Path) -> None:
    asked = ("improve", "small", "--store", str(place / "store"), "--replicates", "4", "--json")
    told = deepwell(*asked, "--apply", "DW102", "--budget", "200s").json
    assert told["study"] == "small"
    assert told["metric"] == "error"
    assert told["improved"].startswith("small-improved")
    first = told["cycles"][0]
    assert first["winner"] == first["arms"][0]["name"]
    best = first["arms"][0]
    assert {"name", "kind", "words", "change", "p_best", "stopped_at", "verdict"} <= set(best)
    assert best["effect"]["low"] < best["effect"]["value"] < best["effect"]["high"] < 0
    assert best["seconds"] > 0
    assert best["parameters"] > 0
    assert {f["code"] for f in told["findings"]} >= {"DW601"}
    commands = [f["command"] for f in told["findings"] if f["command"]]
    assert commands
    assert all(command.endswith(f" --store {place / 'store'}") for command in commands)


def test_a_dry_run_trains_and_writes_nothing(deepwell, place: Path) -> None:
    store = str(place / "store")
    before = sorted(str(p) for p in (place / "store").rglob("*"))
    plan = deepwell("improve", "small", "--store", store, "--dry-run", "--json").json["plan"]
    assert plan["rungs"] == [2, 4, 8]
    assert plan["halved"] is True
    shown = deepwell("improve", "small", "--store", store, "--dry-run")
    assert shown.code == 0
    assert "dry run   nothing was trained or written" in shown.out
    assert sorted(str(p) for p in (place / "store").rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nosuch",), "nosuch"),
        (("small", "--apply", "DW1O2"), 'unknown code "DW1O2"'),
        (("small", "--apply", "DW407"), "study small has nothing to mend under DW407"),
        (("small", "--replicates", "2"), "`--replicates` must be"),
        (("small", "--budget", "never"), "a budget must be a time"),
    ],
)
def test_wrong_usage_exits_with_2(deepwell, place: Path, arguments, sentence) -> None:
    refused = deepwell("improve", *arguments, "--store", str(place / "store"))
    assert refused.code == 2
    assert sentence in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_problem_names_the_command(deepwell, place: Path) -> None:
    store = str(place / "store")
    shown = deepwell("show", "small", "--store", store, "--json").json
    [found] = [f for f in shown["findings"] if f["code"] == "DW102"]
    command = f"deepwell improve small --apply DW102 --store {store}"
    assert found["command"] == command
    for told in (
        deepwell("show", "small", "--store", store).out,
        deepwell("report", "small", "--store", store).out,
        (place / "store" / "small" / "report.txt").read_text(),
    ):
        lines = [line.strip() for line in told.splitlines()]
        assert command in lines
        asked = [line for line in lines if line.startswith("deepwell improve ")]
        assert all(line.endswith(f" --store {store}") for line in asked)
    table = place / "digits.csv"
    table.rename(place / "elsewhere.csv")  # so that the fit is told again, and no more
    try:
        told = deepwell("diagnose", "small", "--store", store).out
    finally:
        (place / "elsewhere.csv").rename(table)
    assert command in [line.strip() for line in told.splitlines()]
