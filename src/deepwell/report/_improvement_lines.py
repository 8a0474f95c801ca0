"""What `deepwell improve` prints: the plan, each cycle, and what came of them."""

from __future__ import annotations

import math

from deepwell._base._safe_text import safe_text
from deepwell._base._shell import store_flag
from deepwell.records import Cycle, Improvement, RemedyArm, RemedyPlan

from ._figures import count, difference, duration, interval
from ._finding_lines import finding_lines
from ._layout import GUTTER, alternatives, entry, table

_WORDS_LIMIT = 300
_HEADER = ("change", "best", "time", "size", "remedy")


def remedy_plan_lines(plan: RemedyPlan) -> list[str]:
    """Return what an experiment is going to do."""
    remedies = count(len(plan.arms), "remedy", "remedies")
    compiled = f" ({plan.programs} to compile)" if plan.program == "jax" else ""
    budget = "" if plan.budget is None else f" of {duration(plan.budget)} (--budget)"
    first = (
        f"{remedies} beside the unchanged network, at most {plan.rungs[-1]} times each, "
        f"{count(plan.networks, 'network')} at most, {plan.program} program{compiled}, "
        f"at most about {duration(plan.seconds)}{budget}"
    )
    paragraphs = [first, _rows(plan)]
    if len(plan.rungs) > 1:
        after = ", ".join(str(rung) for rung in plan.rungs[:-1])
        paragraphs.append(f"the less promising half is given up after {after} times")
    if plan.left_out:
        names = ", ".join(safe_text(name) for name in plan.left_out)
        paragraphs.append(f"no time for {names}")
    label = "recipe" if plan.cycle == 1 else f"cycle {plan.cycle}"
    return [*entry(label, safe_text(plan.verdict)), *entry("plan", *paragraphs)]


def _rows(plan: RemedyPlan) -> str:
    rows = count(plan.dev_rows, "dev row")
    if plan.halved:
        return f"measured on {rows}, which did not choose the epochs of who they measure"
    return f"measured on {rows}, which chose the epochs as well: too few to part them"


def cycle_lines(cycle: Cycle, metric_label: str, percent: bool) -> list[str]:
    """Return what each remedy did, best first, and what those cost that went to the end."""
    ended = [a for a in cycle.arms if a.effect is not None and not a.stopped_at]
    given_up = [a for a in cycle.arms if a.effect is not None and a.stopped_at]
    failed = [a for a in cycle.arms if a.effect is None]
    known = cycle.networks > 0
    head = (
        f"change of the dev {metric_label} beside the unchanged network, with 95 % intervals over "
        f"rows and seeds for all {len(cycle.arms)} at once"
    )
    lines = entry(f"cycle {cycle.plan.cycle}", head if known else "nothing was measured")
    rows = [_row(arm, cycle.base, percent) for arm in ended]
    if rows:
        lines += table(_HEADER, rows, 4, indent=GUTTER)
    if given_up:
        told = ", ".join(f"{safe_text(a.name)} {_change(a, percent)}" for a in given_up)
        lines += entry("given up", told)
    if failed:
        told = ", ".join(f"{safe_text(a.name)} ({safe_text(a.verdict)})" for a in failed)
        lines += entry("failed", told)
    if cycle.stopped:
        lines += entry("stopped", safe_text(cycle.stopped))
    return lines


def _row(arm: RemedyArm, base: RemedyArm, percent: bool) -> tuple[str, ...]:
    assert arm.effect is not None
    told = f"{safe_text(arm.name)}: {safe_text(arm.words, _WORDS_LIMIT)}"
    if arm.verdict in ("helps", "hurts"):
        told += f" -- {arm.verdict}"
    return (
        difference(arm.effect, percent),
        f"{100 * arm.p_best:.0f} %",
        _times(arm.seconds, base.seconds),
        _times(arm.parameters, base.parameters),
        told,
    )


def _times(value: float, base: float) -> str:
    return f"x{value / base:.2g}" if base > 0 else "?"


def _change(arm: RemedyArm, percent: bool) -> str:
    assert arm.effect is not None
    return difference(arm.effect, percent).split(" [")[0]


def _beside(arm: RemedyArm, found: Improvement) -> list[str]:
    assert arm.effect is not None
    told = f"{safe_text(arm.words)}: {difference(arm.effect, found.percent)} ({arm.verdict})"
    return entry("beside", told)


def improvement_lines(found: Improvement, store: str | None = None) -> list[str]:
    """Return what came of all cycles: findings, the new study and the next commands.

    Args:
        found: what was measured.
        store: what was given as `--store`, for the next commands.
    """
    lines = [line for arm in found.beside for line in _beside(arm, found)]
    lines += finding_lines(found.findings)
    if not found.improved:
        done = f"no new study; study {found.study} is as it was"
        return [*lines, *entry("took", f"{duration(found.seconds)}, {done}")]
    scores: list[str] = []
    if found.new is not None and math.isfinite(found.new.value):
        scores = [f"dev {found.metric_label} {interval(found.new, found.percent)}"]
    if found.old is not None:
        scores.append(f"that of study {found.study} {interval(found.old, found.percent)}")
    where = store_flag(store)
    name = found.improved
    commands = [f"deepwell {verb} {name}{where}" for verb in ("show", "test", "improve")]
    return [
        *entry("saved", f"study {name}: {', '.join(scores)}", f"study {found.study} is as it was"),
        *lines,
        *entry("took", duration(found.seconds)),
        *alternatives("next", commands),
    ]
