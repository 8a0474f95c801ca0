"""What `deepwell improve --json` prints."""

from __future__ import annotations

from typing import Any

from deepwell.records import Improvement, RemedyPlan

from ._json import strict


def improvement_json(found: Improvement) -> dict[str, Any]:
    """Return all that was measured, as strict JSON.

    `study`, `metric`, `improved` (name of the new study, or empty), `hyperparameters`, `findings`,
    `seconds`, `stopped`, and `cycles`: each with its `plan`, the unchanged network as `base`,
    `winner`, `gain` and its `arms`, best first (`name`, `kind`, `words`, `change`, `effect`,
    `p_best`, `seconds`, `parameters`, `replicates`, `diverged`, `stopped_at`, `verdict`). A number
    that is not known, or has no bound, is null.
    """
    content = strict(found)
    content["findings"] = [strict(finding.to_plain()) for finding in found.findings]
    return content


def remedy_plan_json(plan: RemedyPlan) -> dict[str, Any]:
    """Return what `--dry-run --json` prints: the plan."""
    return strict({"dry_run": True, "plan": plan})
