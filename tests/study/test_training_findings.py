"""Findings about training, end to end: planted faults raise them, healthy networks do not.

Networks are trained alone and handed over as `conclude` does, without a store: a case takes a
tenth of a second or two.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

import deepwell as dw
from deepwell.checking._arms import Bench, native_way
from deepwell.data._data import Data
from deepwell.diagnosis._baselines import constant_guess
from deepwell.diagnosis._codes import CODES
from deepwell.diagnosis._metrics import METRICS, default_metric
from deepwell.execution._members import architecture_of, member_of
from deepwell.networks._forward import predictions
from deepwell.records import Finding, Status, Trial, TrialSpec
from deepwell.study._arrays import score_scale, training_rows
from deepwell.study._evaluate import targets
from deepwell.study._training_findings import Ended, spread_of, training_findings
from deepwell.training._program import Outcome
from deepwell.training._state import best_parameters

Values = Mapping[str, object]
LAYERS = ("DW401", "DW402", "DW403", "DW404")
CHECKS = {code for code in CODES if code.startswith("DW4")} - {"DW408"}


def _load(x: np.ndarray, y: np.ndarray, kind: str) -> Data:
    columns = {f"x{n}": x[:, n] for n in range(x.shape[1])}
    return dw.load({**columns, "y": y}, target="y", task=kind, vault=None)


@functools.cache
def _task(name: str) -> Data:
    generator = np.random.default_rng(0)
    known = {
        "digits": datasets.load_digits,
        "cancer": datasets.load_breast_cancer,
        "wine": datasets.load_wine,
    }
    if name in known:
        table = known[name]()
        return _load(table.data, table.target, "classification")
    if name == "moons":
        return _load(*datasets.make_moons(800, noise=0.2, random_state=0), "classification")
    if name == "gauss":  # overlapping classes: the best possible error is 31 %
        y = generator.integers(0, 2, 1_000)
        x = generator.normal(size=(1_000, 8)) + 0.7 * y[:, None] * [1, 1, 0, 0, 0, 0, 0, 0]
        return _load(x, y, "classification")
    if name == "noise":  # nothing to be learnt
        return _load(
            generator.normal(size=(600, 8)), generator.integers(0, 2, 600), "classification"
        )
    if name == "imbalance":  # 1 : 20
        y = (generator.random(1_500) < 0.05).astype(int)
        return _load(generator.normal(size=(1_500, 6)) + 1.5 * y[:, None], y, "classification")
    if name == "diabetes":
        table = datasets.load_diabetes()
        return _load(table.data, table.target, "regression")
    if name == "teacher":
        x = generator.normal(size=(900, 10))
        y = np.tanh(2 * x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.1 * generator.normal(size=900)
        return _load(x, y, "regression")
    x = generator.uniform(-3, 3, size=(700, 1))  # sine
    return _load(x, np.sin(3 * x[:, 0]) + 0.05 * generator.normal(size=700), "regression")


def _ended(data: Data, values: Values, seed: int = 1) -> Ended:
    """Train one network and return what a study of it leaves."""
    usual = {"epochs": 40, "learning_rate": 0.003, "hidden_units": 32, "batch_size": 32}
    given = {**usual, **values}
    if "hidden_layers" not in given and isinstance(given["hidden_units"], int):
        given["hidden_layers"] = 2
    spec = TrialSpec(given, seed)
    metric, task = default_metric(data.task.kind).name, data.task
    batch = spec.whole("batch_size")
    bench = Bench([native_way(training_rows(data), task.loss, task.outputs, metric, batch, 0)])
    shape = (data.train.x.shape[1], task.outputs, task.loss)
    [course] = bench.train([member_of(spec, *shape)], spec.whole("epochs"))
    outcome = int(course.state["outcome"])
    stopped = outcome == Outcome.EARLY_STOPPED
    epochs = int(course.state["epoch"]) if stopped else spec.whole("epochs")
    score = course.dev_score[:epochs]
    finite = np.isfinite(score).any()
    statuses = {Outcome.RUNNING: Status.FINISHED, Outcome.EARLY_STOPPED: Status.EARLY_STOPPED}
    trial = Trial(
        number=0,
        spec=spec,
        status=statuses.get(outcome, Status.DIVERGED),
        epochs=epochs,
        best_epoch=int(np.nanargmin(score)) + 1 if finite else 0,
        score=float(np.nanmin(score)) if finite else float("inf"),
    )
    architecture = architecture_of(spec, *shape)
    said = predictions(architecture, best_parameters(course.state), data.dev.x)
    if task.kind == "regression":
        said = data.target_encoder.original(said)
    measure = METRICS[metric]
    guess = constant_guess(
        measure, targets(data, data.train), len(data.dev), task.classes, data.train.weight
    )
    return Ended(
        data=data,
        metric=metric,
        scale=score_scale(data, metric),
        trials=[trial],
        best=trial,
        curves={n: getattr(course, n)[:epochs] for n in ("train_cost", "dev_cost", "dev_score")},
        state=course.state,
        architecture=architecture,
        constant=measure.loss(targets(data, data.dev), guess.prediction_dev, data.dev.weight),
        versus={},
        spread=spread_of(data, said),
        work=0.0,
        seed=0,
    )


def _problems(ended: Ended) -> dict[str, Finding]:
    found = training_findings(ended)
    assert {f.code for f in found} <= CHECKS
    for finding in found:
        assert {"measured", "threshold", "threshold_source", "change"} <= set(finding.evidence)
    return {f.code: f for f in found if f.level == "problem"}


# What to train long enough, at a rate that suits.
TASKS: dict[str, Values] = {
    "digits": {},
    "moons": {"epochs": 80, "learning_rate": 0.01},
    "gauss": {"dropout": 0.3},
    "noise": {},
    "imbalance": {},
    "cancer": {},
    "wine": {"epochs": 80, "learning_rate": 0.01},
    "diabetes": {"dropout": 0.1},
    "teacher": {"epochs": 200, "learning_rate": 0.01},
    "sine": {"epochs": 300, "learning_rate": 0.01},
}
# Right networks that naive rules accuse: each says of what.
NETWORKS: dict[str, Values] = {
    "plain": {},
    "wide, most ReLUs 0": {"hidden_layers": 1, "hidden_units": 96},
    "dropout, dev better than train": {"hidden_units": 64, "dropout": 0.2},
    "tanh": {"activation": "tanh"},
    "sgd at 0.1 with batch norm": {
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch_norm": "before",
    },
    "deeper, gelu": {"hidden_layers": 4, "activation": "gelu"},
    "rate that goes up and down": {"decay": "one_cycle", "learning_rate": 0.02},
    "residual": {"hidden_layers": 5, "residual": 2},
    "sparse by l1": {"hidden_layers": 1, "hidden_units": 64, "l1": 1e-4},
    "perfect fit, no patience": {"patience": 0, "hidden_units": 64, "l2": 1e-4, "dropout": 0.2},
}
CLEAN = list(itertools.product(TASKS, NETWORKS))
FAST = [case for n, case in enumerate(CLEAN) if n % 10 in (0, 2, 4, 5, 6, 8)]  # 60 of 100


@pytest.mark.parametrize(("task", "network"), FAST)
def test_a_healthy_network_raises_no_problem(task: str, network: str) -> None:
    found = _problems(_ended(_task(task), {**TASKS[task], **NETWORKS[network]}))
    assert found == {}, {code: f.detail for code, f in found.items()}


@pytest.mark.slow
def test_of_many_healthy_networks_next_to_none_raises_a_problem() -> None:
    """300 runs; with 3 alarms in them the rate is below 2.9 % (Clopper and Pearson, 95 %)."""
    alarms = {
        (task, network, seed): {code: f.detail for code, f in found.items()}
        for (task, network), seed in itertools.product(CLEAN, (2, 3, 4))
        if (found := _problems(_ended(_task(task), {**TASKS[task], **NETWORKS[network]}, seed)))
    }
    assert len(alarms) <= 3, alarms


# Code -> task and faults: severe, medium, mild. Severe ones must be found.
PLANTED: dict[str, tuple[str, tuple[Values, Values, Values]]] = {
    "DW401": (
        "digits",
        (
            {"hidden_layers": 10, "activation": "sigmoid"},
            {"hidden_layers": 6, "activation": "sigmoid"},
            {"hidden_layers": 4, "activation": "sigmoid"},
        ),
    ),
    "DW402": (
        "digits",
        (
            {"initializer": "large", "hidden_layers": 3},
            {"initializer_scale": 10.0, "hidden_layers": 3},
            {"initializer_scale": 4.0, "hidden_layers": 3},
        ),
    ),
    "DW403": (
        "digits",
        (
            {"learning_rate": 0.3},
            {"learning_rate": 0.1},
            {"learning_rate": 0.05},
        ),
    ),
    "DW404": (
        "digits",
        (
            {"activation": "tanh", "initializer": "large"},
            {"activation": "tanh", "initializer_scale": 20.0},
            {"activation": "tanh", "initializer_scale": 8.0},
        ),
    ),
    "DW405": (
        "digits",
        (
            {"learning_rate": 0.3},
            {"learning_rate": 0.1},
            {"learning_rate": 0.05},
        ),
    ),
    "DW406": (
        "digits",
        (
            {"learning_rate": 1e-5, "epochs": 20},
            {"learning_rate": 5e-5, "epochs": 20},
            {"learning_rate": 2e-4, "epochs": 20},
        ),
    ),
    "DW409": (
        "digits",
        (
            {"initializer": "zeros", "learning_rate": 1e-7, "optimizer": "sgd"},
            {"learning_rate": 3.0},
            {"learning_rate": 1.0},
        ),
    ),
    "DW412": (
        "digits",
        (
            {"learning_rate": 1e-4},
            {"learning_rate": 1e-4, "epochs": 20},
            {"learning_rate": 2e-4, "epochs": 20},
        ),
    ),
    "DW413": (
        "diabetes",
        (
            {"learning_rate": 0.01, "hidden_units": 96, "patience": 0, "epochs": 60},
            {"learning_rate": 0.01, "patience": 0, "epochs": 60},
            {"learning_rate": 0.005, "patience": 0, "epochs": 60},
        ),
    ),
    "DW414": (
        "diabetes",
        (
            {"learning_rate": 0.003, "patience": 0, "epochs": 80},
            {"learning_rate": 0.002, "patience": 0, "epochs": 80},
            {"learning_rate": 0.001, "patience": 0, "epochs": 80},
        ),
    ),
}


def test_what_regularizes_is_tried_where_a_network_overfits() -> None:
    """Its best weights are kept in any case: what counts is whether a change beats those."""
    told = _problems(_ended(_task("diabetes"), PLANTED["DW414"][1][0]))["DW414"]
    effect: Any = told.evidence["change_effect"]
    assert (effect["runs"], effect["gain"] > 0) == (8, True)
    assert told.evidence["values"] == {"dropout": 0.3, "l2": 0.001}
    assert "with dropout 0.3, l2 0.001" in told.detail


@pytest.mark.parametrize("code", PLANTED)
def test_a_severe_fault_is_found(code: str) -> None:
    task, (severe, _, _) = PLANTED[code]
    found = {f.code: f for f in training_findings(_ended(_task(task), severe))}
    told = found[code]
    raised = told.level == "problem" or told.evidence.get("consequence_of")
    assert raised, {c: (f.level, f.claim, f.detail) for c, f in found.items()}


def test_a_plateau_is_found() -> None:
    """Every change that is tried leaves it: a rate so high that all units died is DW405's."""
    found = {f.code: f for f in training_findings(_ended(_task("digits"), {"learning_rate": 1.0}))}
    told = found["DW410"]
    assert told.level == "problem" or told.evidence.get("consequence_of")


