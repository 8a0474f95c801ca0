"""The gaps of any model from a table of its predictions: verdicts, columns, and bad tables."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell.report._json import strict

RATES = {"train": 0.01, "train-dev": 0.02, "dev": 0.15, "test": 0.16}
SIZES = {"train": 3_000, "train-dev": 1_500, "dev": 1_500, "test": 1_500}


def table(rates=RATES, sizes=SIZES, seed=0, classes=("cat", "dog", "owl")):
    """Return columns with exactly so many mistakes a part."""
    rng = np.random.default_rng(seed)
    parts = [p for p in rates if p in sizes]
    part = np.repeat(parts, [sizes[p] for p in parts])
    truth = rng.integers(0, len(classes), len(part))
    wrong = np.concatenate([np.arange(sizes[p]) < round(rates[p] * sizes[p]) for p in parts])
    said = np.where(wrong, (truth + 1) % len(classes), truth)
    names = np.array(classes)
    return {"truth": names[truth], "prediction": names[said], "part": part}


def codes(source, **options):
    return [finding.code for finding in dw.diagnose_predictions(source, **options)]


@pytest.mark.proves("G2", "independent")
def test_each_gap_is_told_apart():
    assert codes(table()) == ["DW103", "DW106", "DW105", "DW115"]
    variance = {"train": 0.01, "train-dev": 0.14, "dev": 0.15}
    assert codes(table(variance)) == ["DW101", "DW107", "DW105"]
    plain = {"train": 0.15, "dev": 0.30, "test": 0.45}
    assert codes(table(plain)) == ["DW102", "DW101", "DW105", "DW114"]
    floor = {"train": 0.15, "dev": 0.16}
    assert codes(table(floor), best_possible=0.15) == ["DW100", "DW108", "DW105"]
    assert codes(table(floor), material=0.2) == ["DW100", "DW105"]


def test_few_rows_are_said_to_be_few():
    small = {"train": 3_000, "dev": 60}
    found = dw.diagnose_predictions(table({"train": 0.02, "dev": 0.05}, small))
    assert {f.level for f in found if f.code == "DW110"} == {"unsure"}
    assert "60 dev rows, about" in next(f.detail for f in found if f.code == "DW110")


def test_probabilities_give_the_log_loss_and_the_error(tmp_path):
    rng = np.random.default_rng(0)
    n = 2_000
    truth = rng.integers(0, 2, n)
    p = np.clip(rng.beta(2, 5, n) + 0.4 * truth, 0.01, 0.99)
    columns = {
        "truth": np.where(truth, "yes", "no"),
        "part": np.repeat(["train", "dev"], n // 2),
        "probability_no": 1 - p,
        "probability_yes": p,
    }
    pl.DataFrame(columns).write_parquet(tmp_path / "p.parquet")
    found = dw.diagnose_predictions(tmp_path / "p.parquet", metric="log_loss")
    scores = found.sections[0].facts["scores"]
    expected = -np.log(np.where(truth, p, 1 - p))[n // 2 :].mean()
    assert scores["dev"]["value"] == pytest.approx(expected)
    error = dw.diagnose_predictions(columns).sections[0].facts["scores"]["dev"]["value"]
    assert error == pytest.approx(((p > 0.5) != truth)[n // 2 :].mean())


def test_human_labels_are_the_best_possible_score():
    columns = table({"train": 0.20, "dev": 0.21})
    rng = np.random.default_rng(1)
    moved = np.roll(columns["truth"], 1)
    people = np.where(rng.random(len(moved)) < 0.02, moved, columns["truth"]).astype(object)
    people[::3] = None
    found = dw.diagnose_predictions(columns | {"human": people})
    bias = next(f for f in found if f.code == "DW102")
    assert "by human labels" in bias.detail
    assert bias.evidence["best"]["source"] == "human labels"
    assert [f.level for f in found if f.code == "DW119"] == ["problem"]
    as_good = table({"train": 0.20, "dev": 0.21}, seed=2)
    same = dw.diagnose_predictions(as_good | {"human": as_good["prediction"]})
    assert [f.code for f in same] == ["DW100", "DW108", "DW105", "DW119"]


def test_another_model_is_compared_on_the_same_rows():
    columns = table({"train": 0.1, "dev": 0.1})
    found = dw.diagnose_predictions(columns | {"baseline": columns["truth"]})
    told = next(f for f in found if f.code == "DW105")
    assert (told.level, told.evidence["baseline"]) == ("problem", "baseline")


def test_rows_with_the_same_inputs_bound_what_can_be_reached():
    rng = np.random.default_rng(3)
    inputs = rng.integers(0, 200_000, 1_500)
    inputs = np.concatenate([inputs, inputs])
    truth = np.where(rng.random(3_000) < 0.2, 1 - inputs % 2, inputs % 2)
    found = dw.diagnose_predictions(
        {
            "truth": truth,
            "prediction": inputs % 2,
            "part": np.repeat(["train", "dev"], 1_500),
            "inputs": inputs,
        }
    )
    assert {f.code for f in found} >= {"DW108", "DW117"}


def test_rows_of_a_group_count_together():
    rng = np.random.default_rng(4)
    group = np.repeat(np.arange(60), 50)
    wrong = (rng.random(60) < 0.3)[group]
    truth = rng.integers(0, 2, 3_000)
    columns = {
        "truth": truth,
        "prediction": np.where(wrong, 1 - truth, truth),
        "part": np.where(group < 30, "train", "dev"),
    }
    alone = dw.diagnose_predictions(columns).sections[0].facts["scores"]["dev"]
    together = (
        dw.diagnose_predictions(columns | {"group": group}).sections[0].facts["scores"]["dev"]
    )
    assert together["value"] == alone["value"]
    assert together["high"] - together["low"] > 4 * (alone["high"] - alone["low"])


def test_blanks_say_nothing_of_other_rows():
    """Neither that they have the same inputs, nor that they belong together."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 3_000)
    columns = {
        "truth": truth,
        "prediction": np.where(rng.random(3_000) < 0.2, 1 - truth, truth),
        "part": np.repeat(["train", "dev"], 1_500),
    }
    blank = [None] * 2_990 + [f"a{n}" for n in range(10)]
    assert codes(columns | {"inputs": blank}) == codes(columns)
    alone, together = (
        dw.diagnose_predictions(table).sections[0].facts["scores"]["dev"]
        for table in (columns, columns | {"group": blank})
    )
    assert together["high"] - together["low"] == pytest.approx(alone["high"] - alone["low"], 0.1)
    networks = columns | {"network": np.tile(["a", "b"], 1_500), "inputs": [None] * 3_000}
    networks["truth"] = np.repeat(truth[:1_500], 2)
    networks["prediction"] = networks["truth"]
    assert dw.diagnose_predictions(networks), "the same rows in the same order"


