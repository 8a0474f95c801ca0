"""B4: traces are read, censored times and their medians judged, and what is wanted is told."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.process import Ran, run
from benchmarks.results import OutOfTimeError, Results
from benchmarks.time_to_target import attempt, command, contenders, judge, ours, section
from benchmarks.time_to_target.censored import median
from benchmarks.time_to_target.contenders import DEFAULT, Contender
from benchmarks.time_to_target.goal import DIGITS, NO_DROPOUT, Goal
from benchmarks.time_to_target.job import ranges, write_search
from benchmarks.time_to_target.trace import (
    FILE,
    Ended,
    Trace,
    first_time,
    lines_written,
    reaches,
    read_trace,
)
from benchmarks.tools import ROOT
from benchmarks.workload import NUMBERS, Workload

from deepwell.data._load import load
from deepwell.search.samplers._registry import SAMPLERS
from deepwell.search.schedulers._registry import SCHEDULERS
from deepwell.storage._open import open_store
from deepwell.study._finished import open_study
from deepwell.study._study import Study

sys.path.insert(0, str(ROOT / "benchmarks" / "peers"))

NETWORKS = (Ended(105.0, 0.030), Ended(112.0, 0.014), Ended(108.0, 0.020), Ended(190.0, 0.008))


def test_the_first_network_that_is_good_enough_counts() -> None:
    times = [first_time(NETWORKS, t, 100.0, 60.0) for t in (0.97, 0.98, 0.985, 0.99)]
    assert times == [5.0, 8.0, 12.0, None]  # the last one came after the cap
    assert first_time(NETWORKS, 0.99, 100.0, 90.0) == 90.0
    assert first_time((), 0.5, 100.0, 60.0) is None


def test_rounding_of_stored_errors_does_not_move_a_threshold() -> None:
    for wrong, threshold in ((9, 0.975), (7, 0.980), (5, 0.985)):
        assert reaches(float(np.float32(wrong / 360)), 1 - wrong / 360)
        assert not reaches((wrong + 1) / 360, 1 - wrong / 360)
        assert reaches(np.float32(wrong / 360), threshold) == (wrong / 360 <= 1 - threshold + 1e-9)


def test_a_trace_is_read_while_it_is_written(tmp_path: Path) -> None:
    assert read_trace(tmp_path) == Trace()
    assert lines_written(tmp_path, 0.9) == 0
    whole = '{"ready": 3.5}\n{"ready": 3.0}\n{"at": 9.0, "error": 0.25}\n'
    (tmp_path / FILE).write_text(whole + '{"at": 9.9, "err')
    assert read_trace(tmp_path) == Trace(3.0, (Ended(9.0, 0.25),))
    assert lines_written(tmp_path, 0.9) > len(whole)


def test_medians_know_what_is_censored() -> None:
    assert median([]) is None
    one = median([4.0, None, 2.0, None, 9.0])
    assert one is not None
    assert (one.seconds, one.low, one.high, one.runs, one.reached) == (9.0, 2.0, None, 5, 3)
    for runs in ([None, 1.0, None], [None, 1.0], [None]):
        told = median(runs)
        assert told is not None
        assert told.seconds is None
    even = median([1.0, 2.0, 5.0, None])
    assert even is not None
    assert even.seconds == 3.5


def test_warm_times_leave_out_the_start_up_and_nothing_else() -> None:
    goal = replace(DIGITS, thresholds=(0.97, 0.98, 0.99), cap=60.0)
    told = attempt.told(Trace(102.0, NETWORKS), goal, 100.0)
    assert told["cold"] == [5.0, 8.0, None]
    assert told["warm"] == [3.0, 6.0, None]
    assert told["start_up"] == 2.0
    assert told["finished"] == 4
    assert told["best"] == pytest.approx(0.992)
    empty = attempt.told(Trace(), goal, 100.0)
    assert empty["cold"] == [None] * 3
    assert empty["best"] is None


def _cells(**times: list[list[float | None]]) -> dict[str, Any]:
    """Return cells of contenders, a list of cold times a seed; start-ups take one second."""
    return {
        f"{name}/{seed}": {
            "status": "ok",
            "message": "",
            "cold": cold,
            "warm": [None if t is None else t - 1 for t in cold],
            "start_up": 1.0,
            "finished": 30,
            "seconds": 10.0,
        }
        for name, seeds in times.items()
        for seed, cold in enumerate(seeds)
    }


def _results(cells: dict[str, Any], cap: float = 300.0) -> dict[str, Any]:
    names = list(dict.fromkeys(key.rpartition("/")[0] for key in cells))
    told = {"configurations": 32, "difference": 0.001, "allowed": 0.01, "spearman": 0.9}
    return {
        "header": {
            "cap": cap,
            "case": "digits",
            "seeds": 3,
            "thresholds": [0.97, 0.98, 0.99],
            "machine": {
                "date": "2026", "cpu": "c", "vector": "v", "python": "3",
                "cores": 2, "load": 0.0,
            },
            "versions": {"deepwell": {"deepwell": "0", "commit": "a"}, "peers": {"torch": "2"}},
        },
        "gates": {name: {**told, "spearman_needed": 0.8, "passes": True} for name in names},
        "cells": cells,
    }  # fmt: skip


A, B = "optuna-tpe-hyperband", "ray-asha"


def test_the_threshold_that_counts_is_hard_and_reached_by_two() -> None:
    cells = _cells(**{A: [[5.0, 70.0, 80.0]] * 3, B: [[9.0, 90.0, None]] * 3})
    told = {name: judge.medians(cells, name, "cold") for name in (A, B)}
    assert judge.counting(told) == 1  # the hardest is reached by one alone
    assert judge.counting({A: told[A]}) is None
    quick = _cells(**{A: [[5.0, 59.9, 59.9]] * 3, B: [[9.0, 90.0, 99.0]] * 3})
    assert judge.counting({n: judge.medians(quick, n, "cold") for n in (A, B)}) is None
    assert judge.counting({}) is None


def test_what_is_wanted_depends_on_the_threshold() -> None:
    peers = {A: [[5.0, 70.0, None]] * 3, B: [[9.0, 90.0, None]] * 3}
    results = _results(_cells(fit=[[6.0, 7.0, 60.0]] * 3, **peers))
    told = {(v.place, v.clock): v for v in judge.verdicts(results, "fit", [A, B])}
    easy, hard, beyond = (told[place, "cold"] for place in range(3))
    assert (easy.wanted, easy.reached) == (1.0, False)  # slower than the best peer, and told
    assert easy.ratio == pytest.approx(5 / 6)
    assert (hard.wanted, hard.ratio, hard.reached, hard.peer) == (10.0, 10.0, True, A)
    assert (beyond.ratio, beyond.at_least, beyond.peer) == (5.0, True, "")
    assert told[0, "warm"].ratio == pytest.approx(4 / 5)
    assert told[0, "warm"].wanted == 5.0
    assert told[1, "warm"].wanted is None
    assert told[2, "warm"].ratio == pytest.approx(299 / 59)


def test_without_a_time_of_ours_there_is_no_ratio() -> None:
    results = _results(_cells(fit=[[None] * 3] * 3, **{A: [[5.0, 70.0, None]] * 3}))
    for verdict in judge.verdicts(results, "fit", [A]):
        assert verdict.ratio is None
        assert not verdict.reached


def test_a_crash_of_a_peer_is_not_a_slow_peer() -> None:
    cells = _cells(fit=[[6.0, 7.0, 60.0]] * 3, **{A: [[5.0, 70.0, None]] * 3})
    for seed in (1, 2):
        cells[f"{A}/{seed}"] |= {"status": "crashed", "cold": [5.0, None, None]}
    [_, hard, beyond] = judge.medians(cells, A, "cold")
    assert (hard.seconds, hard.runs) == (70.0, 1)
    assert (beyond.seconds, beyond.runs) == (None, 1)
    told = {v.place: v for v in judge.verdicts(_results(cells), "fit", [A]) if v.clock == "cold"}
    assert told[1].ratio == 10.0
    assert (told[2].ratio, told[2].at_least) == (None, False)
    cells |= {f"fit/{seed}": {**cells["fit/0"], "status": "crashed", "cold": [6.0, None, None]}
              for seed in (1, 2)}  # fmt: skip
    assert judge.medians(cells, "fit", "cold")[1].seconds is None  # ours counts as slow


def test_the_section_tells_wins_losses_and_failures() -> None:
    peers = {
        A: [[5.0, 70.0, None]] * 3,
        B: [[9.0, 90.0, None], [9.0, 95.0, None], [9.0, None, None]],
    }
    cells = _cells(fit=[[6.0, 8.0, 60.0]] * 3, **peers)
    cells["sklearn-halving/0"] = {"status": "skipped", "message": "it failed the agreement gate"}
    text = section.section(_results(cells))
    assert "The threshold that counts is 0.980." in text
    assert (
        "| 0.980 | cold | Optuna TPE + Hyperband, PyTorch | 70.0 s | 8.0 s | 8.8x | 10x | **no**"
        in text
    )
    assert "| 0.990 | cold | none | > cap | 60.0 s | > 5x | 1x | yes |" in text
    assert "95.0 (90.0 - cap, 2 of 3)" in text
    assert "> cap (0 of 3)" in text
    assert "seed 0: skipped: it failed the agreement gate" in text


def test_ours_come_from_the_registries() -> None:
    every = {one.name for one in contenders.fits(whole=True)}
    assert every == {DEFAULT} | {f"fit {s} {c}" for s in SAMPLERS for c in SCHEDULERS}
    usual = {one.name for one in contenders.fits()}
    assert all(f"fit {s} halving" in usual for s in SAMPLERS)
    assert all(f"fit random {c}" in usual for c in SCHEDULERS)
    assert [one.name for one in contenders.chosen(["ray-asha"])] == ["ray-asha"]
    with pytest.raises(ValueError, match="no contender 'fit magic'"):
        contenders.chosen(["fit magic"])
    assert contenders.title("fit gone halving") == "fit gone halving"


def test_the_command_is_one_that_a_user_types() -> None:
    typed = ours.command(("random", "none"), DIGITS.case, Path("d.csv"), Path(), 3, 300.0)
    assert typed[1:5] == ["fit", "d.csv", "--target", "label"]
    for name, value in (("--search", "random"), ("--scheduler", "none"), ("--seed", "3"),
                        ("--budget", "300s"), ("--patience", "0"), ("--epochs", "30")):  # fmt: skip
        assert typed[typed.index(name) + 1] == value
    assert "--search" not in ours.command(None, DIGITS.case, Path("d.csv"), Path(), 3, 300.0)


def test_peers_are_told_the_same_space(tiny: Workload, tmp_path: Path) -> None:
    told = {one["name"]: one for one in ranges(DIGITS.case)}
    assert told["learning_rate"] == {"name": "learning_rate", "kind": "log", "low": 1e-4, "high": 1}
    assert told["beta1"]["kind"] == "one_minus_log"
    assert (told["beta1"]["low"], told["beta1"]["high"]) == pytest.approx((0.9, 0.999))
    assert (told["hidden_units"]["low"], told["hidden_units"]["high"]) == (32, 128)
    assert "dropout" not in {one["name"] for one in ranges(NO_DROPOUT)}
    write_search(tmp_path / "job", tiny, tiny.case, [], 4, 60.0)
    job = json.loads((tmp_path / "job" / "job.json").read_text())
    assert job["seed"] == 4
    assert job["configurations"] == []
    assert not set(job["search"]["fixed"]) & {one["name"] for one in job["search"]["space"]}
    named = {one["name"] for one in job["search"]["space"]} | set(job["search"]["fixed"])
    assert named >= {"learning_rate", "beta1", "beta2", "epsilon", "dropout", "l2",
                     "hidden_layers", "hidden_units"}  # fmt: skip


def test_a_peer_draws_and_lists_the_same_network(tiny: Workload, tmp_path: Path) -> None:
    from target_job import read_work

    listed = list(tiny.specs(4).values())
    write_search(tmp_path / "job", tiny, tiny.case, listed, 4, 60.0)
    work = read_work(tmp_path / "job")
    assert (work.job.seed, work.seconds) == (4, 60.0)
    for configuration in work.job.configurations:
        drawn = work.drawn(configuration)
        assert set(drawn) == {one.drawn_as for one in work.space}
        for one in work.space:
            low, high = one.ends
            assert low * (1 - 1e-9) <= drawn[one.drawn_as] <= high * (1 + 1e-9)
        made = work.configuration(drawn)
        assert made["hidden"] == configuration["hidden"]
        assert {n: made[n] for n in NUMBERS} == pytest.approx(
            {n: configuration[n] for n in NUMBERS}, rel=1e-12
        )
    work.ready()
    work.finished(0.25)
    told = read_trace(tmp_path / "job")
    assert told.ready is not None
    assert [one.error for one in told.ended] == [0.25]


def test_a_study_is_traced_by_its_finished_networks(tiny: Workload, tmp_path: Path) -> None:
    data = load(tiny.file, tiny.case.target, vault=tmp_path / "vault")
    space = {"learning_rate": 0.01, "epochs": 3, "patience": 0, "hidden_units": 8}
    Study(
        data, space, search="random", scheduler="none", name=ours.STUDY, store=tmp_path / ours.STORE
    ).run(trials=4)
    told = ours.trace(tmp_path)
    study = open_study(ours.STUDY, tmp_path / ours.STORE)
    last = sorted(float(t.curves["dev_score"][-1]) for t in study.trials(curves=True))
    assert sorted(one.error for one in told.ended) == pytest.approx(last)
    with open_store(tmp_path / ours.STORE) as store:
        (began,) = [e.time for e in store.events(1, "propose")]
    assert told.ready == began
    assert all(one.at > began for one in told.ended)
    assert ours.candidates(tmp_path, 0.5) == 4
    assert ours.candidates(tmp_path, 1.5) == 0
    assert ours.trace(tmp_path / "none") == Trace()
    assert ours.candidates(tmp_path / "none", 0.5) == 0


def _written(seconds: float, errors: list[float], ends: bool = False) -> Contender:
    """Return a contender that writes a trace and then waits or ends."""
    script = (
        "import json, time\n"
        f"f = open({FILE!r}, 'a', buffering=1)\n"
        "print(json.dumps({'ready': time.time()}), file=f)\n"
        f"for error in {errors}:\n"
        f"    time.sleep({seconds})\n"
        "    print(json.dumps({'at': time.time(), 'error': error}), file=f)\n"
        f"time.sleep({0 if ends else 30})\n"
    )

    def typed(*_: object) -> list[str]:
        return [sys.executable, "-c", script]

    return Contender("x", "X", typed, read_trace, lines_written, ours=True)


def test_a_search_is_ended_when_the_hardest_is_reached(tiny: Workload) -> None:
    goal = Goal(tiny.case, (0.8, 0.9), cap=20.0, seeds=1)
    began = time.monotonic()
    told = attempt.attempt(_written(0.05, [0.3, 0.15, 0.05]), goal, tiny, 0)
    assert time.monotonic() - began < 10
    assert told["status"] == "ok"
    assert told["cold"][0] < told["cold"][1] < 10
    assert told["warm"][1] < told["cold"][1]


def test_a_search_has_its_cores_and_the_environment_in_which_it_is_typed(
    tiny: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Mapping[str, str]] = []

    def ran(*given: Any, watch: bool) -> Ran:
        assert not watch  # which would be work beside the search
        told.append(given[3])
        return Ran(0.0, None, "timeout", "")

    monkeypatch.setattr(attempt, "run", ran)
    monkeypatch.setattr(attempt, "PEERS", Path(sys.executable))
    for own in (True, False):
        one = replace(_written(0, []), ours=own)
        attempt.attempt(one, Goal(tiny.case, (0.8,), cap=1.0, seeds=1), tiny, 0)
    assert [set(variables) for variables in told] == [{"DEEPWELL_CACHE"}, set()]


def test_a_search_that_gives_up_is_told(tiny: Workload) -> None:
    goal = Goal(tiny.case, (0.8, 0.9), cap=20.0, seeds=1)
    told = attempt.attempt(_written(0.01, [0.15], ends=True), goal, tiny, 0)
    assert told["status"] == "crashed"
    assert told["cold"][0] is not None
    assert told["cold"][1] is None


def test_a_search_is_cut_at_the_cap(tiny: Workload) -> None:
    goal = Goal(tiny.case, (0.8, 0.9), cap=1.0, seeds=1)
    told = attempt.attempt(_written(0.01, [0.15]), goal, tiny, 0)
    assert told["status"] == "ok"
    assert told["cold"][1] is None


def test_a_process_is_ended_when_asked(tmp_path: Path) -> None:
    typed = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert run(typed, tmp_path, 30.0, {}, lambda: True).status == "ended"
    assert run(typed, tmp_path, 0.3, {}, lambda: False).status == "timeout"
    typed = [sys.executable, "-c", "pass"]
    assert run(typed, tmp_path, 30.0, {}, lambda: False).status == "ok"


def test_a_race_resumes_and_leaves_out_who_disagrees(
    tiny: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goal = Goal(tiny.case, (0.8, 0.9), cap=20.0, seeds=2)
    racing = (
        _written(0, []),
        Contender("y", "Y", _written(0, []).command, read_trace, lines_written),
    )
    tried: list[str] = []

    def tried_(one: Contender, *_: object) -> dict[str, Any]:
        tried.append(one.name)
        return attempt.told(Trace(), goal, 0.0) | {"status": "ok", "message": ""}

    monkeypatch.setattr(command, "_loads", lambda *_: {tiny.case.name: tiny})
    monkeypatch.setattr(command, "reference", lambda *_: {"scores": []})
    monkeypatch.setattr(command, "judge", lambda one, *_: {"passes": one.ours})
    monkeypatch.setattr(command, "attempt", tried_)
    told = command.header(goal, racing)
    file = tmp_path / "b4.json"
    with pytest.raises(OutOfTimeError):
        command.race(goal, racing, Results(file, told, False), time.monotonic() - 1)
    command.race(goal, racing, Results(file, told, False), time.monotonic() + 60)
    kept = Results(file, told, False)
    command.race(goal, racing, kept, time.monotonic() - 1)  # nothing is left to be measured
    assert tried == ["x", "x"]
    assert [kept.cells[f"y/{n}"]["status"] for n in (0, 1)] == ["skipped"] * 2


def test_a_race_is_published_where_fit_meets_all_peers() -> None:
    everyone = contenders.chosen(())
    fit_and_peers = contenders.chosen(["fit", *(one.name for one in contenders.peers())])
    assert command.against_peers(everyone)
    assert command.against_peers(fit_and_peers)
    assert not command.against_peers(fit_and_peers[:-1])
    assert not command.against_peers(fit_and_peers[1:])
