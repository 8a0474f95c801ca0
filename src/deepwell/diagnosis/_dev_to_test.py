"""The last gap: is the network worse on test than on the dev rows that it was chosen by?"""

from __future__ import annotations

from dataclasses import replace

from deepwell.records import Estimate, Finding, StudyResult

from ._bias_variance import material_size
from ._gaps import HIGH, NOT_HIGH, gap_state, rows_that_tell, would_tell
from ._intervals import unpaired_difference
from ._metrics import METRICS
from ._texts import change_text, figure_text
from ._told_gaps import told_gaps

SEEN = "the test rows had been seen before, so do not rely on it"


def overfitted_to_dev(result: StudyResult) -> list[Finding]:
    """Return the same of a study whose test set was opened; nothing of one that was not.

    The last opening of the study's own counts that scored the chosen network, whose dev score it
    is compared with. From the second on it is no unbiased figure. The gap that counts is that of
    the fit, which knows what bounds the best possible score.
    """
    own = [
        o
        for o in result.openings
        if o.study == result.name and o.metric == result.metric and o.of_chosen
    ]
    if not own or not result.baselines:
        return []
    train, dev, test = result.data.sizes
    constant, told = result.baselines[0].estimate.value, told_gaps(result.findings)
    metric = METRICS[result.metric]
    material = material_size(metric, constant) if told is None else told.material
    rows = train + dev if result.folds else dev
    found = diagnose_dev_to_test(result.metric, result.dev, rows, own[-1].test, test, material)
    return found if own[-1].unbiased else [_marked(finding) for finding in found]


def _marked(finding: Finding) -> Finding:
    """Return a finding that rests on test rows which were seen before, saying so."""
    evidence = {**finding.evidence, "unbiased": False}
    return replace(finding, detail=f"{finding.detail}; {SEEN}", evidence=evidence)


def diagnose_dev_to_test(
    metric: str, dev: Estimate, n_dev: int, test: Estimate, n_test: int, material: float
) -> list[Finding]:
    """Return whether the network is overfitted to dev.

    Dev rows that networks are chosen by give a score that is somewhat too good; test rows that
    were never looked at show by how much. Rows of another distribution show here too.

    Args:
        metric: name of the metric.
        dev: the network's score on the dev rows.
        n_dev: how many those are.
        test: its score on the test rows.
        n_test: how many those are.
        material: gap that counts, by `material_size`.

    Returns:
        DW114 (overfitted to dev), DW115 (not by a material size) or DW116 (too few rows to tell).
    """
    told = METRICS[metric]
    gap = unpaired_difference(test, dev)
    scores = " ".join(
        f"{part} {figure_text(score.value, told.percent)}{end}"
        for part, score, end in (("dev", dev, ","), ("test", test, ""))
    )
    detail = f"{scores} (gap {change_text(gap, told.percent)})"
    evidence: dict[str, object] = {
        "metric": metric,
        "dev": dev.to_plain(),
        "test": test.to_plain(),
        "gap": gap.to_plain(),
        "material": material,
        "n_dev": n_dev,
        "n_test": n_test,
    }
    state = gap_state(gap, material)
    if state == HIGH:
        claim = "overfitted to dev: gather new dev rows before choosing again"
        return [Finding("DW114", "problem", claim, detail, evidence)]
    if state == NOT_HIGH:
        return [Finding("DW115", "ok", "not overfitted to dev", detail, evidence)]
    needed = rows_that_tell(test, dev, n_test, material)
    evidence["rows_needed"] = needed
    detail += f"; {would_tell(needed, n_test, 'test')}"
    claim = "too few test rows to tell overfitting to dev"
    return [Finding("DW116", "unsure", claim, detail, evidence)]
