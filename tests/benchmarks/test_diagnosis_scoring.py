"""The arithmetic of B7 on worked examples: counts, intervals, repairs, and who is judged how."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from benchmarks.diagnosis import section
from benchmarks.diagnosis.advice import DONE, first_advice
from benchmarks.diagnosis.diagnosed import Said, causes, refused, said_of
from benchmarks.diagnosis.intervals import clopper_pearson, clustered, hurts, recovered
from benchmarks.diagnosis.judge import DEEPWELL, figures, hurting, inert, judged
from benchmarks.diagnosis.labels import CAUSES, FAMILIES, LABELS
from benchmarks.diagnosis.program_remedies import MENU as PROGRAM_MENU
from benchmarks.diagnosis.remedies import MENU
from benchmarks.diagnosis.scoring import (
    Judged,
    alarm_rate,
    by_family,
    confidence,
    detection,
    plain,
    repair,
    strict,
    summary,
)

from deepwell.diagnosis import CODES
from deepwell.records import Finding

HIGH, DEAD, LEAK = "rate too high", "units dead", "target leak"


def _run(cause: str | None, *said: str, alarm: bool = True, **more: Any) -> Judged:
    return Judged(more.pop("task", "a"), cause, alarm, said, **more)


# 5 faulty programs: claims are 2, 1, 0, 1, 2, of which 3 are right.
FAULTY = [
    _run(HIGH, HIGH, DEAD, repairs=1.0),
    _run(HIGH, DEAD, repairs=0.0),
    _run(DEAD, alarm=False),
    _run(DEAD, DEAD, repairs=1.0, task="b"),
    _run(LEAK, HIGH, LEAK, repairs=0.0, task="b"),
]
CLEAN = [_run(None, alarm=False)] * 8 + [_run(None, HIGH), _run(None)]


def test_strict_counts_every_claim() -> None:
    told = strict(FAULTY)
    assert told["micro"]["precision"] == pytest.approx(3 / 6)
    assert told["micro"]["recall"] == pytest.approx(3 / 5)
    assert told["micro"]["f1"] == pytest.approx(2 * 0.5 * 0.6 / 1.1)
    # Precision: rate 1 of 2, dead 1 of 3, leak 1 of 1. Recall: 1 of 2, 1 of 2, 1 of 1.
    assert told["macro"]["precision"] == pytest.approx((1 / 2 + 1 / 3 + 1) / 3)
    assert told["macro"]["recall"] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert (told["top1"], told["top3"]) == (pytest.approx(2 / 5), pytest.approx(3 / 5))


def test_any_hit_does_not_win() -> None:
    """Naming everything has full recall and pays for it."""
    everything = tuple(LABELS)
    told = strict([_run(HIGH, *everything), _run(DEAD, *everything)])["micro"]
    assert told["recall"] == 1.0
    assert told["precision"] == pytest.approx(1 / len(LABELS))


def test_detection_and_clean_runs() -> None:
    told = detection(CLEAN, FAULTY)
    assert told["precision"] == pytest.approx(4 / 6)
    assert told["recall"] == pytest.approx(4 / 5)
    assert told["specificity"] == pytest.approx(8 / 10)
    rate = alarm_rate(CLEAN)
    assert (rate["runs"], rate["alarms"]["hits"], rate["claims"]["hits"]) == (10, 2, 1)
    assert rate["alarms"]["low"] < 0.2 < rate["alarms"]["high"]


def test_runs_of_a_setup_are_alike() -> None:
    """40 runs of 20 setups on 2 tasks: the alarms are those of two setups of one task."""
    clean = [
        _run(None, alarm=n < 2, setup=f"s{n}", task="a" if n < 10 else "b")
        for n in range(20)
        for _ in range(2)
    ]
    told = alarm_rate(clean)["alarms"]
    assert (told["hits"], told["of"]) == (4, 40)
    assert (told["setups"]["hits"], told["setups"]["of"]) == (2, 20)
    assert told["rate"] == told["setups"]["rate"] == pytest.approx(0.1)
    assert told["setups"]["high"] == pytest.approx(clopper_pearson(2, 20)[1])
    assert told["setups"]["high"] > told["high"]
    assert told["over_tasks"] == (0.0, pytest.approx(0.2))
    silent = alarm_rate(clean[4:])["alarms"]
    assert silent["hits"] == 0
    assert math.isnan(silent["over_tasks"][0]), "a bootstrap of no alarm has no width"
    assert math.isnan(alarm_rate(clean[:20])["alarms"]["over_tasks"][0]), "nor one of one task"
    some = alarm_rate([_run(None, setup="s"), _run(None, alarm=False, setup="s")])["alarms"]
    assert (some["setups"]["hits"], some["setups"]["of"]) == (1, 1), "any of its runs"


def test_the_interval_of_a_share_is_exact() -> None:
    """Of 150 runs without an alarm the 95 % bound is 1 - 0.025^(1/150)."""
    assert clopper_pearson(0, 150)[1] == pytest.approx(1 - 0.025 ** (1 / 150))
    assert clopper_pearson(150, 150)[0] == pytest.approx(0.025 ** (1 / 150))
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_repairs_count_for_all_programs() -> None:
    told = repair(FAULTY)
    assert told == {
        "recall": pytest.approx(2 / 5),
        "precision": pytest.approx(2 / 4),
        "advised": pytest.approx(4 / 5),
    }


def test_families_hold_their_programs() -> None:
    told = by_family(FAULTY)
    assert {name: row["programs"] for name, row in told.items()} == {
        "optimizer": 2,
        "network": 2,
        "split": 1,
    }
    assert told["optimizer"]["recall"] == pytest.approx(1 / 2)
    assert told["split"]["precision"] == pytest.approx(1 / 2)


def test_confidence_is_scored_where_something_is_claimed() -> None:
    runs = [_run(HIGH, HIGH, confidence=0.9), _run(DEAD, HIGH, confidence=0.6), _run(DEAD)]
    told = confidence(runs)
    assert told["claims"] == 2
    assert told["brier"] == pytest.approx((0.1**2 + 0.6**2) / 2)
    assert told["curve"][0] == [pytest.approx(1 / 3), 0.0]
    assert told["curve"][-1] == [pytest.approx(2 / 3), pytest.approx(1 / 2)]
    assert math.isnan(confidence([_run(DEAD)])["brier"])


def test_claims_of_one_confidence_are_as_often_wrong_at_every_coverage() -> None:
    """Whichever of them come first: 4 of 10 are wrong; one that is surer comes before them."""
    tied = [_run(HIGH, HIGH)] * 6 + [_run(HIGH, DEAD)] * 4
    assert [risk for _, risk in confidence(tied)["curve"]] == [pytest.approx(0.4)] * 5
    surer = confidence([*tied, _run(HIGH, DEAD, confidence=0.99)])["curve"]
    assert surer[0] == [pytest.approx(1 / 11), 1.0]
    assert surer[-1] == [1.0, pytest.approx(5 / 11)]


def test_a_bootstrap_draws_whole_tasks() -> None:
    """Within a task all runs are alike: the interval must span the tasks, however many runs."""
    groups = {"a": [0.0] * 100, "b": [1.0] * 100}
    assert clustered(groups, lambda v: float(np.mean(v))) == (0.0, 1.0)


def test_a_plant_counts_only_if_it_hurts() -> None:
    generator = np.random.default_rng(0)
    a = generator.normal(0.1, 0.01, 10)
    assert hurts(a, a + 0.05)["hurts"]
    assert not hurts(a, a)["hurts"]
    assert not hurts(a + 0.05, a)["hurts"], "what helps does not hurt"
    small = hurts(np.r_[a] * 1.0, a + 0.002)
    assert small["d"] < 0.5
    assert not small["hurts"]


def test_a_remedy_suffices_by_share_and_interval() -> None:
    healthy, faulty = [0.1] * 4, [0.3] * 4
    assert recovered(healthy, faulty, [0.12, 0.11, 0.13, 0.12])["suffices"]
    assert recovered(healthy, faulty, [0.16] * 4)["share"] == pytest.approx(0.7)
    assert not recovered(healthy, faulty, [0.16] * 4)["suffices"]
    uneven = recovered(healthy, faulty, [0.0, 0.0, 0.3, 0.3])
    assert uneven["share"] == pytest.approx(0.75)
    assert uneven["low"] < 0.5
    assert recovered(faulty, healthy, healthy)["share"] == 0.0, "nothing was lost"
    uneven_loss = recovered([0.1, 0.2, 0.1, 0.2], [0.9, 0.3, 0.5, 0.3], [0.1, 0.2, 0.1, 0.2])
    assert (uneven_loss["share"], uneven_loss["low"]) == (pytest.approx(1), pytest.approx(1))
    assert uneven_loss["suffices"], "what gives back all of it gives back all of each seed"


def test_every_code_and_label_of_the_table_is_known() -> None:
    apart = {"checked gradient", "refused"}
    assert {code for code, _ in CAUSES} <= set(CODES) | apart
    assert set(CAUSES.values()) <= set(LABELS)
    assert set(LABELS.values()) == set(FAMILIES)
    assert set(DONE) == set(LABELS)
    assert {study for study, _ in DONE.values()} <= set(MENU)
    assert {program for _, program in DONE.values()} <= set(PROGRAM_MENU)


def test_findings_become_claims_by_the_change_that_they_name() -> None:
    found = [
        Finding("DW100", "ok", "neither", ""),
        Finding("DW101", "problem", "high variance", ""),
        Finding(
            "DW403", "problem", "dead", "", {"values": {"learning_rate": 1e-3}, "p_value": 0.01}
        ),
        Finding("DW302", "problem", "cannot fit", "", {"change": "--initializer auto"}),
        Finding("DW409", "problem", "constant output", "", {"change": "another network"}),
    ]
    said = said_of(found)
    assert [s.cause for s in said] == [None, "high variance", HIGH, "init symmetric", None]
    assert [s.alarms for s in said] == [False, False, True, True, True]
    assert said[2].confidence == pytest.approx(0.99)
    assert causes(said) == ["high variance", HIGH, "init symmetric"]
    advice = first_advice(said)
    assert advice is not None
    assert advice.code == "DW403", "a fault is mended before a regime"


@pytest.mark.parametrize("code", [c for c in CODES if c.startswith(("DW5", "DW6", "DW7"))])
def test_what_would_help_or_where_to_search_on_is_no_alarm(code: str) -> None:
    """A fault in which networks are searched must not be found by that there was a search."""
    said = Said(code, "problem", "searching on is expected to pay")
    assert (said.alarms, said.cause) == (False, None)


def test_a_refusal_is_a_claim_where_it_says_of_what() -> None:
    assert refused("column x holds infinite numbers").cause == "inputs corrupt"
    assert refused("something else").cause is None
    assert refused("something else").alarms


def _cell(cause: str | None, **more: Any) -> dict[str, Any]:
    cell = {
        "task": "a", "cause": cause, "said": [], "seconds": 1.0,
        "trained": 0.5, "deeper": 2.0, "dev": [0.1, 0.05, 0.2], "world": 0.15,
        "baselines": {"never alarm": [False, []]}, "of": "study", "harms": "score",
    }  # fmt: skip
    return {**cell, **more}


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr("benchmarks.diagnosis.judge.RULES", {"never alarm": None})
    said = [Said("DW405", "problem", "rate too high", "learning_rate", {"learning_rate": 1e-3})]
    menu = {
        "rate / 5": {"share": 0.9, "low": 0.8, "suffices": True},
        "labels": {"share": 0.0, "low": 0.0, "suffices": False},
        "random search": {"share": 0.5, "low": 0.1, "suffices": False},
        "advice": {"share": 1.0, "low": 0.9, "suffices": True},
    }
    advice = {"code": "DW405", "remedy": "advice", "regret": -0.1, "gain": 0.2, **menu["advice"]}
    told = [s.to_plain() for s in said]
    ours = {"said": told, "advice": advice}
    hurt, not_hurt = {"hurts": True, "lost": 0.2}, {"hurts": False, "lost": 0.0}
    return {
        "clean/x/a/1": _cell(None, name="x", setup="x/a"),
        "clean/y/a/1": _cell(None, name="y", setup="y/a", said=told),
        "sound/y/a": {"said": [], "setup": "y/a", "improvable": {"longer": {"gain": 0.1}}},
        "sound/x/a": {"said": [], "setup": "x/a", "improvable": {}},
        "plant/rate/severe/a": _cell(HIGH, validation=hurt, fault="rate", menu=menu, **ours),
        "plant/rate/mild/a": _cell(HIGH, validation=not_hurt, fault="rate", **ours),
        "plant/leak/mild/a": _cell(LEAK, validation=hurt, fault="leak", menu=menu, advice=None),
        "regime/as it should be/a/1": _cell(
            None,
            name="as it should be",
            truth={"regime": "bias", "high": ["bias"], "clear": True, "adequate": True},
            verdict="bias",
            called=["bias"],
        ),
        "regime/few dev rows/a/1": _cell(
            None,
            name="few dev rows",
            truth={"regime": "bias", "high": ["bias"], "clear": True, "adequate": False},
            verdict="abstains",
            called=[],
        ),
    }


def test_inert_plants_are_no_part_of_any_figure(cells: dict[str, Any]) -> None:
    assert inert(cells) == ["plant/rate/mild/a"]
    assert len(hurting(cells)) == 2
    told = judged(cells)[DEEPWELL]
    assert [r.cause for r in told["faulty"]] == [HIGH, LEAK]
    assert [r.repairs for r in told["faulty"]] == [1.0, None]


def test_a_crash_counts_for_deepwell_and_for_nobody_else(cells: dict[str, Any]) -> None:
    """Missed on a plant, an alarm on a clean run, a wrong verdict on what is left."""
    broken = {"task": "a", "of": "study", "status": "crashed", "message": "out of luck",
              "dives": True}  # fmt: skip
    told = figures(
        {
            **cells,
            "clean/x/a/2": {**broken, "name": "x", "setup": "x/a"},
            "sound/z/a": {"setup": "z/a", "status": "crashed"},
            "plant/leak/severe/a": {**broken, "cause": LEAK, "fault": "leak"},
            "regime/as it should be/a/2": {**broken, "name": "as it should be"},
        }
    )
    ours, never = told["who"][DEEPWELL], told["who"]["never alarm"]
    assert (ours["clean"]["alarms"]["hits"], ours["clean"]["runs"]) == (1, 2)
    assert (ours["programs"], never["programs"]) == (3, 2)
    assert ours["strict"]["micro"]["recall"] == pytest.approx(1 / 3)
    assert ours["repair"]["recall"] == pytest.approx(1 / 3)
    assert (never["clean"]["alarms"]["hits"], never["clean"]["runs"]) == (0, 1)
    deep = told["who"]["Deepwell, and `diagnose`"]
    assert (deep["clean"]["runs"], deep["programs"]) == (2, 3)
    assert told["checks"]["study"]["a crash"]["runs"] == 1
    assert told["faults"]["leak"]["said"] == {"a crash": 1}
    assert (told["regimes"]["wrong"], told["regimes"]["adequate"]) == (1, 2)
    assert told["inert"] == ["plant/rate/mild/a"]


def test_what_kind_of_error_is_left_is_a_claim_whatever_was_planted(cells: dict[str, Any]) -> None:
    """It finds its own label, and costs precision where another one was planted."""
    said = [Said("DW101", "problem", "high variance").to_plain()]
    plant = {**cells["plant/leak/mild/a"], "menu": {}, "said": said}
    plants = {f"plant/{name}/mild/a": {**plant} for name in "ab"}
    plants["plant/a/mild/a"]["cause"] = "high variance"
    clean = {"clean/x/a/1": {**cells["clean/x/a/1"], "said": said}}
    ours = figures({**plants, **clean})["who"][DEEPWELL]
    assert ours["strict"]["micro"]["precision"] == pytest.approx(1 / 2)
    assert ours["strict"]["micro"]["recall"] == pytest.approx(1 / 2)
    assert ours["clean"]["claims"]["hits"] == 1
    assert (ours["clean"]["alarms"]["hits"], ours["detection"]["recall"]) == (0, 0)


def test_what_is_to_come_after_another_finding_claims_nothing_itself() -> None:
    bias = Said("DW102", "problem", "high bias", after=("DW206",))
    number = Said("DW206", "problem", "-9999 stands for something else")
    assert causes([bias, number]) == ["inputs corrupt"]
    assert first_advice([bias]) is None
    assert first_advice([bias, number]) is number


def test_rows_that_are_asked_for_are_told_apart_from_advice(cells: dict[str, Any]) -> None:
    """One plant is mended by advice; in the other, without any, more dev rows are asked for."""
    cell = cells["plant/leak/mild/a"]
    rows = {"share": 1.0, "low": 0.9, "suffices": True}
    asks = Said("DW110", "unsure", "too few dev rows to tell variance").to_plain()
    asked = {**cell, "said": [asks], "menu": {**cell["menu"], "dev rows": rows}}
    told = figures({**cells, "plant/leak/mild/a": asked})
    assert told["asked"] == {"plants": 2, "asked": 1, "mended": 1.0, "recall": 1.0, "given": 0.5}
    assert told["who"][DEEPWELL]["repair"]["recall"] == 0.5
    assert figures(cells)["asked"]["recall"] == 0.5
    assert "mends 1 of these, 1.00 of all" in section._asked(told["asked"])


def test_what_is_called_high_and_is_not_is_wrong_whatever_is_left_open(
    cells: dict[str, Any],
) -> None:
    key = "regime/as it should be/a/1"
    cell = {**cells[key], "verdict": "abstains"}
    told = figures({**cells, key: cell})["regimes"]
    assert (told["right"], told["open"], told["wrong"]) == (0, 1, 0)
    told = figures({**cells, key: {**cell, "called": ["variance"]}})["regimes"]
    assert (told["right"], told["open"], told["wrong"]) == (0, 0, 1)
    assert told["table"] == {"bias -> variance, the rest open": 1}
    unclear = {**cell, "truth": {**cell["truth"], "clear": False}}
    told = figures({**cells, key: unclear})["regimes"]
    assert (told["adequate"], told["unclear"]) == (0, 1)


def test_gaps_that_wait_for_another_finding_are_counted_as_claims_beside(
    cells: dict[str, Any],
) -> None:
    key = "plant/rate/severe/a"
    bias = Said("DW102", "problem", "high bias", after=("DW405",)).to_plain()
    told = figures({**cells, key: {**cells[key], "said": [*cells[key]["said"], bias]}})
    assert told["who"][DEEPWELL]["strict"]["micro"]["precision"] == 1.0
    assert told["every_claim"]["micro"]["precision"] == 0.5


def test_what_diagnose_tells_anew_is_not_what_the_fit_told(cells: dict[str, Any]) -> None:
    """The fit said the cause; `diagnose` takes it back and says another one."""
    key = "plant/rate/severe/a"
    anew = Said("DW211", "problem", "labels wrong", deep=True).to_plain()
    told = judged({key: {**cells[key], "said": [*cells[key]["said"], anew]}})
    fit, diagnose = told[DEEPWELL]["faulty"][0], told["Deepwell, and `diagnose`"]["faulty"][0]
    assert (fit.said, fit.repairs) == ((HIGH,), 1.0)
    assert (diagnose.said, diagnose.repairs) == (("labels wrong",), 0.0)
    again = {**cells[key]["said"][0], "deep": True}
    told = judged({key: {**cells[key], "said": [*cells[key]["said"], again]}})
    assert told["Deepwell, and `diagnose`"]["faulty"][0].repairs == 1.0, "the same advice"


def test_refused_plants_are_told_apart_and_repair_nothing(cells: dict[str, Any]) -> None:
    said = [refused("column x0 holds infinite numbers").to_plain()]
    validation = {"hurts": False, "refused": "column x0 holds infinite numbers"}
    plant = _cell("inputs corrupt", validation=validation, fault="infinite", said=said)
    before = figures(cells)
    told = figures({**cells, "plant/infinite/mild/a": plant})
    assert told["refused"] == {"plant/infinite/mild/a": True}
    assert told["inert"] == before["inert"]
    assert told["who"] == before["who"]


def test_the_figures_of_a_set_by_hand(cells: dict[str, Any]) -> None:
    told = figures(cells)
    ours = told["who"][DEEPWELL]
    assert (ours["clean"]["alarms"]["hits"], ours["clean"]["runs"]) == (0, 1)
    assert told["unsound"] == {"setups": {"y/a": ["longer"]}, "runs": 1, "alarms": 1}
    assert ours["strict"]["micro"]["precision"] == 1.0
    assert ours["strict"]["micro"]["recall"] == 0.5
    assert ours["repair"]["recall"] == 0.5
    assert told["who"]["never alarm"]["detection"]["recall"] == 0.0
    # Of the two remedies of the menu one suffices, in both plants.
    assert told["who"]["random label, random remedy"]["repair"]["recall"] == 0.5
    assert told["advice"]["ours"] == pytest.approx(0.5)
    assert told["advice"]["random remedy"] == pytest.approx(0.45)
    assert told["advice"]["random search"] == pytest.approx(0.5)
    assert told["advice"]["regret"] == pytest.approx((0.9 - 1.0 + 0.9) / 2)
    regimes = told["regimes"]
    assert (regimes["right"], regimes["adequate"], regimes["few_open"]) == (1, 1, 1)
    assert (told["coverage"]["held"], told["coverage"]["runs"]) == (2, 2)
    assert told["cost"] == {"median_seconds": 1.0, "median_beside": 1.0, "median_deeper": 2.0}
    assert told["faults"]["rate"]["planted"] == 2
    assert told["faults"]["rate"]["hurts"] == 1


def test_healthy_programs_are_told_apart_and_their_alarms_cost_precision(
    cells: dict[str, Any],
) -> None:
    wrong = [Said("DW405", "problem", "rate too high").to_plain()]
    program = {"of": "program", "setup": "z/b", "task": "b", "name": "z", "deeper": None}
    more = {
        "clean/z/b/1": _cell(None, **program, said=wrong, seconds=100.0),
        "clean/z/b/2": _cell(None, **program),
    }
    before, told = figures(cells), figures({**cells, **more})
    clean = told["who"][DEEPWELL]["clean_of"]
    assert (clean["study"]["runs"], clean["study"]["alarms"]["hits"]) == (1, 0)
    assert (clean["program"]["runs"], clean["program"]["alarms"]["hits"]) == (2, 1)
    assert clean["program"]["claims"]["hits"] == 1
    assert before["who"][DEEPWELL]["detection"]["precision"] == 1.0
    assert told["who"][DEEPWELL]["detection"]["precision"] == pytest.approx(1 / 2)
    assert (told["checks"]["study"], told["checks"]["program"]["DW405"]["runs"]) == ({}, 1)
    assert told["cost"] == before["cost"], "of studies"
    page = section._clean(told)
    assert page.index("Healthy studies:") < page.index("Healthy programs:")
    assert page.index("Healthy programs:") < page.index("| DW405 | 1 | 1 | 50.0%")
    assert "| Deepwell | 2 | 1: 50.0% [1.3%, 98.7%] | - | 1 of 1: 100.0%" in page
    assert "Healthy programs: not measured." in section._clean(before)


def test_stated_gains_are_compared_with_gains_of_the_score_alone(cells: dict[str, Any]) -> None:
    """Of six plants the gains are as stated; a lost estimate is no gain of the score."""
    plant, plants = cells["plant/rate/severe/a"], {}
    for n in range(6):
        stated = {**plant["advice"], "gain": 0.1 * n, "share": 0.1 * n}
        plants[f"plant/rate/{n}/a"] = {**plant, "advice": stated}
    off = {**plant["advice"], "gain": 9.0, "share": -1.0}
    plants["plant/tiny/mild/a"] = {**plant, "harms": "estimate", "advice": off}
    stated = figures(plants)["advice"]["stated"]
    assert stated == {"pairs": 6, "rank_correlation": pytest.approx(1.0)}


def test_figures_without_numbers_are_null_in_json() -> None:
    assert plain({"a": math.nan, "b": [1.0, math.inf]}) == {"a": None, "b": [1.0, None]}
    assert plain(summary([], []))["clean"]["alarms"]["rate"] is None
