"""The order of B7: clean runs, regimes, plants; each result is kept at once, so that it resumes."""

from __future__ import annotations

import functools
import math
import statistics
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell.study._examination import FLOOR

from . import program_case, program_diagnosis, program_remedies, remedies, studies, training
from .advice import first_advice, remedy_for
from .baselines import RULES
from .case import Case
from .clean import Setup, improvable
from .diagnosed import Diagnosed, Said
from .fault import ESTIMATE, PROGRAM, STUDY, Plant, plants
from .halves import Half
from .improving import OF_ADVICE, improved, networks_for, networks_in, searched
from .intervals import hurts, recovered
from .labels import GAPS
from .program_case import ProgramCase
from .regimes import Regime, truth, verdict
from .remedies import APART
from .scoring import plain
from .training import Outcome

TRIED = 4  # seeds that the menu of studies is tried on; programs take all, side by side
Known = Mapping[str, Any]
Keep = Callable[[str, Known, Callable[[], dict[str, Any]]], None]


@dataclass(frozen=True)
class Effort:
    """How much of a half is run.

    Attributes:
        part: one in so many clean runs, regimes and plants in studies.
        programs: one in so many plants in programs, which have to be compiled.
        seeds: of a plant's validation.
        menu: whether the remedies are tried.
        deep: one in so many of the studies is diagnosed beyond its fit; 0 for none.
    """

    part: int = 1
    programs: int = 1
    seeds: int = 10
    menu: bool = True
    deep: int = 6

    def dives(self, key: str) -> bool:
        """Return whether the study of this name is diagnosed beyond its fit: a draw by its name."""
        return self.deep > 0 and zlib.crc32(key.encode()) % self.deep == 0


def run(half: Half, keep: Keep, effort: Effort) -> None:
    """Measure what is missing: clean runs, known regimes, plants.

    Args:
        half: whose plants.
        keep: (name, what is known of it before, what measures it) keeps a result unless it is
            there.
        effort: how much of it.
    """
    healthy = [s for of in (STUDY, PROGRAM) for s in _of(half.clean, of)[:: effort.part]]
    for setup in healthy:
        for seed in setup.seeds:
            dives = setup.of == STUDY and effort.dives(f"{setup.key}/{seed}")
            known = {"task": setup.task, "name": setup.name, "setup": setup.key, "of": setup.of,
                     "dives": dives}  # fmt: skip
            make = functools.partial(_clean, setup, seed, dives)
            keep(f"clean/{setup.key}/{seed}", known, make)
    for setup in healthy if effort.menu else ():
        keep(f"sound/{setup.key}", {"setup": setup.key}, functools.partial(_sound, setup))
    for regime in half.regimes[:: effort.part]:
        known = {"task": regime.task.name, "name": regime.name}
        keep(regime.key, known, functools.partial(_regime, regime))
    for kind, part in ((STUDY, effort.part), (PROGRAM, effort.programs)):
        for planted in _shuffled([p for p in plants(half.faults) if p.fault.of == kind])[::part]:
            known = _known_of(planted, effort)
            make = functools.partial(_planted, half, planted, effort)
            keep(f"plant/{planted.key}", known, make)


def _of(clean: Sequence[Setup], kind: str) -> list[Setup]:
    return [setup for setup in clean if setup.of == kind]


def _shuffled(found: list[Plant]) -> list[Plant]:
    """Return plants in an order of chance, always the same: what is run first stands for all."""
    return [found[place] for place in np.random.default_rng(0).permutation(len(found))]


def _known_of(planted: Plant, effort: Effort) -> Known:
    fault = planted.fault
    return {"fault": fault.name, "severity": planted.severity, "task": planted.task,
            "cause": fault.cause, "of": fault.of, "harms": fault.harms,
            "dives": fault.of == STUDY and effort.dives(planted.key)}  # fmt: skip


def _clean(setup: Setup, seed: int, deep: bool) -> dict[str, Any]:
    case = setup.draw(seed)
    if setup.of == PROGRAM:
        return _told(program_diagnosis.diagnosed(case, seed))
    return _told(studies.diagnosed(case, seed, deep))


def _sound(setup: Setup) -> dict[str, Any]:
    return {"said": [], "improvable": improvable(setup)}


