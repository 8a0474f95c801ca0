"""What an improvement found (codes DW601 to DW605)."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Sequence

from deepwell.records import Cycle, Estimate, Finding, Improvement, RemedyArm

from ._larger_experiment import DEFAULT_REPLICATES, Larger, larger_experiment
from ._metrics import METRICS
from ._texts import change_text, figure_text

_SOURCE = "a tenth of the error that is left, at least 1 point of a share"
# What the recipe has for an error that no change of the network takes away.
_BEYOND = {
    "bias": "better input columns, where less can be reached",
    "variance": "more train rows",
}
_CODES = {"bias": "DW102", "variance": "DW101"}


def diagnose_improvement(found: Improvement, worth: float) -> list[Finding]:
    """Return the findings of an improvement.

    Args:
        found: what was measured, cycle by cycle.
        worth: the gain that counts.

    Returns:
        DW601 for each remedy that helped; at the end DW602 (every gain that counts is excluded) or
        DW603 (a gain that counts is not excluded) where the last cycle found none; DW604 where
        remedies were left out; DW605 about the new network against the old.
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
        detail += f"; the best remedy by one half of the dev rows gains {fair} on the other"
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
    opens = found.improved and found.test_rows
    command = shlex.join(["deepwell", "test", found.improved]) if opens else ""
    return Finding("DW601", "ok", f"remedy {arm.name} helps", detail, evidence, command)


def _none_helps(cycle: Cycle, found: Improvement, worth: float) -> Finding:
    count = len(cycle.arms)
    measured = [a for a in cycle.arms if a.effect is not None and math.isfinite(a.effect.low)]
    evidence = {
        **_evidence(cycle, found),
        "measured": cycle.largest,
        "threshold": worth,
        "threshold_source": _SOURCE,
    }
    settled = len(measured) + sum(arm.verdict == "diverged" for arm in cycle.arms)
    whole = settled == count and not cycle.stopped and not cycle.plan.left_out
    if whole and cycle.largest <= worth:
        return _settled(cycle, found, evidence)
    if not measured:
        detail = _why_none(cycle.arms)
        return Finding("DW603", "unsure", "no remedy was measured", detail, evidence)
    size = figure_text(cycle.largest, found.percent)
    detail = f"{_tried(measured, count)}, but gains up to {size} are not excluded"
    larger, command = _larger(measured, worth, cycle), ""
    words = larger.words(cycle.plan.dev_rows)
    detail += f"; {words}" if words else ""
    if whole:
        detail += _beyond(cycle, found, evidence)
    if larger.replicates is not None and larger.alone:
        seconds = sum(c.plan.seconds for c in found.cycles) * larger.replicates / found.replicates
        command = _again(found, larger.replicates, _minutes(seconds))
    evidence |= {"rows_needed": larger.rows, "replicates_needed": larger.replicates}
    claim = f"{_no_remedy(cycle)} clearly helps"
    return Finding("DW603", "unsure", claim, detail, evidence, command)


def _settled(cycle: Cycle, found: Improvement, evidence: dict[str, object]) -> Finding:
    """Return that no remedy helps by what counts: the noise floor, if all were tried for no error.

    The remedies for one finding say nothing of the others; and where an error is known to be high,
    the network is above what could be reached, though by nothing that a change of it mends.
    """
    size = figure_text(cycle.largest, found.percent)
    detail = f"none of {len(cycle.arms)} helps by more than {size} (95 %, all at once)"
    detail += _beyond(cycle, found, evidence)
    no = _no_remedy(cycle)
    if found.apply:
        claim = f"{no} for {found.apply} helps"
        return Finding("DW602", "ok", claim, detail, evidence, _whole_recipe(found))
    if cycle.plan.high:
        return Finding("DW602", "ok", f"{no} helps", detail, evidence)
    return Finding("DW602", "ok", f"{no} helps: at the noise floor", detail, evidence)


def _beyond(cycle: Cycle, found: Improvement, evidence: dict[str, object]) -> str:
    """Return what no change of the network brings, against errors that are high; or nothing.

    With `--apply` against the error of that finding. The errors are told as `left` as well.
    """
    high = [error for error in cycle.plan.high if found.apply in ("", _CODES[error])]
    if not high:
        return ""
    evidence["left"] = high
    words = " and ".join(f"high {error}" for error in high)
    left = "; ".join(_BEYOND[error] for error in high)
    by = ", by mean scores" if cycle.plan.cycle > 1 else ""  # of few networks, without an interval
    return f"; {words}{by}: what the recipe has left is {left}"


def _no_remedy(cycle: Cycle) -> str:
    return "no further remedy" if cycle.plan.cycle > 1 else "no remedy"


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


def _larger(arms: list[RemedyArm], worth: float, cycle: Cycle) -> Larger:
    """Return the experiment in which an arm that does nothing would be seen to.

    Not of one that was stopped, which lacked time.
    """
    ended = sorted(
        ((a.effect.high - a.effect.low) / 2, a.by_rows, a.replicates)
        for a in arms
        if a.effect and not a.stopped_at
    )
    if not ended or cycle.stopped:
        return Larger()
    half, by_rows, replicates = ended[len(ended) // 2]
    return larger_experiment(half, by_rows, worth, cycle.plan.dev_rows, replicates)


def _left_out(cycle: Cycle, found: Improvement) -> Finding:
    names = tuple(cycle.plan.left_out)
    detail = f"{', '.join(names)}: the budget has no room for them"
    tried, command = len(cycle.plan.arms), ""
    if tried and cycle.plan.budget is not None:
        times = 1 + 2 * len(names) / tried
        command = _again(found, found.replicates, _minutes(cycle.plan.budget * times))
    evidence = {**_evidence(cycle, found), "left_out": list(names)}
    claim = f"{len(names)} remedies not tried" if len(names) > 1 else "1 remedy not tried"
    return Finding("DW604", "unsure", claim, detail, evidence, command)


def _again(found: Improvement, replicates: int, budget: str) -> str:
    """Return the command that asks for the same once more; nothing where it could not read rows."""
    apply = ["--apply", found.apply] if found.apply else []
    return _command(found, [*apply, *_replicates(replicates), "--budget", budget])


def _whole_recipe(found: Improvement) -> str:
    """Return the command that tries all remedies on the network that it ended with."""
    return _command(found, _replicates(found.replicates), found.improved)


def _replicates(number: int) -> list[str]:
    return [] if number == DEFAULT_REPLICATES else ["--replicates", str(number)]


def _command(found: Improvement, flags: Sequence[str], name: str = "") -> str:
    words = ["deepwell", "improve", name or found.study, *flags]
    return shlex.join(words) if found.from_file else ""


def _minutes(seconds: float) -> str:
    return f"{max(1, math.ceil(seconds / 60))}m"


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
