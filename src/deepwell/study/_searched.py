"""What the trials of a finished study say about its search: shares, ends of ranges, the outlook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepwell._base._constraints import EachOf, IntegerInterval, Interval
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell.diagnosis._search_findings import search_findings
from deepwell.records import Finding, Importance, Searched, Section
from deepwell.report._json import strict
from deepwell.search._edge_of_range import edges_of_range
from deepwell.search._next_ranges import next_ranges
from deepwell.search._ranges import Limits
from deepwell.search._stopping import paying
from deepwell.search.importance._compared import compared
from deepwell.search.importance._measure import (
    importance_of,
    reason_against,
    reason_of_noise,
)
from deepwell.search.importance._surface import fit_surface
from deepwell.search.spaces._domain import Domain

from ._comparable import comparable
from ._finished import FinishedStudy
from ._reopened import Reopened
from ._search_command import search_command
from ._settled import NORMAL, ROUND


def searched(study: FinishedStudy) -> Searched:
    """Return what the trials of a study say about its search.

    Raises:
        UsageError: when an older Deepwell kept less than is needed.
    """
    space = study.settings.space
    own = study.trials(curves=True)
    observations, epochs = comparable(own, study.on_the_way(), study.settings.folds)
    tried = compared(space, observations)
    outlook = paying(space, observations, dev_spread(study), ROUND, floor=0.0)
    why = reason_against(space, tried)
    if why:
        return Searched(importance_of(None, space, tried, epochs, why), (), (), outlook)
    surface = fit_surface(space.axes, tried)
    why = reason_of_noise(surface)
    shares = importance_of(None if why else surface, space, tried, epochs, why)
    limits = limits_of(space)
    edges = () if why else edges_of_range(space, tried, surface, shares, limits)
    return Searched(
        importance=shares,
        edges=edges,
        next=() if why else next_ranges(space, tried, shares, edges, limits),
        outlook=outlook,
    )


def importance_frame(importance: Importance) -> Any:
    """Return shares as a Polars frame: one row a hyperparameter, then one a pair."""
    import polars as pl

    rows = [
        {
            "name": effect.name,
            "importance": effect.share.value,
            "low": effect.share.low,
            "high": effect.share.high,
            "total": effect.total.value,
            "total_low": effect.total.low,
            "total_high": effect.total.high,
        }
        for effect in importance.effects
    ]
    numbers = ("importance", "low", "high", "total", "total_low", "total_high")
    return pl.DataFrame(rows, {"name": pl.String, **dict.fromkeys(numbers, pl.Float64)})


def search_section(study: FinishedStudy, store: str | Path | None = None) -> Section | None:
    """Return the section of a diagnosis about the search; None where nothing was searched."""
    if not study.settings.space.searched:
        return None
    found = searched(study)
    findings = search_findings(found, study.result.metric)
    told = tuple(
        replace(_with_command(finding, study, store), evidence=strict(finding.evidence))
        for finding in findings
    )
    return Section("search", "The search", told, strict(found))


def section_of_search(reopened: Reopened) -> Section | None:
    """Return the same of a study with its rows, which it does not need."""
    return search_section(reopened.study, reopened.store)


def told_search(study: FinishedStudy, store: str | Path | None = None) -> Section | None:
    """Return the same; None also where an older Deepwell kept too little of the study."""
    try:
        return search_section(study, store)
    except UsageError:
        return None


def limits_of(space: Domain) -> Mapping[str, Limits]:
    """Return the values that each hyperparameter of a space may have at all."""
    found: dict[str, Limits] = {}
    for name in space.searched:
        if name not in space:  # one layer of many, whose range is that of all
            continue
        constraint = HYPERPARAMETERS[name].constraint
        item = constraint.item if isinstance(constraint, EachOf) else constraint
        if isinstance(item, Interval):
            ends_open = (not item.low_closed, not item.high_closed)
            found[name] = Limits(item.low, item.high, *ends_open)
        elif isinstance(item, IntegerInterval):
            found[name] = Limits(item.low, item.high)
    return found


def dev_spread(study: FinishedStudy) -> float:
    """Return the standard error of the best dev score, from its interval."""
    dev = study.result.dev
    return max(0.0, (dev.high - dev.low) / (2.0 * NORMAL))


def _with_command(finding: Finding, study: FinishedStudy, store: str | Path | None) -> Finding:
    """Return the finding with the command that searches on as it says."""
    if finding.level != "problem" and not finding.evidence.get("space"):
        return finding
    entries: Any = finding.evidence.get("space", [])
    command = search_command(study.name, _texts(entries), ROUND, store)
    return replace(finding, command=command)


def _texts(entries: Sequence[object]) -> list[str]:
    return [str(entry) for entry in entries]