def _regime(known: Regime) -> dict[str, Any]:
    case = known.case()
    told = studies.diagnosed(case, known.seed)
    if math.isnan(told.world):
        raise RuntimeError(f"there must be a network to measure, got: {told.said[0].claim}")
    measured = truth(case, told.measured.train_score, told.world, told.like_train)
    return {"truth": measured, **verdict(told.said), **_told(told)}


def _planted(half: Half, planted: Plant, effort: Effort) -> dict[str, Any]:
    """Validate a plant, diagnose it, and where it hurts try the menu on it."""
    began = time.perf_counter()
    fault, name = planted.fault, planted.task
    healthy = [half.tasks[name].case(seed) for seed in range(effort.seeds)]
    faulty = [fault.planted(case, planted.severity, n) for n, case in enumerate(healthy)]
    work = _Programs() if fault.of == PROGRAM else _Studies()
    before = [o.harm(fault.harms) for o in _healthy(half, name, healthy, fault.of)]
    harmed: list[Outcome] = []
    try:
        harmed = work.outcomes(faulty)
        after = [o.harm(fault.harms) for o in harmed]
        validation = hurts(before, after)
    except UsageError as error:  # refused before anything is trained: what it costs has no measure
        after, validation = [], {"hurts": False, "refused": str(error)}
    told = work.diagnosed(faulty[0], effort.dives(planted.key))
    result = {"validation": plain(validation), "healthy": before, "faulty": after, **_told(told)}
    if validation["hurts"] and effort.menu:
        tried = work.menu(healthy, faulty, told, fault.harms)
        harms = {n: _left(outs, harmed, fault.harms) for n, outs in tried.items()}
        result["menu"] = {
            n: plain(recovered(before[: len(h)], after[: len(h)], h)) for n, h in harms.items()
        }
        result["advice"] = _advice(told, fault.of, result["menu"])
    return {**result, "whole_seconds": time.perf_counter() - began}


def _left(mended: list[Outcome], harmed: list[Outcome], harms: str) -> list[float]:
    """Return what a remedy leaves of the harm, seed by seed.

    A network that says nothing of the rows has a dev score that is right about it. So what the
    world loses by a remedy, on average over its seeds, is not given back of an estimate.
    """
    left = [outcome.harm(harms) for outcome in mended]
    if harms != ESTIMATE:
        return left
    pairs = zip(mended, harmed[: len(mended)], strict=True)
    lost = statistics.fmean(after.deployed - before.deployed for after, before in pairs)
    return [harm + max(0.0, lost) for harm in left]


def _advice(told: Diagnosed, kind: str, menu: dict[str, Any]) -> dict[str, Any] | None:
    """Return what Deepwell's first advice did, and what the best of the menu would have done."""
    advice = first_advice([s for s in told.said if not s.deep])
    if advice is None:
        return None
    name = "advice" if "advice" in menu else remedy_for(str(advice.cause), kind)
    best = max(v["share"] for n, v in menu.items() if n not in APART)
    regret = best - menu[name]["share"]
    gain = advice.gain if name == "advice" else None
    return {"code": advice.code, "remedy": name, **menu[name], "regret": regret, "gain": gain}


@functools.cache
def _cached(half: str, name: str, kind: str) -> dict[str, list[Outcome]]:
    return {}


def _healthy(half: Half, name: str, cases: Sequence[Any], kind: str) -> list[Outcome]:
    """Return the outcomes of a task's healthy cases, trained once in a process."""
    kept = _cached(half.name, name, kind)
    if "all" not in kept:
        work = _Programs() if kind == PROGRAM else _Studies()
        kept["all"] = work.outcomes(list(cases))
    return kept["all"]