@pytest.mark.proves("G6", "formula")
def test_batches_too_small_for_the_rate_are_found() -> None:
    """A tenth of the rate does about as much as four times the batch size: both are told."""
    values = {"batch_size": 4, "learning_rate": 0.01, "epochs": 20}
    told = _problems(_ended(_task("digits"), values))["DW415"]
    assert told.evidence["values"] == {"batch_size": 16}
    assert told.evidence["p_value"] <= 0.02  # type: ignore[operator]


@pytest.mark.parametrize(
    ("task", "values", "name"),
    [
        ("moons", {"dropout": 0.9}, "dropout"),
        ("digits", {"input_noise": 4.0}, "input_noise"),
        ("teacher", {"activation": "identity"}, "activation"),
        ("digits", {"epsilon": 1.0}, "epsilon"),
        ("digits", {"decay": "exponential", "decay_factor": 0.3}, "decay"),
        ("digits", {"hidden_units": 3}, "hidden_units"),
    ],
)
def test_a_setting_far_out_of_its_range_is_found(task: str, values: Values, name: str) -> None:
    found = _problems(_ended(_task(task), values))
    assert next(iter(found["DW416"].evidence["values"])) == name
    assert "DW406" not in found  # a higher rate makes up for it, but is not the cause


@pytest.mark.parametrize("task", ["noise", "gauss"])
def test_an_odd_setting_that_does_no_harm_is_none(task: str) -> None:
    found = {f.code: f for f in training_findings(_ended(_task(task), {"dropout": 0.6}))}
    assert found["DW416"].level == "ok"
    assert found["DW416"].claim == "an unusual setting, but no harm"


