"""The recipe as an experiment, in whole studies: the right remedy wins, or nothing does."""

import contextlib
import dataclasses
import math
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import complete
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._recipe import BY_CODE, Verdict
from deepwell.diagnosis._remedies import Patient, treatment, treatments
from deepwell.diagnosis._told_gaps import ToldGaps
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.records import (
    Cycle,
    EnsembleFacts,
    Estimate,
    Finding,
    Improvement,
    RemedyPlan,
    TrialSpec,
    from_plain,
    to_plain,
)
from deepwell.storage._open import open_store
from deepwell.study import _section_error
from deepwell.study._beside import (
    _ensemble,  # pyright: ignore[reportPrivateUsage]
)
from deepwell.study._experiment import Experiment, Race, Told
from deepwell.study._experiment_cost import affordable_arms, experiment_seconds
from deepwell.study._experiment_rows import experiment_rows
from deepwell.study._improve import (
    _next,  # pyright: ignore[reportPrivateUsage]
    plan_improvement,
)
from deepwell.study._improve_plan import (
    Step,
    _verdict_words,  # pyright: ignore[reportPrivateUsage]
)
from deepwell.study._improve_subject import Subject, finding_of, wanted
from deepwell.study._in_store import in_store
from deepwell.study._observer import Observer
from deepwell.study._reopened import reopen
from deepwell.study._save_improved import improved_name, said

SHORT = {"epochs": 12, "batch_size": 32, "learning_rate": 0.01, "dropout": 0.0, "l2": 0.0}


def write_table(
    file, train: int, dev: int, columns: int = 4, flips: float = 0.0, moved: float = 0.0
):
    """Classes by a product and a sum of two columns; others are noise. With 200 test rows."""
    generator = np.random.default_rng([train, dev, columns])
    count = train + dev + 200
    x = generator.normal(size=(count, columns))
    part = np.repeat(["train", "dev", "test"], [train, dev, 200])
    turned = np.where(part == "train", 0.0, moved)
    label = (x[:, 0] * x[:, 1] + 0.5 * x[:, 0] + turned > 0).astype(int)
    label = np.where(generator.random(count) < flips, 1 - label, label)
    table = {f"x{i}": x[:, i].round(4) for i in range(columns)}
    names = np.array(["no", "yes"])[label]
    pl.DataFrame({**table, "part": part, "y": names}).write_csv(file)
    return file


def fitted(folder, file, network: dict, **options):
    data = dw.load(file, target="y", split_column="part")
    fixed = {**SHORT, **network}
    study = dw.Study(data, name="base", store=folder / "store", fixed=fixed, **options)
    study.run(trials=1)
    return study


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("table") / "table.csv", 500, 800)


def arm(found: Improvement, name: str):
    return next(one for one in found.arms if one.name == name)


@pytest.fixture(scope="module")
def too_small(table, tmp_path_factory):
    """A study whose network has two hidden units, and what improving it found."""
    folder = tmp_path_factory.mktemp("small")
    study = fitted(folder, table, {"hidden_units": [2]})
    told = Heard()
    found = dw.open_study("base", folder / "store").improve("DW102", replicates=8, observer=told)
    return folder, study, found, told


class Heard(Observer):
    def __init__(self):
        self.plans, self.cycles, self.progress = [], [], []

    def on_remedies(self, plan: RemedyPlan):
        self.plans.append(plan)

    def on_cycle(self, cycle: Cycle, result):
        self.cycles.append(cycle)

    def on_progress(self, progress):
        self.progress.append(progress)


