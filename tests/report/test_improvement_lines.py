"""What `deepwell improve` prints and gives to machines, from made-up measurements."""

import dataclasses
import json
import math

import pytest

from deepwell.diagnosis._improvement_findings import diagnose_improvement
from deepwell.records import Cycle, Estimate, Improvement, RemedyArm, RemedyPlan
from deepwell.report._improvement_json import improvement_json
from deepwell.report._improvement_lines import cycle_lines, improvement_lines, remedy_plan_lines

PLAN = RemedyPlan(
    cycle=1,
    verdict="high variance",
    base={"dropout": 0.3},
    arms={"more-dropout": "dropout 0.3 -> 0.5", "bigger": "hidden_units 64 -> 128"},
    left_out={},
    rungs=(2, 4, 8),
    networks=24,
    program="native",
    programs=1,
    seconds=9.0,
    budget=60.0,
    dev_rows=1409,
    halved=True,
)
UNCHANGED = RemedyArm("unchanged", "", "the network as it is", {}, None, 0.0, 0.1, 1000)


def arm(name: str, value: float, half: float, **more) -> RemedyArm:
    made = RemedyArm(
        name=name,
        kind="variance",
        words=PLAN.arms.get(name, "l2 0 -> 0.001"),
        change={"dropout": 0.5},
        effect=Estimate(value, value - half, value + half),
        p_best=0.71,
        seconds=0.12,
        parameters=4000,
        replicates=8,
        verdict="helps" if value + half < 0 else "no clear change",
    )
    return dataclasses.replace(made, **more)


HELPS = arm("more-dropout", -0.012, 0.008)
GIVEN_UP = arm("bigger", 0.03, 0.05, stopped_at=4, replicates=4)
FAILED = arm("much-higher-rate", 0.0, 0.0, effect=None, verdict="diverged")
CYCLE = Cycle(
    plan=PLAN,
    base=UNCHANGED,
    arms=(HELPS, GIVEN_UP, FAILED),
    winner="more-dropout",
    gain=Estimate(0.01, 0.003, 0.017),
    largest=0.02,
    networks=20,
    seconds=5.0,
)
FOUND = Improvement(
    "churn", "error", "error", True, (CYCLE,), improved="churn-improved", test_rows=200
)
FLAT = dataclasses.replace(
    CYCLE, arms=(arm("more-dropout", -0.001, 0.008), GIVEN_UP), winner="", gain=None, largest=0.009
)


def joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def test_the_plan_says_what_it_costs_and_what_measures() -> None:
    told = joined(remedy_plan_lines(PLAN))
    assert told.startswith("recipe high variance plan 2 remedies beside the unchanged network")
    assert "at most about 9 s of 1 min (--budget)" in told
    assert "measured on 1,409 dev rows, which did not choose the epochs" in told
    assert "the less promising half is given up after 2, 4 times" in told
    few = dataclasses.replace(PLAN, halved=False, left_out={"deeper": "..."}, cycle=2)
    told = joined(remedy_plan_lines(few))
    assert told.startswith("cycle 2")
    assert "too few to part them" in told
    assert "no time for deeper" in told


def test_a_cycle_is_a_table_of_at_most_80_columns() -> None:
    lines = cycle_lines(CYCLE, "error", percent=True)
    assert all(len(line) <= 80 for line in lines)
    told = joined(lines)
    assert "-1.2 [-2.0, -0.4] 71 % x1.2 x4 more-dropout: dropout 0.3 -> 0.5 -- helps" in told
    assert "given up bigger +3.0" in told
    assert "failed much-higher-rate (diverged)" in told
    assert "all 3 at once" in told


def test_networks_that_diverged_are_told() -> None:
    shaky = dataclasses.replace(HELPS, diverged=1)
    base = dataclasses.replace(UNCHANGED, diverged=3, replicates=8)
    cycle = dataclasses.replace(CYCLE, arms=(shaky,), base=base)
    told = joined(cycle_lines(cycle, "error", percent=True))
    assert "the unchanged network diverged in 3 of 8: counted as the constant guess" in told
    assert "-- helps (diverged in 1 of 8)" in told
    assert "diverged in" not in joined(cycle_lines(CYCLE, "error", percent=True))


def test_hostile_words_are_shown_safely() -> None:
    bad = dataclasses.replace(HELPS, name="a\x1b[2J", words="b\x1b[2J\nDW101 c")
    lines = cycle_lines(dataclasses.replace(CYCLE, arms=(bad,)), "error", percent=True)
    assert "\x1b" not in "".join(lines)
    assert not any(line.startswith("DW101") for line in lines)


