"""The same content for machines: objects of strict JSON with documented names."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from deepwell.diagnosis._dev_to_test import overfitted_to_dev
from deepwell.records import DataFacts, Estimate, Finding, Opening, PlanFacts, StudyResult, to_plain


def fit_json(result: StudyResult) -> dict[str, Any]:
    """Return what `fit --json` and `show --json` print.

    `name`, `task`, `metric`, `train`, `dev` (`value`, `low`, `high`; lower is better), `baselines`,
    `best`, `findings`, `networks`, `program`, `programs`, `compile_seconds`, `seconds`,
    `networks_per_second`, `gemm_share`, `peak_memory_bytes`, `model` and `report` keep their names
    and meaning from version to version; further names may be added. A number that is not known is
    null.
    """
    versus = result.versus
    content = {
        "name": result.name,
        "task": result.data.task,
        "metric": result.metric,
        "metric_label": result.metric_label,
        "train": result.train.to_plain(),
        "dev": result.dev.to_plain(),
        "overtuning": None if result.overtuning is None else to_plain(result.overtuning),
        "ensemble": None if result.ensemble is None else to_plain(result.ensemble),
        "folds": list(result.folds),
        "refit_epochs": result.refit_epochs,
        "saved_fold": result.saved_fold,
        "refit_failure": result.refit_failure,
        "train_dev": None if result.train_dev is None else result.train_dev.to_plain(),
        "baselines": [{"name": b.name, **b.estimate.to_plain()} for b in result.baselines],
        "versus": None if versus is None else {"name": result.versus_name, **versus.to_plain()},
        "best": dict(result.best),
        "best_trial": result.best_trial,
        "findings": [finding.to_plain() for finding in result.findings],
        "networks": result.networks,
        "statuses": dict(result.statuses),
        "program": result.program,
        "programs": result.programs,
        "compile_seconds": result.compile_seconds,
        "seconds": result.seconds,
        "networks_per_second": result.networks_per_second,
        "gemm_share": result.gemm_share,
        "peak_memory_bytes": result.peak_memory_bytes,
        "memory_notes": list(result.memory_notes),
        "search_notes": list(result.search_notes),
        "weight_sparsity": result.weight_sparsity,
        "data": to_plain(result.data),
        "plan": to_plain(result.plan),
        "checks": result.checks,
        "data_checks": result.data_checks,
        "model": result.model,
        "report": result.report,
        "stopped": result.stopped,
        "resumed": result.resumed,
        "repeated_seconds": result.repeated_seconds,
        "openings": [_opening(opening) for opening in result.openings],
        "ledger": _ledger(result),
    }
    return strict(content)


def dry_run_json(data: DataFacts, plan: PlanFacts) -> dict[str, Any]:
    """Return what `fit --dry-run --json` prints: the data as understood, and the plan."""
    return strict({"dry_run": True, "data": to_plain(data), "plan": to_plain(plan)})


def opening_json(result: StudyResult, openings: Sequence[Opening]) -> dict[str, Any]:
    """Return what `test --json` prints.

    Args:
        result: the study whose test set was opened.
        openings: the ledger, oldest first, at least one; the last is the one just made.

    Returns:
        `test` (`value`, `low`, `high`), `openings` (how often this test set has been opened by
        now), `unbiased`, the ledger and whether it holds, and `findings`: whether test is worse
        than dev.
    """
    last = openings[-1]
    return strict(
        {
            "name": result.name,
            "metric": last.metric,
            "metric_label": result.metric_label,
            "test": last.test.to_plain(),
            "openings": last.number,
            "unbiased": last.unbiased and not result.ledger,
            "trial": last.trial,
            "rows": result.data.sizes[2],
            "notes": list(last.notes),
            "ledger": [_opening(opening) for opening in openings],
            "ledger_problem": result.ledger or None,
            "findings": [finding.to_plain() for finding in _after_test(result, openings)],
        }
    )


def strict(value: object) -> Any:
    """Return `value` as JSON can hold it: NaN and infinity become null, tuples become lists."""
    if isinstance(value, Estimate):
        return strict(value.to_plain())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: strict(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    item = getattr(value, "item", None)  # a NumPy scalar
    return strict(item()) if callable(item) else str(value)


def _after_test(result: StudyResult, openings: Sequence[Opening]) -> list[Finding]:
    return overfitted_to_dev(dataclasses.replace(result, openings=tuple(openings)))


def _opening(opening: Opening) -> dict[str, Any]:
    return {
        "time": opening.time,
        "study": opening.study,
        "trial": opening.trial,
        "metric": opening.metric,
        "test": opening.test.to_plain(),
        "number": opening.number,
        "unbiased": opening.unbiased,
        "notes": list(opening.notes),
    }


def _ledger(result: StudyResult) -> dict[str, Any]:
    return {"intact": not result.ledger, "problem": result.ledger or None}