def test_a_rate_far_too_low_is_told_with_one_that_is_not() -> None:
    """A hundred times as much helps most of what is tried at first, and is still too low."""
    found = _problems(_ended(_task("digits"), {"learning_rate": 1e-6}))["DW406"]
    assert found.evidence["values"]["learning_rate"] >= 1e-3
    assert len(found.evidence["effects"]) >= 4
    assert found.evidence["p_value"] == 3 / 256


def test_a_training_too_short_for_a_trend_is_trained_on() -> None:
    found = _problems(_ended(_task("digits"), {"epochs": 3}))
    assert found["DW412"].evidence["values"] == {"epochs": 40}
    assert "DW412" not in _problems(_ended(_task("noise"), {"epochs": 3}))


def test_a_training_that_patience_ended_too_soon_is_trained_on() -> None:
    ended = _ended(_task("moons"), {"learning_rate": 3e-4, "patience": 1, "epochs": 60})
    assert ended.best.status is Status.EARLY_STOPPED
    found = _problems(ended)["DW412"]
    assert found.evidence["values"] == {"epochs": 4 * ended.best.epochs, "patience": 0}


def test_a_network_that_diverged_is_trained_for_all_its_epochs_with_the_change() -> None:
    """Its own runs have no finite cost from the second epoch on, so none that is lower."""
    values = {"optimizer": "sgd", "learning_rate": 1.5, "hidden_layers": 0, "epochs": 30}
    ended = _ended(_task("teacher"), values)
    assert ended.best.status is Status.DIVERGED
    short = replace(ended, best=replace(ended.best, epochs=ended.best.best_epoch))
    curves = {name: curve[: short.best.epochs] for name, curve in ended.curves.items()}
    found = _problems(replace(short, curves=curves))
    assert (short.best.epochs, found["DW405"].evidence["epochs"]) == (1, 30)
    effect: Any = found["DW405"].evidence["change_effect"]
    assert effect["with"] < ended.constant < effect["without"]


