from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

FIT = ("fit", "iris.csv", "--target", "label", "--hidden-units", "8", "--hidden-layers", "1")
ASKED = (*FIT, "--trials", "9", "--epochs", "18", "--program", "jax")


def test_resume_prints_what_fit_prints(deepwell, library) -> None:
    library.result = dataclasses.replace(library.result, resumed=2, repeated_seconds=3.2)
    resumed = deepwell("resume", "iris", "--store", "place", "--budget", "5m")
    assert resumed.code == 0
    assert library.calls["resume"] == {"name": "iris", "store": "place", "budget": "5m"}
    fitted = deepwell("fit", "iris.csv", "--target", "label", "--store", "place")
    assert resumed.out == fitted.out
    assert "          resumed twice, 3 s of training repeated\n" in resumed.out


def test_more_networks_by_another_way(deepwell, library) -> None:
    options = ("--trials", "8", "--search", "random", "--constraint", "l2 < 1")
    assert (
        deepwell("resume", "iris", *options, "--space", "l2=log(1e-4,1)", "--try", "l2=1").code == 0
    )
    asked = library.calls["resume"]
    assert (asked["trials"], asked["search"], asked["constraints"]) == (8, "random", ("l2 < 1",))
    assert {name: d.describe() for name, d in asked["space"].items()} == {"l2": "log(0.0001, 1)"}
    assert asked["given"] == [{"l2": 1.0}]


def test_resume_as_json(deepwell, library) -> None:
    told = deepwell("resume", "iris", "--json").json
    assert told == deepwell("fit", "iris.csv", "--target", "label", "--json").json
    assert (told["resumed"], told["repeated_seconds"]) == (0, 0.0)


def test_a_study_stopped_again_exits_with_130_and_says_how_to_go_on(deepwell, library) -> None:
    library.result = dataclasses.replace(library.result, stopped="stopped by the user")
    stopped = deepwell("resume", "iris", "--store", "a place")
    assert stopped.code == 130
    assert "next      deepwell resume iris --store 'a place'" in stopped.out


def test_an_unknown_study_is_wrong_usage(deepwell, library) -> None:
    refused = deepwell("resume", "nosuch")
    assert (refused.code, refused.err) == (2, 'error: no study "nosuch"\n')


@pytest.fixture
def here(deepwell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert deepwell("sample", "iris", "-o", "iris.csv").code == 0
    return tmp_path


def test_a_study_that_was_cut_off_is_shown_and_resumed(
    deepwell, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = deepwell(*ASKED, "--name", "whole", "--json").json

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("deepwell.study._course.conclude", killed)
        cut = deepwell(*ASKED, "--name", "cut")
    assert (cut.code, cut.err) == (130, "error: stopped by the user before there was a result\n")
    shown = deepwell("show", "cut")
    assert shown.code == 2
    assert shown.err == (
        "error: study cut was not finished and has no result; "
        "go on with it by deepwell resume cut\n"
    )
    assert deepwell("resume", "cutt").err.startswith('error: no study "cutt" in the store ')
    assert 'did you mean "cut"?' in deepwell("resume", "cutt").err
    resumed = deepwell("resume", "cut", "--json")
    assert (resumed.code, resumed.err) == (0, "")
    same = ("train", "dev", "baselines", "best", "best_trial", "findings", "statuses", "programs")
    assert {k: resumed.json[k] for k in same} == {k: whole[k] for k in same}
    assert resumed.json["resumed"] == 1
    again = deepwell("resume", "cut")
    assert again.code == 0
    shown = deepwell("show", "cut").out
    assert shown.startswith(again.out)
    assert shown.removeprefix(again.out).split("\n")[1] == "The search"
    assert re.search(r"resumed once, .*training repeated", again.out)
    assert not (here / "deepwell" / "cut" / "checkpoint").exists()