def test_a_winner_is_told_with_its_fair_gain_and_the_next_commands() -> None:
    [found] = diagnose_improvement(FOUND, worth=0.01)
    assert (found.code, found.level) == ("DW601", "ok")
    assert "more-dropout helps" in found.claim
    assert found.detail.endswith(
        "-1.2 [-2.0, -0.4]; the best remedy by one half of the dev rows gains 1.0 [0.3, 1.7] on "
        "the other"
    )
    assert found.command == "deepwell test churn-improved"
    told = joined(improvement_lines(dataclasses.replace(FOUND, findings=(found,)), "a place"))
    assert "deepwell test churn-improved --store 'a place'" in told
    assert "study churn is as it was" in told


def test_only_commands_that_can_do_something_are_told() -> None:
    found = dataclasses.replace(FOUND, test_rows=0, from_file=False)
    [helps] = diagnose_improvement(found, worth=0.01)
    assert helps.command == ""
    told = joined(improvement_lines(dataclasses.replace(found, findings=(helps,))))
    assert "next deepwell show churn-improved" in told
    assert "deepwell test" not in told, "there is no test set"
    assert "deepwell improve" not in told, "the rows came from memory"
    told = joined(improvement_lines(FOUND))
    assert "deepwell test churn-improved" in told
    assert "deepwell improve churn-improved" in told


@pytest.mark.parametrize(
    ("change", "worth", "code", "level"),
    [
        ({}, 0.01, "DW602", "ok"),
        ({}, 0.005, "DW603", "unsure"),
        ({"stopped": "the time budget was used up"}, 0.01, "DW603", "unsure"),
        ({"arms": (FAILED,), "largest": math.nan}, 0.01, "DW603", "unsure"),
        ({"arms": (*FLAT.arms, FAILED)}, 0.01, "DW602", "ok"),
    ],
)
def test_the_noise_floor_is_claimed_only_where_gains_are_excluded(change, worth, code, level):
    cycle = dataclasses.replace(FLAT, **change)
    [found] = diagnose_improvement(
        dataclasses.replace(FOUND, cycles=(cycle,), improved=""), worth=worth
    )
    assert (found.code, found.level) == (code, level)
    if code == "DW603" and not change:
        assert found.evidence["rows_needed"] == 3700  # 1,409 (8 / 5)^2 = 3,607
        assert found.detail.endswith("about 3,700 dev rows (there are 1,409) would tell")
        assert found.command == ""


def flat(plan: dict, **more) -> Improvement:
    cycle = dataclasses.replace(FLAT, plan=dataclasses.replace(PLAN, **plan))
    return dataclasses.replace(FOUND, cycles=(cycle,), improved="", **more)


def test_the_noise_floor_is_of_the_whole_recipe_and_of_networks_without_a_high_error() -> None:
    [found] = diagnose_improvement(flat({}), worth=0.01)
    assert found.claim == "no remedy helps: at the noise floor"
    [found] = diagnose_improvement(flat({}, apply="DW412"), worth=0.01)
    assert (found.code, found.claim) == ("DW602", "no remedy for DW412 helps")
    assert found.command == "deepwell improve churn"
    later = dataclasses.replace(flat({"cycle": 2}, apply="DW412"), improved="churn-improved")
    [found] = diagnose_improvement(later, worth=0.01)
    assert found.claim == "no further remedy for DW412 helps"
    assert found.command == "deepwell improve churn-improved"
    [found] = diagnose_improvement(flat({}, apply="DW412", from_file=False), worth=0.01)
    assert found.command == ""
    [found] = diagnose_improvement(flat({"high": ("bias",), "verdict": "high bias"}), worth=0.01)
    assert (found.code, found.claim) == ("DW602", "no remedy helps")
    assert "high bias: what the recipe has left is better input columns" in found.detail
    [found] = diagnose_improvement(flat({"high": ("variance",)}), worth=0.01)
    assert found.detail.endswith("high variance: what the recipe has left is more train rows")


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ({}, "deepwell improve churn --replicates 32 --budget 1m"),
        ({"apply": "DW101"}, "deepwell improve churn --apply DW101 --replicates 32 --budget 1m"),
        ({"from_file": False}, ""),
    ],
)
def test_where_seeds_are_what_is_unsure_more_replicates_would_tell(more, command) -> None:
    arms = tuple(dataclasses.replace(a, by_rows=0.18) for a in FLAT.arms)
    cycle = dataclasses.replace(FLAT, arms=arms)
    asked = dataclasses.replace(FOUND, cycles=(cycle,), improved="", **more)
    [found] = diagnose_improvement(asked, worth=0.005)
    # of 8^2 = 64 squared tenths of a point 52.5 by seeds, and room for 25 - 11.5
    assert (found.evidence["rows_needed"], found.evidence["replicates_needed"]) == (None, 32)
    assert found.detail.endswith("; --replicates 32 would tell")
    assert found.command == command