@pytest.mark.proves("G4", "population")
def test_a_network_that_is_too_small_gets_bigger_and_is_saved_as_a_study(too_small):
    folder, _, found, told = too_small
    first = found.cycles[0]
    assert first.winner
    assert arm(found, first.winner).kind in ("bias", "optimization", "architecture")
    assert arm(found, first.winner).verdict == "helps"
    assert arm(found, "much-bigger").effect.value < -0.02
    assert arm(found, "much-bigger").parameters > 3 * first.base.parameters
    assert first.gain is not None
    assert first.gain.value > 0.02
    assert [c.plan.cycle for c in told.cycles] == list(range(1, 1 + len(found.cycles)))
    assert told.plans == [c.plan for c in found.cycles]
    assert told.progress[-1].share == 1.0
    assert found.improved == "base-improved"
    assert found.versus is not None
    assert found.versus.high < 0
    assert {f.code for f in found.findings} >= {"DW601", "DW605"}
    new = dw.open_study("base-improved", folder / "store")
    best = {n: found.hyperparameters[n] for n in ("hidden_units", "learning_rate", "epochs")}
    assert {n: new.result.best[n] for n in best} == best
    assert new.result.parent.startswith("base by ")
    assert "improved from study base by" in " ".join(new.report_text().split())
    assert new.result.networks == 8
    assert (found.apply, found.replicates, found.from_file) == ("DW102", 8, True)
    assert found.test_rows == 200


def test_the_old_study_stays_and_both_share_the_sealed_test_set(too_small):
    folder, study, _, _ = too_small
    old, new = (dw.open_study(n, folder / "store") for n in ("base", "base-improved"))
    assert to_plain(old.result) == to_plain(study.result)
    assert old.result.best["hidden_units"] == (2,)
    assert new.open_test()[-1].number == 1
    assert old.open_test()[-1].number == 2  # the same ledger
    assert len(new.model().predict({f"x{i}": [0.1, 0.2] for i in range(4)})) == 2


def test_what_was_measured_is_kept_with_the_old_study(too_small):
    folder, _, found, _ = too_small
    with open_store(folder / "store", create=False) as opened:
        [event] = opened.events(opened.study("base").id, "improve")
    kept = from_plain(Improvement, event.details)
    told = dataclasses.replace(kept, findings=tuple(in_store(kept.findings, folder / "store")))
    assert to_plain(told) == to_plain(found)


def test_the_same_seed_gives_the_same_arms(too_small, tmp_path):
    folder, _, found, _ = too_small
    again = dw.open_study("base", folder / "store").improve("DW102", budget=200, save=False)
    assert [(a.name, a.effect, a.p_best, a.replicates) for a in again.arms] == [
        (a.name, a.effect, a.p_best, a.replicates) for a in found.arms
    ]
    assert again.improved == ""


def test_weak_arms_are_given_up_early_and_never_win(too_small):
    *_, found, told = too_small
    first = found.cycles[0]
    assert first.plan.rungs == (2, 4, 8)
    given_up = [a for a in first.arms if a.stopped_at]
    ended = [a for a in first.arms if a.effect is not None and not a.stopped_at]
    assert {a.stopped_at for a in given_up} <= {2, 4}
    assert {a.replicates for a in ended} == {8}
    assert first.arms == (*ended, *given_up)  # those that were given up come last
    assert first.networks < first.plan.networks
    assert all(a.verdict != "helps" for a in given_up)
    rungs = [(p.rung, p.alive) for p in told.progress if p.rung_ended][:3]
    assert rungs[0] == (1, len(first.arms))
    assert rungs[2][1] == len(ended)


@pytest.mark.parametrize(
    ("network", "right"),
    [
        ({"hidden_units": [32], "learning_rate": 1e-4}, {"much-higher-rate", "higher-rate"}),
        ({"hidden_units": [32], "epochs": 1}, {"longer", "much-higher-rate", "higher-rate"}),
        ({"hidden_units": [32], "initializer": "zeros"}, {"other-start"}),
        ({"hidden_units": [32], "l2": 0.3}, {"no-regularization", "less-l2"}),
    ],
)
def test_the_right_remedy_is_the_first_advice(table, tmp_path, network, right):
    fitted(tmp_path, table, network)
    found = dw.open_study("base", tmp_path / "store").improve(budget=200, save=False)
    assert found.cycles[0].winner in right
    assert found.improved == ""