def test_batch_norm_on_two_rows_is_tried_with_more() -> None:
    values = {"batch_norm": "before", "batch_size": 2, "epochs": 12}
    told = _problems(_ended(_task("digits"), values))["DW415"]
    assert told.evidence["values"] == {"batch_size": 32}


@pytest.mark.parametrize("decay", ["cosine", "one_cycle"])
def test_runs_of_fewer_epochs_have_a_whole_schedule(
    decay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off in the middle, a rate that goes up and down would be scored at its highest."""
    values = {"decay": decay, "warmup_epochs": 4.0, "dropout": 0.6, "patience": 0}
    ended = _ended(_task("digits"), values)
    trained: list[tuple[Any, int]] = []
    train = Bench.train

    def watched(bench: Bench, members: Any, epochs: int) -> Any:
        trained.extend((member, epochs) for member in members)
        return train(bench, members, epochs)

    monkeypatch.setattr(Bench, "train", watched)
    monkeypatch.setattr("deepwell.study._training_findings.FLOOR", 5e9)
    training_findings(ended)
    annealed = [(m.numbers, epochs) for m, epochs in trained if m.decay == decay]
    assert annealed
    for numbers, epochs in annealed:
        assert epochs < 40
        assert (numbers["epochs"], numbers["warmup_epochs"]) == (epochs, epochs / 10)


def _scaled(data: Data, columns: np.ndarray | float, offset: float) -> Data:
    """Return rows as `load`, which always normalizes, would never give them."""
    parts = [
        replace(part, x=(columns * (part.x + offset)).astype(np.float32))
        for part in (data.train, data.dev)
    ]
    return replace(data, train=parts[0], dev=parts[1])


RAW = {
    "scales that differ, off center": (np.geomspace(0.01, 100, 61), 3.0),
    "off center": (1.0, 5.0),
    "one column of another unit": (np.array([1e4] + [1.0] * 60), 0.0),
}


@pytest.mark.parametrize("raw", RAW)
def test_inputs_that_are_not_normalized_are_found(raw: str) -> None:
    data = _scaled(_task("digits"), *RAW[raw])
    assert "DW407" in _problems(_ended(data, {"epochs": 15}))


def _with_stale_averages(ended: Ended, factor: float) -> Ended:
    """Return the network with averages of batch norm that were not kept up with its weights."""
    state = {
        name: array * factor if name.startswith("best/variances/") else array
        for name, array in ended.state.items()
    }
    return replace(ended, state=state)


@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_averages_of_batch_norm_that_are_off_are_found(factor: float) -> None:
    """Not by training, where the averages start without bias: planted in the trained network."""
    ended = _ended(_task("digits"), {"batch_norm": "before"})
    assert "DW411" not in _problems(ended)
    told = _problems(_with_stale_averages(ended, factor))["DW411"]
    assert told.evidence["measured"] > told.evidence["threshold"]  # type: ignore[operator]


def test_inputs_in_another_range_learnt_through_batch_norm_are_fine() -> None:
    moved = _scaled(_task("digits"), 1.0, 5.0)
    found = {f.code: f for f in training_findings(_ended(moved, {"batch_norm": "before"}))}
    assert found["DW407"].level == "ok"
    assert found["DW407"].claim == "inputs not normalized, but no harm"


def test_the_same_study_gives_the_same_findings() -> None:
    ended = _ended(_task("digits"), {"learning_rate": 0.3})
    assert training_findings(ended) == training_findings(ended)


def test_too_large_a_network_for_its_twins_is_unsure() -> None:
    """An allowance of nothing: what is suspected is said to be so, and nothing is trained."""
    from deepwell.study import _examination_arms

    ended = _ended(_task("digits"), {"learning_rate": 0.3})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deepwell.study._training_findings.FLOOR", 1.0)
        patch.setattr(_examination_arms.Arms, "_train", None)
        found = {f.code: f for f in training_findings(ended)}
    assert found["DW403"].level == "unsure"
    assert "hundredth" in found["DW403"].detail


def test_what_the_search_has_tried_is_not_tried_again() -> None:
    """Units that died at a rate that was the best of many rates: nothing to be mended by rate."""
    ended = _ended(_task("digits"), {"learning_rate": 0.3})
    lower = [_lower(ended, n) for n in range(1, 5)]
    found = {f.code: f for f in training_findings(replace(ended, trials=[ended.best, *lower]))}
    assert (found["DW403"].level, found["DW405"].level) == ("ok", "ok")
    assert "the search tried" in found["DW403"].detail


def _lower(ended: Ended, number: int, **about: Any) -> Trial:
    """Return a worse network of a third of the rate."""
    values = {**ended.best.spec.hyperparameters, "learning_rate": 0.1}
    given: dict[str, Any] = {"status": Status.FINISHED, "epochs": 40, "best_epoch": 40, **about}
    return Trial(number, TrialSpec(values, number), score=0.95, **given)


def test_the_folds_of_one_other_configuration_are_one_try() -> None:
    ended = _ended(_task("digits"), {"learning_rate": 0.3})
    folds = [replace(ended.best, number=n) for n in range(5)]
    one = replace(ended, folds=5, trials=[*folds, *(_lower(ended, n) for n in range(5, 10))])
    found = {f.code: f for f in training_findings(one)}
    assert (found["DW405"].level, found["DW412"].evidence["others"]) == ("problem", 1)
    four = replace(ended, folds=5, trials=[*folds, *(_lower(ended, n) for n in range(5, 25))])
    told = {f.code: f for f in training_findings(four)}["DW405"]
    assert told.level == "ok"
    assert "effects" not in told.evidence  # the search has tried lower rates


def test_what_was_given_up_early_says_nothing_about_its_values() -> None:
    ended = _ended(_task("wine"), {})
    whole = [_lower(ended, 1), _lower(ended, 2, status=Status.PRUNED, epochs=20)]
    stopped = _lower(ended, 3, status=Status.EARLY_STOPPED, epochs=9)
    pruned = _lower(ended, 4, status=Status.PRUNED, epochs=9)
    failed = _lower(ended, 5, status=Status.FAILED)
    trials = [failed, pruned, stopped, *whole, ended.best]
    assert [t.number for t in replace(ended, trials=trials).others] == [1, 2, 3]


def test_no_memory_for_twins_leaves_what_needs_none() -> None:
    found = {f.code: f for f in training_findings(replace(_ended(_task("wine"), {}), memory=9_999))}
    assert set(found) == CHECKS
    assert [found[code].level for code in LAYERS] == ["unsure"] * 4


def test_a_linear_network_has_no_layers_to_look_at() -> None:
    found = {f.code for f in training_findings(_ended(_task("wine"), {"hidden_layers": 0}))}
    assert found == CHECKS - set(LAYERS)


def test_the_other_programs_networks_get_what_needs_no_twins() -> None:
    ended = _ended(_task("wine"), {})
    spec = TrialSpec({**ended.best.spec.hyperparameters, "optimizer": "optax:lion"}, 1)
    told = training_findings(replace(ended, best=replace(ended.best, spec=spec)))
    found = {f.code: f for f in told}
    assert set(found) == CHECKS
    assert [found[code].level for code in LAYERS] == ["unsure"] * 4  # of no study with programs
    assert "no program at hand" in found["DW401"].detail