def test_pure_noise_is_no_high_bias():
    """As of a fit on the same rows: nothing shows that better is to be had."""
    truth = np.where(np.random.default_rng(7).random(800) < 0.5, "a", "b")
    columns = {"truth": truth, "prediction": ["a"] * 800, "part": ["train"] * 400 + ["dev"] * 400}
    found = {f.code: f for f in dw.diagnose_predictions(columns)}
    assert "DW102" not in found
    assert "no model here is clearly better than the constant guess" in found["DW112"].detail
    assert "DW102" in codes(columns | {"baseline": truth}), "another model does better"
    assert "DW112" in codes(columns | {"baseline": np.roll(truth, 1)}), "a model as good as this"
    assert "DW102" in codes(columns, best_possible=0.1)
    half = np.where(np.arange(800) % 4 < 2, truth, "a")
    assert "DW102" in codes(columns | {"prediction": half}), "the network itself does better"


def test_several_networks_are_compared_as_what_they_are_on_average():
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 2_000)
    people = np.where(rng.random(2_000) < 0.05, 1 - truth, truth)
    off = {"a": 0.1, "b": 0.3}
    said = {n: np.where(rng.random(2_000) < p, 1 - truth, truth) for n, p in off.items()}
    found = dw.diagnose_predictions(
        {
            "truth": np.tile(truth, 2),
            "prediction": np.concatenate(list(said.values())),
            "part": np.tile(np.repeat(["train", "dev"], 1_000), 2),
            "human": np.tile(people, 2),
            "network": np.repeat(list(said), 2_000),
        }
    )
    told = {f.code: f.evidence for f in found}
    train, dev = (
        {n: float((s != truth)[rows].mean()) for n, s in {**said, "people": people}.items()}
        for rows in (slice(0, 1_000), slice(1_000, None))
    )
    mean = (dev["a"] + dev["b"]) / 2
    [(name, versus)] = told["DW105"]["differences"].items()
    constant = float((truth[1_000:] != int(name.split('"')[1])).mean())
    assert versus["value"] == pytest.approx(mean - constant)
    assert told["DW119"]["difference"]["value"] == pytest.approx(mean - dev["people"])
    assert told["DW119"]["difference"]["high"] - mean + dev["people"] > 0.5, "two seeds, far apart"
    bias = next(e for e in told.values() if "bias" in e)["bias"]
    assert bias["value"] == pytest.approx((train["a"] + train["b"]) / 2 - train["people"])


