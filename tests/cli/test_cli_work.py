"""`deepwell work` and `deepwell verify`: what they ask of the study and what they say."""

from __future__ import annotations

import dataclasses
import types
from pathlib import Path
from typing import Any

import pytest

from deepwell._base._errors import UsageError


@pytest.fixture
def worker(library, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The library's worker: what it was asked, what it says on the way, and whether it ends."""
    import sys

    asked: dict[str, Any] = {"says": (), "ends": True}

    def work(name: str, **given: Any) -> Any:
        if name == "nosuch":
            raise UsageError('no study "nosuch"')
        asked.update(name=name, **given)
        for words in asked["says"]:
            given["tell"](words)
        if not asked["ends"]:
            return None
        given["observer"].on_result(library.result)
        return types.SimpleNamespace(result=library.result)

    module = types.ModuleType("deepwell.study._worker")
    vars(module).update(work=work)
    monkeypatch.setitem(sys.modules, "deepwell.study._worker", module)
    return asked


def test_a_worker_prints_what_it_waits_for_and_then_the_result(deepwell, library, worker) -> None:
    worker["says"] = ("study iris is being run by process 7 on far; waiting for it to end",)
    done = deepwell("work", "iris", "--store", "place")
    assert done.code == 0
    assert done.out.startswith("waiting   study iris is being run by process 7 on far; waiting for")
    assert "result    dev error" in done.out
    assert (worker["store"], worker["once"], worker["stopped"]) == ("place", False, False)


def test_its_switches_are_passed_on(deepwell, library, worker) -> None:
    assert deepwell("work", "iris", "--once", "--stopped").code == 0
    assert (worker["once"], worker["stopped"]) == (True, True)


def test_once_leaves_a_running_study_to_its_runner(deepwell, library, worker) -> None:
    worker["ends"] = False
    assert deepwell("work", "iris", "--once").code == 0
    assert deepwell("work", "iris", "--once", "--json").json == {"name": "iris", "waits": True}


def test_as_json_only_the_object_is_printed(deepwell, library, worker) -> None:
    worker["says"] = ("study iris is being run by process 7 on far; waiting for it to end",)
    done = deepwell("work", "iris", "--json")
    assert done.json["name"] == "iris"
    assert done.err.startswith("study iris is being run by")


def test_a_stopped_study_ends_with_130(deepwell, library, worker) -> None:
    library.result = dataclasses.replace(library.result, stopped="stopped by the user")
    assert deepwell("work", "iris").code == 130


def test_an_unknown_study_is_wrong_usage(deepwell, library, worker) -> None:
    refused = deepwell("work", "nosuch")
    assert (refused.code, refused.err) == (2, 'error: no study "nosuch"\n')


def test_nothing_can_be_verified_of_no_store(deepwell, tmp_path: Path) -> None:
    refused = deepwell("verify", "iris", "--store", str(tmp_path / "nowhere"))
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert not (tmp_path / "nowhere").exists()
