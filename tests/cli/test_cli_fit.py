from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from deepwell._base._errors import StudyError, UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS

FIT = ("fit", "iris.csv", "--target", "label")


def test_it_prints_each_part_in_order_and_no_control_codes(deepwell, library) -> None:
    done = deepwell(*FIT)
    assert (done.code, done.err) == (0, "")
    labels = [line[:10].strip() for line in done.out.splitlines() if not line.startswith(" ")]
    assert labels == [
        *("data", "split", "baseline", "plan", "training", "engine", "result", "DW102 ?"),
        *("saved", "next"),
    ]
    assert done.out.count("training") == 1
    assert "\x1b" not in done.out
    assert "\r" not in done.out
    assert "not clearly better" in done.out


def test_the_library_gets_what_was_asked(deepwell, library) -> None:
    options = [
        *("--task", "classification", "--split", "group", "--group", "g", "--time", "t"),
        *("--split-column", "p", "--split-seed", "3"),
        *("--dev", "dev.csv", "--test", "test.csv", "--keep", "a", "--keep", "b", "--ignore", "c"),
        *("--train-dev", "0.1", "--weights", "w", "--class-weight", "yes=5"),
        *("--human-labels", "h"),
        *("--name", "mine", "--store", "place", "--seed", "5", "--search", "random"),
        *("--scheduler", "none", "--metric", "log_loss", "--best-possible", "0.02"),
        *("--trials", "8", "--epochs", "6", "--budget", "60s", "--until-settled"),
        *("--learning-rate", "1e-3", "--hidden-units", "64,32", "--optimizer", "adam"),
    ]
    assert deepwell(*FIT, *options).code == 0
    load, study = library.calls["load"], library.calls["study"]
    vault = load.pop("vault")
    assert load == {
        "source": "iris.csv",
        "target": "label",
        "task": "classification",
        "split": "group",
        "group": "g",
        "time": "t",
        "split_column": "p",
        "seed": 3,
        "dev": "dev.csv",
        "test": "test.csv",
        "train_dev": "0.1",
        "weights": "w",
        "class_weight": "yes=5",
        "human_labels": "h",
        "keep": ("a", "b"),
        "ignore": ("c",),
        "memory": None,
    }
    assert not Path(vault).exists()  # the study has moved what it sealed into its store
    assert study.pop("space") is None
    assert study == {
        "fixed": {"learning_rate": 0.001, "hidden_units": (64, 32), "optimizer": "adam"},
        "constraints": (),
        "warm_start": None,
        "name": "mine",
        "seed": 5,
        "search": "random",
        "scheduler": "none",
        "program": None,
        "metric": "log_loss",
        "best_possible": 0.02,
        "folds": None,
        "probe": "best",
        "probe_every": None,
        "checkpoints": "best",
        "store": "place",
    }
    assert library.calls["run"] == {
        "trials": 8,
        "epochs": 6,
        "budget": "60s",
        "until_settled": True,
    }


def test_the_defaults(deepwell, library) -> None:
    assert deepwell(*FIT).code == 0
    assert library.calls["run"] == {"until_settled": False} | dict.fromkeys(
        ("trials", "epochs", "budget")
    )
    study = library.calls["study"]
    assert study["fixed"] == {}
    assert (study["seed"], study["search"], study["scheduler"]) == (0, None, "halving")


def test_a_space_is_parsed(deepwell, library) -> None:
    entries = ("--space", "learning_rate=log(1e-4,1)", "--space", "dropout=uniform(0,0.5)")
    assert deepwell(*FIT, *entries).code == 0
    assert list(library.calls["study"]["space"]) == ["learning_rate", "dropout"]


def test_constraints_tries_and_a_start_are_passed_on(deepwell, library) -> None:
    limits = ("--constraint", "hidden_units * hidden_layers <= 256", "--constraint", "l2 < 1")
    tries = ("--try", "learning_rate=0.01,hidden_units=[64,32]", "--try", "l2=0.1")
    assert deepwell(*FIT, *limits, *tries, "--warm-start", "old").code == 0
    study = library.calls["study"]
    assert study["constraints"] == ("hidden_units * hidden_layers <= 256", "l2 < 1")
    assert study["warm_start"] == "old"
    assert library.calls["enqueue"] == [
        {"learning_rate": 0.01, "hidden_units": (64, 32)},
        {"l2": 0.1},
    ]


def test_a_condition_may_be_on_what_is_fixed(deepwell, library) -> None:
    entry = ("--space", "momentum=when(uniform(0.5,0.9),optimizer=choice(momentum,nesterov))")
    assert deepwell(*FIT, *entry, "--optimizer", "nesterov").code == 0
    assert library.calls["study"]["space"].searched == ("momentum",)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--constraint", "l2 <"), "it ends too soon"),
        (("--try", "l2=-1"), "`l2` must be at least 0"),
        (("--try", "l2"), "write name=value with commas between"),
        (("--try", "l2=0.1,l2=0.2"), "twice"),
        (("--space", "l2=log(1e-4,1)", "--space", "l2=log(1e-4,1)"), "given twice"),
        (("--space", "l2=log(1e-4,1)", "--l2", "0.1"), "both searched by --space and fixed"),
        (("--space", "learnin_rate=log(1e-4,1)"), 'did you mean "learning_rate"?'),
    ],
)
def test_a_wrong_space_is_refused_before_anything_is_read(
    deepwell, library, options: tuple[str, ...], words: str
) -> None:
    refused = deepwell(*FIT, *options)
    assert refused.code == 2
    assert words in refused.err
    assert library.calls == {}