def test_a_network_that_overfits_a_tiny_table_is_regularized(tmp_path):
    generator = np.random.default_rng(5)
    x = generator.normal(size=(120 + 1500 + 100, 30)).round(4)
    part = np.repeat(["train", "dev", "test"], [120, 1500, 100])
    names = np.where(x[:, 0] + x[:, 1] > 0, "yes", "no")
    table = {f"x{i}": x[:, i] for i in range(30)}
    pl.DataFrame({**table, "part": part, "y": names}).write_csv(tmp_path / "tiny.csv")
    study = fitted(tmp_path, tmp_path / "tiny.csv", {"hidden_units": [64, 64], "epochs": 40})
    assert {f.code for f in study.result.findings if f.level == "problem"} >= {"DW101"}
    found = study.improve(budget=200, save=False)
    first = found.cycles[0]
    assert first.base.train < 0.05 < 0.15 < first.base.dev
    assert first.plan.verdict == "high variance"
    assert next(iter(first.plan.arms)) == "more-dropout"
    regularized = [a.effect.value for a in first.arms if a.kind == "variance" and a.effect]
    assert min(regularized) < 0
    assert first.winner == "" or arm(found, first.winner).effect.high < 0


def test_at_the_noise_floor_nothing_helps_and_nothing_is_saved(tmp_path):
    file = write_table(tmp_path / "noisy.csv", 2000, 3000, columns=2, flips=0.2)
    study = fitted(tmp_path, file, {"hidden_units": [32], "learning_rate": 0.01, "epochs": 20})
    assert study.result.dev.value < 0.24  # the labels' noise is 0.2
    found = study.improve(budget=300)
    assert [c.winner for c in found.cycles] == [""]
    assert found.improved == ""
    assert found.cycles[0].gain is None
    [last] = [f for f in found.findings if f.code in ("DW602", "DW603")]
    assert last.evidence["measured"] == found.cycles[0].largest
    assert (last.code == "DW602") == (last.evidence["measured"] <= last.evidence["threshold"])
    assert [s.name for s in _studies(tmp_path / "store")] == ["base"]


def test_a_mismatch_is_beyond_these_remedies(tmp_path):
    file = write_table(tmp_path / "moved.csv", 600, 1000, columns=2, moved=-1.0)
    study = fitted(tmp_path, file, {"hidden_units": [16], "epochs": 20})
    found = study.improve(budget=100, replicates=4, save=False)
    best = min(a.effect.value for a in found.arms if a.effect is not None)
    assert best > -0.3 * study.result.dev.value


def test_more_data_is_told_from_the_learning_curve_that_was_measured(too_small, tmp_path):
    from deepwell.records import LearningCurve

    folder, *_ = too_small
    study = dw.open_study("base", shutil.copytree(folder / "store", tmp_path / "store"))
    curve = LearningCurve("error", (), gain=Estimate(0.02, 0.01, 0.03))
    study.note("learning curve", to_plain(curve))
    found = study.improve("DW102", budget=100, replicates=4, save=False)
    more = found.beside[-1]
    assert (more.name, more.verdict) == ("more-data", "extrapolated")
    assert more.effect == Estimate(-0.02, -0.03, -0.01)
    assert "more-data" not in {a.name for a in found.arms}


def test_an_ensemble_is_told_beside_the_arms_as_the_fit_measured_it(too_small, tmp_path):
    folder, *_ = too_small
    study = dw.open_study("base", shutil.copytree(folder / "store", tmp_path / "store"))
    facts = EnsembleFacts((0, 3), (0.5, 0.5), 4, Estimate(-0.02, -0.03, -0.01), 0.1, 0.12, 300)
    with_it = SimpleNamespace(result=dataclasses.replace(study.result, ensemble=facts))
    [arm] = _ensemble(with_it, "runs")
    assert (arm.name, arm.verdict, arm.effect) == ("ensemble", "helps", facts.change)
    assert "an average of 2 of its networks" in arm.words
    assert "deepwell ensemble base --store runs" in arm.words
    without = SimpleNamespace(result=dataclasses.replace(study.result, ensemble=None))
    assert not _ensemble(without, None)
    worse = dataclasses.replace(facts, change=Estimate(0.02, -0.01, 0.05))
    hurt = SimpleNamespace(result=dataclasses.replace(study.result, ensemble=worse))
    [arm] = _ensemble(hurt, None)
    assert arm.verdict == "no clear change"


