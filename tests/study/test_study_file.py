"""The file that describes a study: what fit writes, run takes back."""

import inspect
import json
import tomllib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.cli import run as command
from deepwell.cli._fit_options import DataOptions, RunOptions, StudyOptions
from deepwell.data._load import load
from deepwell.data._origin import Origin
from deepwell.search.spaces._space import Space
from deepwell.storage import open_store
from deepwell.study._asked import Asked, from_config
from deepwell.study._run_file import ready, run_file
from deepwell.study._settings import Settings
from deepwell.study._study import Study
from deepwell.study._study_file import as_file, flat
from deepwell.study._study_file_keys import DATA, RUN, STUDY
from deepwell.study._study_file_name import with_name
from deepwell.study._study_file_read import read_study_file
from deepwell.study._study_file_text import toml_text


def arguments(function: object) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}  # type: ignore[arg-type]


def test_file_command_line_and_library_have_the_same_keys():
    assert set(DATA) - {"split_seed"} == arguments(load) - {"seed", "vault", "memory"}
    assert set(STUDY) == arguments(Study.__init__) - {"data", "space", "store", "fixed", "observer"}
    assert set(RUN) == arguments(Study.run) | {"memory"}
    options = {
        kind: {f.name for f in fields(kind)} for kind in (DataOptions, StudyOptions, RunOptions)
    }
    assert set(DATA) == options[DataOptions] | {"source", "name"}
    assert set(STUDY) - {"constraints"} == options[StudyOptions] - {"space", "constraint", "try_"}
    assert set(RUN) == options[RunOptions] - {"dry_run"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    generator = np.random.default_rng(3)
    x = generator.normal(size=(60, 2))
    lines = ["a,b,y", *(f"{a:.3f},{b:.3f},{'ny'[int(a + b > 0)]}" for a, b in x)]
    path = tmp_path / "small.csv"
    path.write_text("\n".join(lines))
    return path


def fit(table: Path, **more: object) -> str:
    space = {"learning_rate": dw.log(1e-3, 1e-1), "hidden_units": 4, "l2": [0.0, 0.1]}
    store = table.parent / "deepwell"
    options = {"space": space, "store": store, "seed": 5, "search": "quasi-random", **more}
    data = load(table, target="y", ignore=["b"], vault=store / "vault")
    study = Study(data, **options)  # type: ignore[arg-type]
    study.enqueue({"learning_rate": 0.5})
    return study.run(trials=3, epochs=2).name


def curves(store: Path, name: str) -> list[dict[str, list[float]]]:
    with open_store(store) as opened:
        trials = opened.trials(opened.study(name).id, curves=True)
    return [{key: curve.tolist() for key, curve in t.curves.items()} for t in trials]


def test_a_study_is_trained_again_bit_for_bit_from_its_file(
    table: Path, monkeypatch: pytest.MonkeyPatch
):
    store = table.parent / "deepwell"
    name = fit(table)
    file = store / name / "study.toml"
    made = ready(file, store=store, vault=None)
    assert made.changes is not None
    assert (made.changes.study, made.changes.lines) == (name, ())
    monkeypatch.chdir(table.parent)
    again = run_file(file, store=store)
    assert again.name == f"{name}-2"
    assert curves(store, again.name) == curves(store, name)
    kept = as_settings(store, name), as_settings(store, again.name)
    assert kept[0] == kept[1]


def as_settings(store: Path, name: str) -> Settings:
    with open_store(store) as opened:
        return from_config(opened.study(name)).settings


def test_a_changed_file_says_what_changed(table: Path):
    store = table.parent / "deepwell"
    name = fit(table)
    text = (store / name / "study.toml").read_text()
    changed = text.replace("seed = 5", "seed = 6").replace("[0.0, 0.1]", "[0.0, 0.2]")
    changed = changed.replace('"choice(0, 0.1)"', '"choice(0, 0.2)"').replace("trials = 3", "")
    file = store / "changed.toml"
    file.write_text(changed.replace("# folds =", "folds = 3  # folds ="))
    made = ready(file, store=store, vault=None)
    assert made.changes is not None
    assert made.changes.lines == (
        *("study.seed: 5 -> 6", "study.folds: not set -> 3"),
        *("space.l2: choice(0, 0.1) -> choice(0, 0.2)", "run.trials: 3 -> not set"),
    )
    file.write_text(text.replace(f'name = "{name}"', 'name = "another"'))
    assert ready(file, store=store, vault=None).changes is None


def test_the_command_tells_what_changed_and_trains(
    table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    name = fit(table)
    monkeypatch.chdir(table.parent)
    file = Path("deepwell") / name / "study.toml"
    changed = table.parent / "changed.toml"
    changed.write_text(file.read_text().replace("trials = 3", "trials = 2"))
    assert command(["run", str(changed), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"changed   against study {name}:\n          run.trials: 3 -> 2\n")
    assert "nothing was checked, trained or written" in told
    assert command(["run", str(changed), "--json", "--name", "shorter"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["name"], done["networks"], done["changes"]) == ("shorter", 2, None)
    assert command(["run", str(file), "--dry-run", "--json"]) == 0
    same = json.loads(capsys.readouterr().out)
    assert same["changes"] == {"study": name, "lines": []}


def test_a_range_that_no_file_holds_is_said_to_be_missing(table: Path):
    rates = dw.choice(*(1 / (100 + place) for place in range(1_000)))  # 20 characters each
    name = fit(table, space={"learning_rate": rates, "hidden_units": 4})
    store = table.parent / "deepwell"
    file = store / name / "study.toml"
    assert "# learning_rate: choice(0.01, " in file.read_text()
    assert "learning_rate" not in read_study_file(file).space
    made = ready(file, store=store, vault=None)
    assert made.changes is not None
    told = [line for line in made.changes.lines if line.startswith("space.")]
    assert len(told) == 1
    assert told[0].startswith("space.learning_rate: choice(0.01, ")
    assert told[0].endswith("... -> not set")


def test_class_weights_that_were_given_as_a_mapping_are_kept(table: Path):
    store = table.parent / "deepwell"
    data = load(table, target="y", class_weight={"y": 5}, vault=store / "vault")
    study = Study(data, fixed={"hidden_units": 4}, store=store, name="weighed", scheduler="none")
    study.run(trials=2, epochs=2)
    made = ready(store / "weighed" / "study.toml", store=store, vault=None)
    assert made.changes is not None
    assert made.changes.lines == ()
    assert made.study.data.weighting == data.weighting
    assert made.study.data.weighting.by_class == (1.0, 5.0)
    assert dw.resume("weighed", store=store, trials=1).result.networks == 3


def test_a_renamed_study_has_its_new_name_in_its_file(table: Path):
    store = table.parent / "deepwell"
    name = fit(table)
    file = store / name / "study.toml"
    file.write_text(file.read_text() + "# by hand\n")
    before = file.read_text()
    dw.rename_study(name, "another", store=store)
    file = store / "another" / "study.toml"
    assert file.read_text() == before.replace(f'name = "{name}"', 'name = "another"')
    made = ready(file, store=store, vault=None)
    assert made.changes is not None
    assert (made.changes.study, made.changes.lines) == ("another", ())
    file.write_text(before.replace(f'name = "{name}"', "name = 'mine'"))
    dw.rename_study("another", "third", store=store)
    file = store / "third" / "study.toml"
    assert "name = 'mine'" in file.read_text()  # which a person wrote
    made = ready(file, store=store, vault=None)
    assert made.changes is not None
    assert (made.changes.study, made.changes.lines) == ("third", ("study.name: third -> mine",))
    elsewhere = table.parent / "elsewhere.toml"
    elsewhere.write_text(file.read_text().replace("../../", ""))
    assert ready(elsewhere, store=store, vault=None).changes is None


NAMED = {
    '[study]\nname = "a"\n': '[study]\nname = "ü-1"\n',
    '[study]\r\n  name="a"# ours\r\nseed = 1': '[study]\r\n  name="ü-1"# ours\r\nseed = 1',
    "[study]\n'name' = 'a'": "[study]\n'name' = \"ü-1\"",
    '\ufeff[data]\nname = "a"\n[study]\nname = "\\u0061"': (
        '\ufeff[data]\nname = "a"\n[study]\nname = "ü-1"'
    ),
    '[study]\nname = "b"\n': None,
    '[data]\nname = "a"\n': None,
    '[study]\n# name = "a"\n': None,
    '[study]\nname = """a"""\n': None,
    "[study]\nname = 3\n": None,
    "": None,
}


@pytest.mark.parametrize("text", NAMED)
def test_only_the_old_name_of_the_study_is_replaced(text: str):
    assert with_name(text, "a", "ü-1") == (NAMED[text] or text)


def test_a_file_that_cannot_be_read_hinders_no_rename(table: Path):
    store = table.parent / "deepwell"
    name = fit(table)
    (store / name / "study.toml").write_bytes(b"\xff\xfe")
    dw.rename_study(name, "another", store=store)
    assert (store / "another" / "study.toml").read_bytes() == b"\xff\xfe"


SPACE = Space(
    {
        "optimizer": dw.choice("adam", "momentum"),
        "momentum": dw.when(dw.one_minus_log(0.9, 0.999), optimizer="momentum"),
        "hidden_layers": dw.integer(1, 3),
        "hidden_units": dw.per_layer(dw.integer(8, 64)),
        "dropout": dw.uniform(0, 0.5),
        "l2": 1 / 3,
        "change": "1: learning_rate=0.01",
        "epochs": 4,
    },
    ["hidden_layers <= 2"],
)


def test_every_kind_of_entry_is_read_back_as_it_was(tmp_path: Path):
    settings = Settings(SPACE, "tpe", "pbt", 7, "error", 0.01, 0, (3, 17), 2)
    options = {
        "target": 'a "b"\n',
        "keep": ["ü"],
        "seed": 9,
        "memory": "4GB",
        "dev": 0.2,
        "x": None,
    }
    asked = Asked(settings, "native", None, 61.5, until_settled=True)
    said = as_file(asked, Origin("/data/a b.csv", options), "churn")
    file = tmp_path / "study.toml"
    file.write_text(toml_text(said), "utf-8")
    read = read_study_file(file)
    assert (dict(read.data), dict(read.run)) == (dict(said.data), dict(said.run))
    assert dict(read.study) == dict(said.study)
    assert Space(read.space, read.study["constraints"]) == SPACE
    assert list(read.space) == list(SPACE)
    assert flat(said)["study.probe"] == "3,17"
    assert flat(said)["data.split_seed"] == 9


def test_a_path_that_is_no_unicode_is_left_open(tmp_path: Path):
    settings = Settings(Space({"l2": 0.1}), "random", "none", 0, "error")
    text = toml_text(as_file(Asked(settings, ""), Origin("/data/\udcff.csv", {}), "churn"))
    assert "# source = " in text
    tomllib.loads(text)
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(UsageError, match="names no data"):
        read_study_file(tmp_path / "x.toml")


def test_paths_are_relative_to_the_file(tmp_path: Path):
    (tmp_path / "x.toml").write_text('[data]\nsource = "a.csv"\ndev = "0.2"\ntest = "t.csv"\n')
    read = read_study_file(tmp_path / "x.toml")
    assert read.data == {
        "source": str(tmp_path / "a.csv"),
        "dev": "0.2",
        "test": str(tmp_path / "t.csv"),
    }


WRONG = {
    '[data]\ntargt = "y"': r'line 2: unknown key "targt" in \[data\]; did you mean "target"',
    '\n[dta]\nsource = "x"': 'line 2: unknown section "dta"; did you mean "data"',
    "[run]\n\ntrials = '4'": 'line 3: "trials" must be a whole number, got ',
    "[run]\ntrials = true": "line 2: .* must be a whole number",
    "[run]\nuntil_settled = 1": "line 2: .* must be true or false",
    "[data]\nkeep = [1]": "line 2: .* must be a list of texts",
    '[space]\nl2 = "lgo(1,2)"': "line 2: .*unknown range",
    "[space]\nl2 = -1": "line 2: .*`l2` must be",
    "[space]\nhidden_unit = 8": 'line 2: .*did you mean "hidden_units"',
    "[[try]]\nl3 = 1": 'line 2: unknown hyperparameter "l3"',
    "[try]\nl2 = 1": r"line 1: configurations to try stand under \[\[try\]\]",
    "data = 3": "line 1: data must be a section",
    "x = = 1": "is no TOML: .*line 1",
    "[study]\nseed = nan": 'line 2: "seed" must be finite',
    "[study]\nbest_possible = 1e999": 'line 2: "best_possible" must be finite',
    "[data]\nclass_weight = {yes = -inf}": 'line 2: "class_weight" must be finite',
    "[run]\ntrials = 0x" + "f" * 5000: 'line 2: "trials" must be finite, and less than 2',
    f"[data]\nsplit_seed = {10**400}": 'line 2: "split_seed" must be finite, and less than 2',
    "[space]\nl2 = nan": 'line 2: "l2" must be finite',
    "[[try]]\nhidden_units = [3, inf]": 'line 2: "hidden_units" must be finite',
    "[run]\ntrials = " + "9" * 5000: "is no TOML: .*digits",
    "[run]\nbudget = " + "[" * 50_000: "is no TOML: .*recursion",
    f"[space]\nhidden_units = {2**70}": "line 2: `hidden_units` must be a whole number",
    "[run]\ntrials = 2026-11-23": "line 2: .* must be a whole number",
    '[space]\nl2 = "log(1e-400,1e999)"': "line 2: ",
    "": 'names no data; write source = "churn.csv"',
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str):
    file = tmp_path / "x.toml"
    data = "" if "[data]" in text or text.startswith("data") else '[data]\nsource = "a"\n'
    file.write_text(f"{text}\n{data}" if text else "")
    with pytest.raises(UsageError, match=WRONG[text]):
        read_study_file(file)


@pytest.mark.parametrize(
    ("section", "key", "told"),
    [
        ("run", "trials", "`trials` must be a whole number from 1 to"),
        ("run", "epochs", "`epochs` must be a whole number from 1 to"),
        ("study", "seed", "`seed` must be a whole number from 0 to"),
        ("study", "folds", "`folds` must be a whole number from 2 to"),
        ("study", "probe_every", "`probe_every` must be a whole number from 1 to"),
        ("study", "checkpoints", "`checkpoints` must be best, all, or a number"),
        ("study", "best_possible", "`best_possible` must be a number in"),
        ("data", "dev", "dev"),
        ("data", "train_dev", "train.dev"),
    ],
)
@pytest.mark.parametrize("number", [2**70, -(2**70), 2**127])
def test_numbers_at_their_limits_are_told_by_whom_they_do_not_fit(
    number: int, section: str, key: str, told: str, table: Path
):
    store = table.parent / "deepwell"
    file = table.parent / "x.toml"
    keys = {"data": ["source = 'small.csv'", "target = 'y'"], "study": [], "run": []}
    keys[section].append(f"{key} = {number}")
    file.write_text("\n".join(f"[{name}]\n" + "\n".join(keys[name]) for name in keys))
    with pytest.raises(UsageError, match=told) as caught:
        ready(file, store=store, vault=None)
    assert str(caught.value).isprintable()


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path):
    text = '[data]\r\nsource = "ü.csv"\r\n[run]\r\ntrials = 3\r\n'
    for encoding in ("utf-8", "utf-8-sig"):
        (tmp_path / "x.toml").write_bytes(text.encode(encoding))
        read = read_study_file(tmp_path / "x.toml")
        assert (read.data["source"], read.run) == (str(tmp_path / "ü.csv"), {"trials": 3})
    for encoding in ("utf-16", "utf-32"):
        (tmp_path / "x.toml").write_bytes(text.encode(encoding))
        with pytest.raises(UsageError, match="is no text in UTF-8"):
            read_study_file(tmp_path / "x.toml")


def test_what_is_no_file_of_a_study_is_refused(tmp_path: Path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"#" * 1_000_001)
    for name, told in {"binary": "UTF-8", "large": "too large", "gone": "no file"}.items():
        with pytest.raises(UsageError, match=told):
            read_study_file(tmp_path / name)