def test_an_experiment_that_was_stopped_lacked_time_not_rows() -> None:
    cycle = dataclasses.replace(FLAT, stopped="the time budget was used up")
    found = dataclasses.replace(FOUND, cycles=(cycle,), improved="")
    [told] = diagnose_improvement(found, worth=0.005)
    assert "would tell" not in told.detail


@pytest.mark.parametrize(
    ("verdicts", "detail"),
    [
        (["diverged"] * 2, "2 of 2 diverged"),
        (["diverged", "does not fit in memory"], "1 of 2 diverged; 1 of 2 does not fit in memory"),
        (["not measured"] * 2, "stopped before there were enough networks to tell"),
        (
            ["diverged", "not measured"],
            "stopped before there were enough networks to tell; 1 of 2 diverged",
        ),
    ],
)
def test_why_no_remedy_was_measured(verdicts, detail) -> None:
    arms = tuple(dataclasses.replace(FAILED, verdict=verdict) for verdict in verdicts)
    cycle = dataclasses.replace(FLAT, arms=arms, largest=math.nan)
    [found] = diagnose_improvement(dataclasses.replace(FOUND, cycles=(cycle,)), worth=0.01)
    assert (found.code, found.detail) == ("DW603", detail)


def test_what_was_left_out_names_a_longer_budget() -> None:
    plan = dataclasses.replace(PLAN, left_out={"deeper": "...", "longer": "..."})
    cycle = dataclasses.replace(FLAT, plan=plan)
    found = diagnose_improvement(dataclasses.replace(FOUND, cycles=(cycle,)), worth=0.01)
    assert [f.code for f in found] == ["DW603", "DW604"]
    assert found[1].command == "deepwell improve churn --budget 3m"
    asked = dataclasses.replace(FOUND, cycles=(cycle,), apply="DW101", replicates=16)
    told = diagnose_improvement(asked, worth=0.01)[1]
    assert told.command == "deepwell improve churn --apply DW101 --replicates 16 --budget 3m"
    asked = dataclasses.replace(FOUND, cycles=(cycle,), from_file=False)
    assert diagnose_improvement(asked, worth=0.01)[1].command == "", "rows from memory"


@pytest.mark.parametrize(
    ("low", "high", "level"),
    [(-0.02, -0.01, "ok"), (-0.02, 0.01, "unsure"), (0.01, 0.02, "problem")],
)
def test_the_new_network_is_compared_with_the_old(low, high, level) -> None:
    versus = Estimate((low + high) / 2, low, high)
    found = diagnose_improvement(dataclasses.replace(FOUND, versus=versus), worth=0.01)
    assert (found[-1].code, found[-1].level) == ("DW605", level)


def test_more_data_is_told_beside_the_arms() -> None:
    more = arm("more-data", -0.02, 0.01, words="twice the train rows", verdict="extrapolated")
    told = joined(improvement_lines(dataclasses.replace(FOUND, beside=(more,))))
    assert "beside twice the train rows: -2.0 [-3.0, -1.0] (extrapolated)" in told


def test_json_holds_everything_and_no_infinity() -> None:
    unknown = arm("bigger", 0.0, math.inf)
    cycle = dataclasses.replace(CYCLE, arms=(HELPS, unknown), largest=math.nan)
    plain = improvement_json(dataclasses.replace(FOUND, cycles=(cycle,)))
    text = json.dumps(plain, allow_nan=False)
    told = json.loads(text)
    assert told["cycles"][0]["arms"][0]["effect"] == HELPS.effect.to_plain()
    assert told["cycles"][0]["arms"][1]["effect"] == {"value": 0.0, "low": None, "high": None}
    assert told["cycles"][0]["largest"] is None
    assert told["improved"] == "churn-improved"