def test_a_check_that_was_passed_has_nothing_to_mend():
    passed = Finding("DW405", "ok", "learning rate not too high", "")
    open_ = Finding("DW112", "unsure", "best possible score not known", "")
    with pytest.raises(UsageError, match=r"nothing to mend under DW405 .*it has DW112"):
        finding_of([passed, open_], "DW405", "churn")
    assert finding_of([passed, open_], "DW112", "churn") is open_
    again = Finding("DW405", "problem", "learning rate too high", "")
    assert finding_of([passed, again], "DW405", "churn") is again
    assert finding_of([passed], "DW109", "churn") is None, "diagnose may have told it"


def test_remedies_are_tried_for_what_diagnose_alone_tells(too_small, tmp_path):
    """DW109, that a rival is better, is in no fit."""
    folder, *_ = too_small
    place = shutil.copytree(folder / "store", tmp_path / "store")
    told = Heard()
    found = dw.open_study("base", place).improve("DW109", budget=3, observer=told, save=False)
    assert told.plans[0].verdict == "for DW109"
    assert found.cycles[0].arms


def test_what_is_noise_for_the_fit_is_no_high_bias_for_the_diagnosis(tmp_path, monkeypatch):
    generator = np.random.default_rng(8)
    table = {f"x{i}": generator.normal(size=600).round(4) for i in range(2)}
    part = np.repeat(["train", "dev", "test"], 200)
    table |= {"part": part, "y": generator.choice(["a", "b"], 600)}
    pl.DataFrame(table).write_csv(tmp_path / "noise.csv")
    study = fitted(tmp_path, tmp_path / "noise.csv", {"hidden_units": [2], "epochs": 1})
    of_fit = {f.code for f in study.result.findings}
    assert ("DW112" in of_fit, "DW102" in of_fit) == (True, False)
    monkeypatch.setattr(_section_error, "strongest_rival", lambda *_, **__: None)
    reopened = reopen(dw.open_study("base", tmp_path / "store"), tmp_path / "store")
    told = _section_error.error_section(reopened)
    assert {"DW112", "DW102"} & {f.code for f in told.findings} == {"DW112"}


def test_what_diagnose_tells_anew_comes_with_the_command_to_mend_it(too_small, monkeypatch):
    folder, *_ = too_small
    monkeypatch.setattr(_section_error, "strongest_rival", lambda *_, **__: None)
    reopened = reopen(dw.open_study("base", folder / "store"), folder / "store")
    told = _section_error.error_section(reopened)
    [bias] = [finding for finding in told.findings if finding.code == "DW102"]
    assert bias.command == f"deepwell improve base --apply DW102 --store {folder / 'store'}"


def test_the_page_names_every_code_that_has_remedies():
    page = (Path(__file__).parents[2] / "docs" / "improve.md").read_text()
    listed = re.search(r"remedies for one finding \((.*?)\)", page, re.DOTALL).group(1)
    codes = set()
    for first, last in re.findall(r"DW(\d+)(?: to\s+DW(\d+))?", listed):
        codes |= {f"DW{n}" for n in range(int(first), int(last or first) + 1)}
    assert codes == set(BY_CODE)


def _studies(store):
    with open_store(store, create=False) as opened:
        return opened.studies()