def test_several_networks_count_as_seeds():
    rng = np.random.default_rng(5)
    x = rng.normal(size=1_000)
    part = np.repeat(["train", "dev"], 500)
    networks = [
        {
            "truth": x,
            "prediction": x + off + 0.1 * rng.normal(size=1_000),
            "part": part,
            "network": np.full(1_000, f"seed {s}"),
        }
        for s, off in enumerate((0.0, 0.3, -0.4))
    ]
    joined = {name: np.concatenate([n[name] for n in networks]) for name in networks[0]}
    many = dw.diagnose_predictions(joined).sections[0].facts
    one = dw.diagnose_predictions(networks[1]).sections[0].facts
    assert many["networks"] == 3
    assert many["scores"]["dev"]["rows"] == 500
    width = many["scores"]["dev"]["high"] - many["scores"]["dev"]["low"]
    assert width > 5 * (one["scores"]["dev"]["high"] - one["scores"]["dev"]["low"])
    with pytest.raises(dw.UsageError, match="all networks must predict the same rows"):
        dw.diagnose_predictions({n: v[:-1] for n, v in joined.items()})
    with pytest.raises(dw.UsageError, match="takes no column"):
        dw.diagnose_predictions(joined | {"weight": np.ones(3_000)})


def test_it_prints_as_text_and_is_plain_json():
    found = dw.diagnose_predictions(table())
    text = repr(found)
    assert text.startswith("What kind of error is left\n----")
    assert max(map(len, text.splitlines())) <= 80
    assert "DW106     high mismatch" in text
    assert "train-dev  1,500  2.0 % [1.4, 2.8]" in text
    told = json.loads(json.dumps(strict(found.to_plain()), allow_nan=False))
    assert [f["code"] for f in told["findings"]] == [f.code for f in found]
    assert found[0] is found.findings[0]
    assert len(found[1:]) == len(found) - 1


def test_jax_and_the_store_are_not_loaded():
    code = (
        "import deepwell as dw, sys;"
        "dw.diagnose_predictions({'truth': [0, 1] * 50, 'prediction': [0, 1] * 50,"
        "'part': ['train', 'dev'] * 50});"
        "assert not {'jax', 'sqlalchemy'} & set(sys.modules), 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def without(name):
    return {k: v for k, v in table().items() if k != name}


def with_value(name, row, value):
    columns = {k: np.array(v, dtype=object) for k, v in table().items()}
    columns[name][row] = value
    return {k: list(v) for k, v in columns.items()}


def probable(row=(0.5, 0.5), names=("probability_no", "probability_yes")):
    columns = {"truth": ["no", "yes"] * 20, "part": ["train"] * 20 + ["dev"] * 20}
    return columns | {n: [p] * 40 for n, p in zip(names, row, strict=True)}


def one_class(part):
    """Probabilities of two classes, of which the truth of one part knows one."""
    columns = probable()
    of = columns["part"]
    return columns | {
        "truth": ["no" if of[n] == part else t for n, t in enumerate(columns["truth"])]
    }


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        (without("truth"), {}, 'must have a column "truth"'),
        (without("part"), {}, 'must have a column "part"'),
        (without("prediction"), {}, 'must have a column "prediction", or for classes'),
        (with_value("part", 4, "trian"), {}, 'got "trian" in row 5; did you mean "train"'),
        (with_value("part", 4, "\x1b[31m"), {}, r'got "\?\[31m" in row 5'),
        (with_value("truth", 4, None), {}, '"truth" must have a value in each row, row 5'),
        (with_value("prediction", 6, None), {}, 'must have a value in each row, row 7'),
        (table({"train": 0.1}), {}, 'must say dev in some rows, got train'),
        (table({"dev": 0.1}), {}, "must say train in some rows"),
        (probable((0.5, 0.7)), {}, "add up to 1, got 0.5, 0.7 in row 1"),
        (probable((-0.5, 1.5)), {}, "at least 0 and add up to 1"),
        (probable((0.5, 0.5), ("probability_no", "probability_maybe")), {}, "probability_yes"),
        (table() | {"weight": [-1.0] * 7_500}, {}, '"weight" must hold numbers of at least 0'),
        (table(), {"metric": "rmse"}, "metric rmse is for regression"),
        (table(), {"metric": "log_loss"}, "needs probabilities"),
        (table(), {"metric": "eror"}, "eror"),
        (one_class("dev"), {"metric": "auc"}, r"on dev rows of one class alone \(there are 20\)"),
        (one_class("train"), {"metric": "auc"}, "not defined on train rows of one class alone"),
        (table(), {"best_possible": 2.0}, "`best_possible` must be a number"),
        (table(), {"material": float("nan")}, "`material` must be a number of at least 0"),
        (table(), {"task": "regression"}, "number"),
        ({"truth": [1.5, 2.5] * 9, "prediction": ["x"] * 18, "part": ["train", "dev"] * 9},
         {"task": "regression"}, "number"),
        ("nosuch.csv", {}, "nosuch.csv"),
        ({"truth": [], "prediction": [], "part": []}, {}, "no rows"),
    ],
)  # fmt: skip
def test_bad_tables_are_refused_in_a_sentence(source, options, words):
    with pytest.raises(dw.UsageError, match=words) as caught:
        dw.diagnose_predictions(source, **options)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