class _Studies:
    """How cases of tables are trained, diagnosed and mended."""

    def outcomes(self, cases: list[Case]) -> list[Outcome]:
        return [training.outcomes([case], seed)[0] for seed, case in enumerate(cases)]

    def diagnosed(self, case: Case, deep: bool) -> Diagnosed:
        return studies.diagnosed(case, 0, deep)

    def menu(
        self, healthy: list[Case], faulty: list[Case], told: Diagnosed, harms: str
    ) -> dict[str, list[Outcome]]:
        advice = first_advice([s for s in told.said if not s.deep])
        advised, took = _advised(advice, faulty[0])
        as_much, as_long, better = networks_for(FLOOR, faulty[0], 0), 0, None
        if took:
            as_much = max(as_much, networks_in(took, faulty[0], 0))
        if not math.isnan(told.deeper):
            better = improved(faulty[0], 0)
            as_long = networks_in(better.seconds, faulty[0], 0)
        found: dict[str, list[Outcome]] = {}
        for seed, (good, bad) in enumerate(zip(healthy[:TRIED], faulty[:TRIED], strict=True)):
            arms = {n: mend(bad, good) for n, mend in remedies.MENU.items()}
            if advised is not None:
                arms["advice"] = advised(bad, good)
            if harms == ESTIMATE:  # it is off from the world, which no user mends
                for name in {"inputs", "advice"} & set(arms) if took else {"inputs"}:
                    arms[name] = arms[name].with_rows(deployed=bad.deployed)
            arms["random search"] = searched(bad, as_much)
            if better is not None:
                arms["improve"] = replace(bad.with_settings(**better.values), trials=1)
                arms["random search, as long"] = searched(bad, as_long)
            for name, outcome in zip(
                arms, training.outcomes(list(arms.values()), seed), strict=True
            ):
                found.setdefault(name, []).append(outcome)
        return found


def _advised(advice: Said | None, case: Case) -> tuple[remedies.Remedy | None, float]:
    """Return what following a first advice does to a case, and the seconds that finding it took.

    None where the menu has the remedy by its cause.

    A finding about a gap names `deepwell improve --apply CODE`, which measures what is against it
    and, where nothing is found to help, names what is left: more rows, or better inputs.
    """
    if advice is None:
        return None, 0.0
    if advice.code not in GAPS:
        values = advice.values
        return (lambda bad, good: bad.with_settings(**values)) if values else None, 0.0
    try:
        better = improved(case, 0, advice.code, OF_ADVICE)
    except UsageError:  # the time has no room for one remedy
        return remedies.nothing, OF_ADVICE
    if not better.helps:
        return remedies.LEFT[better.left[0]] if better.left else remedies.nothing, better.seconds

    def changed(bad: Case, good: Case) -> Case:
        return replace(bad.with_settings(**better.values), trials=1)

    return changed, better.seconds


class _Programs:
    """How cases of programs are trained, diagnosed and mended."""

    def outcomes(self, cases: list[ProgramCase]) -> list[Outcome]:
        return program_case.outcomes(cases, list(range(len(cases))))

    def diagnosed(self, case: ProgramCase, deep: bool) -> Diagnosed:
        return program_diagnosis.diagnosed(case, 0)  # there is no more to be said of a program

    def menu(
        self, healthy: list[ProgramCase], faulty: list[ProgramCase], told: Diagnosed, harms: str
    ) -> dict[str, list[Outcome]]:
        found: dict[str, list[Outcome]] = {}
        known: dict[Any, str] = {}
        for name, mend in program_remedies.MENU.items():
            mended = [mend(b, g) for b, g in zip(faulty, healthy, strict=True)]
            one = mended[0]
            alike = (one.program, one.rate, one.amount, id(one.rows))
            if alike in known and name != "normalize":
                found[name] = found[known[alike]]
                continue
            known[alike] = name
            found[name] = self.outcomes(mended)
        return {**found, "random search": self._searched(faulty)}

    def _searched(self, faulty: list[ProgramCase]) -> list[Outcome]:
        """Return the best of rates drawn over two decades, by dev score, seed by seed."""
        most = program_diagnosis.MOST_RUNS
        factors = 10 ** np.random.default_rng(3).uniform(-1, 1, size=most)
        tried = [
            self.outcomes([replace(case, rate=float(case.rate * f)) for case in faulty])
            for f in factors
        ]
        return [min(outs, key=lambda o: o.dev) for outs in zip(*tried, strict=True)]


def _told(told: Diagnosed) -> dict[str, Any]:
    """Return a diagnosis for JSON, with what the rules of others say of the same run."""
    others = {}
    for name, rule in RULES.items():
        with np.errstate(all="ignore"):
            alarm, said = rule(told.measured)
        others[name] = [bool(alarm), list(said)]
    return plain(
        {
            "said": [s.to_plain() for s in told.said if s.level != "ok"],
            "baselines": others,
            "seconds": told.seconds,
            "trained": told.trained,
            "deeper": told.deeper,
            "dev": told.dev,
            "world": told.world,
        }
    )
