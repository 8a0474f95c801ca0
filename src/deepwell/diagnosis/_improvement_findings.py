"""What an improvement found (codes DW601 to DW605)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from deepwell.records import Cycle, Estimate, Finding, Improvement, RemedyArm

from ._metrics import METRICS
from ._texts import change_text, figure_text

_MOST_ROWS = 100_000_000
_SOURCE = "a tenth of the error that is left, at least 1 point of a share"


def diagnose_improvement(found: Improvement, worth: float) -> list[Finding]:
    """Return the findings of an improvement.

    Args:
        found: what was measured, cycle by cycle.
        worth: the gain that counts.

    Returns:
        DW601 for each remedy that helped; at the end DW602 (at the noise floor: every gain that
        counts is excluded) or DW603 (a gain that counts is not excluded) where the last cycle found
        none; DW604 where remedies were left out; DW605 about the new network against the old.
    """
    told = [_helps(cycle, found) for cycle in found.cycles if cycle.winner]
    last = found.cycles[-1] if found.cycles else None
    if last is not None and not last.winner and last.arms:
        told.append(_none_helps(last, found, worth))
    if last is not None and last.plan.left_out:
        told.append(_left_out(last, found))
    if found.versus is not None:
        told.append(_new_against_old(found, found.versus))
    return told


def _helps(cycle: Cycle, found: Improvement) -> Finding:
    arm = next(a for a in cycle.arms if a.name == cycle.winner)
    assert arm.effect is not None
    percent = found.percent
    detail = f"{arm.words}: {found.metric_label} {change_text(arm.effect, percent)}"
    if cycle.gain is not None:
        fair = change_text(cycle.gain, percent)
        detail += f"; chosen on one half of the dev rows it gains {fair} on the other"
    evidence = {
        **_evidence(cycle, found),
        "remedy": arm.name,
        "values": dict(arm.change),
        "measured": arm.effect.value,
        "interval": arm.effect.to_plain(),
        "gain": None if cycle.gain is None else cycle.gain.to_plain(),
        "p_best": arm.p_best,
        "threshold": 0.0,
        "threshold_source": "the interval for all arms at once lies below 0",
    }
    command = f"deepwell test {found.improved}" if found.improved else ""
    return Finding("DW601", "ok", f"remedy {arm.name} helps", detail, evidence, command)


def _none_helps(cycle: Cycle, found: Improvement, worth: float) -> Finding:
    count = len(cycle.arms)
    measured = [a for a in cycle.arms if a.effect is not None and math.isfinite(a.effect.low)]
    size = figure_text(cycle.largest, found.percent)
    evidence = {
        **_evidence(cycle, found),
        "measured": cycle.largest,
        "threshold": worth,
        "threshold_source": _SOURCE,
    }
    settled = len(measured) + sum(arm.verdict == "diverged" for arm in cycle.arms)
    whole = settled == count and not cycle.stopped and not cycle.plan.left_out
    if whole and cycle.largest <= worth:
        detail = f"none of {count} helps by more than {size} (95 %, all at once)"
        return Finding("DW602", "ok", "no remedy helps: at the noise floor", detail, evidence)
    if not measured:
        detail = _why_none(cycle.arms)
        return Finding("DW603", "unsure", "no remedy was measured", detail, evidence)
    detail = f"{_tried(measured, count)}, but gains up to {size} are not excluded"
    needed = _rows_needed(measured, worth, cycle.plan.dev_rows)
    if needed is not None:
        detail += f"; {cycle.plan.dev_rows:,} dev rows, about {needed:,} would tell"
    evidence["rows_needed"] = needed
    return Finding("DW603", "unsure", "no remedy clearly helps", detail, evidence)


def _why_none(arms: Sequence[RemedyArm]) -> str:
    """Return why no arm was measured: what became of those that failed, or that time was up."""
    failed = Counter(arm.verdict for arm in arms if arm.effect is None)
    left = len(arms) - sum(failed.values()) + failed.pop("not measured", 0)
    told = [f"{count} of {len(arms)} {verdict}" for verdict, count in failed.items()]
    if left:
        told = ["stopped before there were enough networks to tell", *told]
    return "; ".join(told)


def _tried(measured: list[RemedyArm], count: int) -> str:
    if len(measured) == count:
        return f"none of {count} does"
    return f"none of the {len(measured)} that were measured does"


def _rows_needed(arms: list[RemedyArm], worth: float, rows: int) -> int | None:
    """Return the dev rows with which an arm that does nothing would be seen to; None for any."""
    halves = sorted(
        (a.effect.high - a.effect.low) / 2 for a in arms if a.effect and not a.stopped_at
    )
    if not halves or worth <= 0:
        return None
    needed = rows * (halves[len(halves) // 2] / worth) ** 2
    if not rows < needed <= _MOST_ROWS:
        return None
    step = 10 ** max(0, math.floor(math.log10(needed)) - 1)
    return math.ceil(needed / step) * step


def _left_out(cycle: Cycle, found: Improvement) -> Finding:
    names = tuple(cycle.plan.left_out)
    detail = f"{', '.join(names)}: the budget has no room for them"
    needed = _seconds_text(cycle)
    command = f"deepwell improve {found.study} --budget {needed}" if needed else ""
    evidence = {**_evidence(cycle, found), "left_out": list(names)}
    claim = f"{len(names)} remedies not tried" if len(names) > 1 else "1 remedy not tried"
    return Finding("DW604", "unsure", claim, detail, evidence, command)


def _seconds_text(cycle: Cycle) -> str:
    """Return a budget with room for all, or nothing where it is not known."""
    tried, left = len(cycle.plan.arms), len(cycle.plan.left_out)
    if not tried or cycle.plan.budget is None:
        return ""
    return f"{math.ceil(cycle.plan.budget * (1 + 2 * left / tried) / 60)}m"


def _new_against_old(found: Improvement, versus: Estimate) -> Finding:
    level, claim = "unsure", "the new network is not clearly better than the old one"
    if versus.high < 0:
        level, claim = "ok", "the new network is better than the old one"
    elif versus.low > 0:
        level, claim = "problem", "the new network is worse than the old one"
    change = change_text(versus, found.percent)
    detail = (
        f"difference in {found.metric_label} {change} on the dev rows, which chose both; the old "
        "one was the best of a whole search, and lucky for that"
    )
    evidence: dict[str, object] = {
        "metric": found.metric,
        "measured": versus.value,
        "interval": versus.to_plain(),
        "threshold": 0.0,
        "threshold_source": "the whole interval on one side of 0",
    }
    return Finding("DW605", level, claim, detail, evidence)


def _evidence(cycle: Cycle, found: Improvement) -> dict[str, object]:
    return {
        "metric": found.metric,
        "label": METRICS[found.metric].label,
        "cycle": cycle.plan.cycle,
        "arms": len(cycle.arms),
        "networks": cycle.networks,
        "dev_rows": cycle.plan.dev_rows,
        "halved": cycle.plan.halved,
    }