def test_json_is_one_object_and_nothing_else(deepwell, library) -> None:
    done = deepwell(*FIT, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["name"] == "iris"
    assert done.json["dev"] == {"value": 0.1, "low": 0.03, "high": 0.26}


def test_a_dry_run_shows_the_plan_and_leaves_nothing(deepwell, library, tmp_path: Path) -> None:
    done = deepwell(*FIT, "--dry-run", "--trials", "8", "--store", "place")
    assert done.code == 0
    assert "plan      8 networks" in done.out
    assert done.out.endswith("dry run   nothing was checked, trained or written\n")
    assert "run" not in library.calls
    assert library.calls["plan"] == {
        "trials": 8,
        "epochs": None,
        "budget": None,
        "until_settled": False,
    }
    assert library.calls["load"]["vault"] is None
    assert list(tmp_path.iterdir()) == []
    assert deepwell(*FIT, "--dry-run", "--json").json["plan"]["networks"] == 8


def test_stopped_by_the_user_with_the_best_kept(deepwell, library) -> None:
    library.result = dataclasses.replace(library.result, stopped="stopped by the user")
    done = deepwell(*FIT)
    assert done.code == 130
    assert "stopped   by the user; the best was kept" in done.out
    assert deepwell(*FIT, "--json").code == 130


def test_a_name_that_was_taken_is_said(deepwell, library) -> None:
    library.result = dataclasses.replace(library.result, name="iris-2")
    assert "name      iris-2, since iris was taken\n" in deepwell(*FIT).out
    assert "name      iris-2, since mine was taken\n" in deepwell(*FIT, "--name", "mine").out
    assert "was taken" not in deepwell(*FIT, "--name", "iris-2").out


def test_a_budget_that_ran_out_is_no_stop(deepwell, library) -> None:
    library.result = dataclasses.replace(library.result, stopped="the budget of 60 s was used")
    assert deepwell(*FIT).code == 0


def test_stopped_before_there_is_a_network(deepwell, library) -> None:
    library.during_run = lambda: signal.raise_signal(signal.SIGINT)
    stopped = deepwell(*FIT)
    assert stopped.code == 130
    assert stopped.err == ("error: stopped by the user before there was a result\n")
    told = deepwell(*FIT, "--json")
    assert told.code == 130
    assert told.json["exit_code"] == 130


@pytest.mark.parametrize(
    ("raised", "code", "sentence"),
    [
        (UsageError('column "lable" not found; did you mean "label"?'), 2, 'column "lable" not'),
        (StudyError("every network diverged"), 1, "every network diverged"),
        (RuntimeError("deep\nbug"), 1, "unexpected RuntimeError: deep bug; DEEPWELL_TRACEBACK=1"),
        (MemoryError(), 1, "not enough memory"),
        (OSError(28, "No space left on device", "a.db"), 2, 'the disk is full: "a.db"'),
    ],
)
def test_errors_are_one_sentence(
    deepwell, library, raised: Exception, code: int, sentence: str
) -> None:
    def fail() -> None:
        raise raised

    library.during_run = fail
    failed = deepwell(*FIT)
    assert failed.code == code
    assert failed.err.startswith(f"error: {sentence}")
    assert failed.err.count("\n") == 1
    told = deepwell(*FIT, "--json")
    assert (told.code, told.err) == (code, "")
    assert told.json["exit_code"] == code
    assert told.json["error"].startswith(sentence)


def test_the_trace_is_shown_on_request(deepwell, library, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("deep bug")

    library.during_run = fail
    assert "Traceback" not in deepwell(*FIT).err
    monkeypatch.setenv("DEEPWELL_TRACEBACK", "1")
    assert "Traceback" in deepwell(*FIT).err


@pytest.mark.parametrize("name", [n for n in HYPERPARAMETERS if n != "epochs"])
def test_every_hyperparameter_has_a_flag_that_fixes_it_and_refuses_wrong_values(
    deepwell: Callable, library, name: str
) -> None:
    declared = HYPERPARAMETERS[name]
    option = "--" + name.replace("_", "-")
    right = declared.default if declared.default is not None else 0.5
    assert deepwell(*FIT, option, str(right)).code == 0
    assert library.calls["study"]["fixed"] == {name: right}
    for wrong in declared.constraint.wrong_values():
        shown = ",".join(map(str, wrong)) if isinstance(wrong, list) else str(wrong)
        refused = deepwell(*FIT, f"{option}={shown}")
        assert refused.code == 2, shown
        assert refused.err.startswith(f"error: `{name}` must be "), shown


@pytest.mark.parametrize(
    "option",
    ["--trials=0", "--trials=1.5", "--epochs=-1", "--seed=-1", "--seed=x", "--best-possible=-1"],
)
def test_wrong_numbers_name_the_option(deepwell, library, option: str) -> None:
    refused = deepwell(*FIT, option)
    assert refused.code == 2
    assert refused.err.startswith(f"error: `{option.split('=')[0]}` must be ")


def test_whole_numbers_may_be_written_as_powers(deepwell, library) -> None:
    assert deepwell(*FIT, "--trials", "1e3").code == 0
    assert library.calls["run"]["trials"] == 1000