def test_a_finding_s_own_change_is_tried_first(table, tmp_path):
    fault = {"learning_rate": 0.5, "hidden_units": [32, 16], "epochs": 15}
    study = fitted(tmp_path, table, fault)
    codes = [f.code for f in study.result.findings if f.level == "problem"]
    code = next(c for c in codes if c in ("DW403", "DW405"))
    found = study.improve(code, budget=100, replicates=4, save=False)
    assert f"as-{code}-says" in {a.name for a in found.arms}
    assert found.cycles[0].winner
    assert found.cycles[0].plan.verdict == f"for {code}"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"apply": "DW999"}, 'unknown code "DW999"'),
        ({"apply": "DW100"}, "there is no remedy to try for DW100"),
        ({"apply": "DW407"}, "study base has nothing to mend under DW407"),
        ({"replicates": 3}, "`replicates` must be"),
        ({"replicates": "many"}, "`replicates` must be"),
        ({"budget": "soon"}, "a budget must be a time such as 60s"),
        ({"budget": 1e-6}, "the budget has no room for one remedy"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(too_small, tmp_path, arguments, sentence):
    folder, *_ = too_small
    place = shutil.copytree(folder / "store", tmp_path / "store")
    with pytest.raises(UsageError) as refused:
        dw.open_study("base", place).improve(**{"budget": 100, **arguments})
    assert sentence in str(refused.value)
    assert [s.name for s in _studies(place)] == ["base", "base-improved"]


def test_rows_from_memory_are_asked_for(tmp_path):
    x = np.random.default_rng(0).normal(size=(120, 2))
    table = {"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] > 0}
    data = dw.load(table, target="y", name="mine", vault=tmp_path / "v")
    fixed = {**SHORT, "hidden_units": [4], "epochs": 2}
    study = dw.Study(data, store=tmp_path / "store", fixed=fixed)
    study.run(trials=1)
    again = dw.open_study("mine", tmp_path / "store")
    with pytest.raises(UsageError, match="came from memory; give them again in Python"):
        again.improve()
    found = again.improve(data=data, replicates=4, save=False)
    assert not found.cycles[0].plan.halved  # 24 dev rows are too few to part
    assert math.isfinite(found.cycles[0].largest)
    assert (found.apply, found.replicates, found.from_file) == ("", 4, False)
    assert not any(f.command.startswith("deepwell improve") for f in found.findings)
    again = study.improve(replicates=4, save=False)
    assert [a.effect for a in again.arms] == [a.effect for a in found.arms]


def test_a_kill_in_the_middle_leaves_the_old_study_as_it_was(too_small, tmp_path, monkeypatch):
    folder, *_ = too_small
    place = shutil.copytree(folder / "store", tmp_path / "store")
    before = to_plain(dw.open_study("base", place).result)

    def killed(*_):
        raise KeyboardInterrupt

    for where in ("deepwell.study._experiment.Race._measure", "deepwell.study._course.conclude"):
        with monkeypatch.context() as patch:
            patch.setattr(where, killed)
            with pytest.raises(KeyboardInterrupt):
                dw.open_study("base", place).improve("DW102", budget=100, replicates=4)
        assert to_plain(dw.open_study("base", place).result) == before


def test_ctrl_c_keeps_what_was_measured(too_small, tmp_path, monkeypatch):
    folder, *_ = too_small
    place = shutil.copytree(folder / "store", tmp_path / "store")
    import signal

    class Impatient(Observer):
        def on_progress(self, progress):
            if progress.rung == 3:
                signal.raise_signal(signal.SIGINT)

    found = dw.open_study("base", place).improve("DW102", budget=100, observer=Impatient())
    assert found.stopped == "stopped by the user"
    assert found.improved == ""
    assert {a.replicates for a in found.arms} <= {2, 4}
    assert any(a.effect is not None and math.isfinite(a.effect.low) for a in found.arms)


def test_a_cross_validated_study_is_improved_over_its_folds(tmp_path):
    generator = np.random.default_rng(1)
    x = generator.normal(size=(300, 2))
    label = np.where(x[:, 0] + x[:, 1] > 0, "a", "b")
    pl.DataFrame({"p": x[:, 0], "q": x[:, 1], "y": label}).write_csv(tmp_path / "t.csv")
    data = dw.load(tmp_path / "t.csv", target="y")
    fixed = {**SHORT, "hidden_units": [16], "learning_rate": 1e-4}
    study = dw.Study(data, name="base", store=tmp_path / "store", folds=3, fixed=fixed)
    study.run(trials=1)
    found = study.improve("DW406", budget=200, replicates=8)
    assert found.cycles[0].plan.dev_rows == 240  # train and dev rows, each once
    assert found.cycles[0].plan.halved
    assert found.cycles[0].winner
    assert found.versus is None  # no row is free of both networks' training
    assert dw.open_study(found.improved, tmp_path / "store").result.folds != ()


def test_each_half_measures_the_networks_that_the_other_chose(table):
    data = dw.load(table, target="y", split_column="part", vault=None)
    rows = experiment_rows(data, None, METRICS["error"], 0, None)
    assert rows.halved
    (first,), (second,) = rows.sides
    assert len(first.measured) + len(second.measured) == len(data.dev)
    assert np.array_equal(first.measured.x, second.data.dev.x)
    assert np.array_equal(second.measured.x, first.data.dev.x)
    both = np.concatenate([first.measured.x, second.measured.x])
    assert np.array_equal(np.sort(both[:, 0]), np.sort(data.dev.x[:, 0]))
    for half in (first, second):  # each class as often in both
        assert abs(half.measured.y.mean() - data.dev.y.mean()) < 0.005
    experiment = Experiment(_spec(), (), rows, 4, 1, 0)
    specs = experiment.specs()
    assert [specs[n].fold for n in range(4)] == [1, 2, 1, 2]
    assert len({spec.seed for spec in specs.values()}) == 4
    assert len({spec.order_seed for spec in specs.values()}) == 4
    few = experiment_rows(_with_dev(data, 60), None, METRICS["error"], 0, None)
    assert (few.halved, few.measured_rows) == (False, 60)
    streamed = experiment_rows(_streamed(data), None, METRICS["error"], 0, 1 << 30)
    assert (len(streamed.sides), streamed.halved, streamed.measured_rows) == (1, True, 400)


@pytest.mark.proves("G4", "population")
def test_both_programs_find_the_same_effects(table):
    data = dw.load(table, target="y", split_column="part", vault=None)
    rows = experiment_rows(data, None, METRICS["log_loss"], 0, None)
    base = TrialSpec(complete({**SHORT, "hidden_units": [6], "epochs": 3}), 0)
    arms = treatments(Patient(base.hyperparameters), ("higher-rate", "more-l2", "more-dropout"))
    found = {}
    for program in ("native", "jax"):
        backend = choose_backend(program)
        engine = LocalEngine(rows.training_rows(), rows.shape(), backend)
        with contextlib.closing(engine):
            experiment = Experiment(base, tuple(arms), rows, 4, 1, 0, first_rung=4)
            race = Race(experiment, engine, Told(lambda _: None, lambda: False, lambda: 0.0))
            found[program] = race.run()
            assert race.tallies[0].core_seconds > 0
    for one, other in zip(found["native"], found["jax"], strict=True):
        assert one.effect.value == pytest.approx(other.effect.value, abs=1e-4)
        assert one.effect.low == pytest.approx(other.effect.low, abs=1e-3)


def _raced(data, metric: str, values: dict, rates: dict[str, float], first_rung: int = 2) -> Race:
    """Return the race of a network and of others with other learning rates, run to its end."""
    rows = experiment_rows(data, None, METRICS[metric], 0, None)
    base = TrialSpec(complete({**SHORT, "epochs": 3, **values}), 0)
    patient = Patient(base.hyperparameters, data.task.kind)
    arms = [treatment(n, "finding", patient, {"learning_rate": r}) for n, r in rates.items()]
    engine = LocalEngine(rows.training_rows(), rows.shape(), choose_backend("native"))
    with contextlib.closing(engine):
        race = Race(
            Experiment(base, tuple(arms), rows, 4, 1, 0, first_rung),
            engine,
            Told(lambda _: None, lambda: False, lambda: 0.0),
        )
        race.run()
    return race


def test_a_remedy_against_divergence_has_the_credit_for_it():
    """No epoch ends with a finite score at such a rate: it counts as the constant guess."""
    x = np.random.default_rng(3).normal(size=(600, 3))
    y = x[:, 0] - 2 * x[:, 1]
    data = dw.load({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}, target="y", vault=None)
    values = {"hidden_units": [8], "optimizer": "sgd", "learning_rate": 1e6, "epochs": 8}
    race = _raced(data, "rmse", values, {"mended": 0.1, "worse": 1e7})
    unchanged, mended, worse = race.tallies
    assert (unchanged.diverged, mended.diverged) == (4, 0)
    assert unchanged.dev == pytest.approx([y.std()] * 4, rel=0.2)
    effect, none = race.effects()
    assert effect.effect.high < 0
    assert effect.effect.value < -0.3 * y.std()
    assert none is None
    assert (worse.failed, worse.diverged, worse.stopped_at) == ("diverged", 2, 0)


def test_a_replicate_that_diverged_counts_in_every_arm(table, monkeypatch):
    """The unchanged network in one of four, one arm in another: neither is left out."""
    predicted = Race._predicted  # pyright: ignore[reportPrivateUsage]

    def shaky(self, held, numbers, side, tally):
        lost = numbers[0] in (3, 7)  # of three arms: the first in replicate 1, the second in 2
        return None if lost else predicted(self, held, numbers, side, tally)

    monkeypatch.setattr(Race, "_predicted", shaky)
    data = dw.load(table, target="y", split_column="part", vault=None)
    values = {"hidden_units": [6], "epochs": 8}
    race = _raced(data, "error", values, {"lower": 0.003, "higher": 0.03}, first_rung=4)
    assert [len(tally.sums) for tally in race.tallies] == [4, 4, 4]
    assert [tally.diverged for tally in race.tallies] == [1, 1, 0]
    assert [tally.failed for tally in race.tallies] == ["", "", ""]
    effects = race.effects()
    assert all(math.isfinite(one.effect.low) for one in effects)
    assert race.tallies[0].dev[1] == pytest.approx(0.5, abs=0.05), "one class of two"
    assert race.tallies[0].dev[0] < 0.4


@pytest.mark.parametrize(
    ("metric", "gaps", "bias"),
    [
        ("rmse", ToldGaps(1.0), False),
        ("rmse", ToldGaps(1.0, score=2.0), True),
        ("error", ToldGaps(1.0), True),
        ("error", ToldGaps(1.0, floor=0.5, refuted=True), False),
    ],
)
def test_later_cycles_call_bias_high_only_where_the_fit_could(metric, gaps, bias):
    result = SimpleNamespace(metric=metric)
    wanted_ = SimpleNamespace(apply=None)
    subject = SimpleNamespace(gaps=gaps, material=gaps.material, result=result, wanted=wanted_)
    better = SimpleNamespace(name="bigger", change={"epochs": 9}, train=5.0, dev=5.5)
    cycle = SimpleNamespace(winner="bigger", stopped="", arms=(better,))
    step = _next(subject, Step(1, _spec(), Verdict(False, False)), cycle)
    assert step.verdict == Verdict(bias, False)
    assert step.base.hyperparameters["epochs"] == 9
    words = "high bias" if bias else "neither error is clearly high"
    assert _verdict_words(subject, step) == f"{words}, by mean scores"
    assert _verdict_words(subject, dataclasses.replace(step, cycle=1)) == words


def test_what_counts_is_a_tenth_of_what_is_left_above_what_is_known():
    def worth(best: dict) -> float:
        evidence = {"material": 0.05, "best": {"score": None, "floor": None, **best}}
        result = SimpleNamespace(
            findings=(Finding("DW100", "ok", "", "", evidence),),
            dev=Estimate(0.33, 0.3, 0.36),
            metric="error",
        )
        return Subject(result, *[None] * 7).worth

    assert worth({}) == pytest.approx(0.033)
    assert worth({"floor": {"value": 0.2, "low": 0.1, "high": 0.3}}) == pytest.approx(0.013)
    assert worth({"score": {"value": 0.3, "low": 0.2, "high": 0.4}}) == pytest.approx(0.01)


def test_streamed_rows_are_improved_too(tmp_path):
    generator = np.random.default_rng(2)
    x = generator.normal(size=(2000, 2)).astype(np.float32)
    label = np.where(x[:, 0] * x[:, 1] > 0, "a", "b")
    pl.DataFrame({"p": x[:, 0], "q": x[:, 1], "y": label}).write_parquet(tmp_path / "t.parquet")
    data = dw.load(tmp_path / "t.parquet", target="y", memory="200MB")
    fixed = {**SHORT, "hidden_units": [16], "learning_rate": 1e-5}
    study = dw.Study(data, name="base", store=tmp_path / "store", fixed=fixed)
    study.run(trials=1)
    found = dw.open_study("base", tmp_path / "store").improve("DW406", budget=100)
    plan = found.cycles[0].plan
    assert plan.halved
    assert plan.dev_rows == len(data.dev) // 2
    assert found.cycles[0].winner


def _spec():
    return TrialSpec({"hidden_units": (4,)}, 0)


def _with_dev(data, count):
    from dataclasses import replace

    from deepwell.data._rows import Rows

    dev = Rows(data.dev.x[:count], data.dev.y[:count], data.dev.weight[:count])
    return replace(data, dev=dev)


def _streamed(data):
    from dataclasses import replace

    return replace(data, memory=1 << 30)


def test_the_plan_fits_the_budget_from_the_front_of_the_recipe(too_small):
    folder, *_ = too_small
    study = dw.open_study("base", folder / "store")
    whole = plan_improvement(study, folder / "store", wanted(None, "1h", None, False))
    assert not whole.left_out
    assert whole.networks == 8 * (1 + len(whole.arms))
    some = plan_improvement(study, folder / "store", wanted(None, whole.seconds / 2, None, False))
    assert some.left_out
    assert some.seconds <= whole.seconds / 2
    assert next(iter(some.arms)) == next(iter(whole.arms))
    assert {**some.arms, **some.left_out} == dict(whole.arms)


def test_what_an_experiment_costs():
    assert experiment_seconds(1.0, [1.0, 1.0, 1.0, 1.0], (2, 4, 8)) == 2 * 5 + 2 * 3 + 4 * 2
    assert affordable_arms(1.0, [5.0, 100.0, 5.0], (2, 4), 30.0) == [0]
    assert affordable_arms(1.0, [5.0, 100.0, 5.0], (2, 4), 40.0) == [0, 2]
    assert affordable_arms(1.0, [5.0], (4,), 10.0) == []


def test_names_of_improved_studies():
    assert improved_name("churn") == "churn-improved"
    assert improved_name("churn-improved") == improved_name("churn-improved-3") == "churn-improved"
    assert len(improved_name("x" * 60)) == 60


def test_a_configuration_is_said_shortly_and_whole():
    for values in (
        {"hidden_units": [32, 16], "dropout": [0.1, 0.2], "optimizer": "rmsprop"},
        {"hidden_layers": 0, "l2": 0.1},
        {"conv_layers": 2, "conv_channels": 8, "augment": 0.5, "flip": 0.5},
        {"activation": "tanh", "decay": "staircase", "change": "3: learning_rate=0.1"},
    ):
        whole = complete(values)
        assert complete(said(whole)) == whole
        assert len(said(whole)) < 12
