"""What copies of train rows among the dev rows say: DW201, and DW204 where rows come in groups."""

from __future__ import annotations

from deepwell._base._safe_text import safe_text
from deepwell.records import Copies, Finding

from ._check_finding import Check, check_finding

COPIED = 0.01  # of the dev rows: as much as what matters of an error rate
GROUPED = 0.5  # of the dev rows: a table of groups


def copies_finding(found: Copies, split: str = "") -> Finding:
    """Return DW201: dev rows that were trained on."""
    near, exact = found.near or 0, 0 if found.by_chance else found.exact
    total = exact + near
    share = (exact + near * _rows_for_one_seen(found)) / max(1, found.rows)
    level = "ok"
    if total:
        level = "problem" if share >= COPIED and total > 1 else "unsure"
    told = [f"{found.exact:,} exact"]
    told.append(
        f"near ones cannot be told ({safe_text(found.why)})"
        if found.near is None
        else f"{near:,} nearly so"
    )
    claim = "no copies across train and dev" if not total else "dev rows are copies of train rows"
    detail = f"{', '.join(told)} of {found.rows:,} dev rows"
    if _rows_for_one_seen(found) > 1:
        claim = claim.replace("no copies", "no copies seen")
        detail += (
            f"; near ones were looked for in {found.looked_at:,} of {_other_rows(found):,} others, "
            f"among {found.looked_among:,} of {found.train_rows:,} train rows"
        )
    if found.by_chance:
        detail += "; equal rows are what columns with few values make by chance"
    if found.inputs:
        detail += f"; {found.inputs:,} with the inputs of a train row and another target"
    change = ""
    if total:
        change = "--split group --group COLUMN, of what copies have in common"
        detail += "; the dev score counts rows that were trained on"
        if split == "time":
            change = "leave copies out of the table: a split by time does not keep them together"
    check = Check(
        measured=share,
        threshold=COPIED,
        threshold_source="what matters of an error rate, 1 point; a near copy is so close to a "
        "train row that in a table without copies one is found in 1 of 100",
        change=change,
        more={
            "exact": found.exact,
            "by_chance": found.by_chance,
            "near": found.near,
            "same_inputs": found.inputs,
            "conflicting_train_rows": found.conflicting,
            "rows": found.rows,
            "looked_at": found.looked_at,
            "looked_among": found.looked_among,
            "dimension": found.dimension,
        },
    )
    return check_finding("DW201", level, claim, detail, check)


def _other_rows(found: Copies) -> int:
    """Return the dev rows that near copies are looked for among: those in no train row."""
    return found.rows - found.exact - found.inputs


def _rows_for_one_seen(found: Copies) -> float:
    """Return how many near copies each one that was seen stands for, where rows were sampled.

    Both it and its twin must be in the samples to be seen.
    """
    if not found.looked_at or not found.looked_among:
        return 1.0
    others = max(1, _other_rows(found))
    of_train = found.train_rows / found.looked_among
    return min(others / found.looked_at * of_train, others / max(1, found.near or 0))


def groups_finding(found: Copies) -> list[Finding]:
    """Return DW204 about rows that come in groups of near copies; nothing where they do not."""
    if not found.grouped:
        return []
    share = found.grouped / max(1, found.looked_at)
    detail = (
        f"{found.grouped:,} of {found.looked_at:,} dev rows lie among near copies in train, "
        f"{found.mates:.1f} each in the mean, with a gap to all other rows; so the dev score "
        "flatters where rows of new groups come"
    )
    check = Check(
        measured=share,
        threshold=GROUPED,
        threshold_source="half of the rows; a gap behind so few neighbors comes by chance in 1 of "
        "100 tables",
        change="--split group --group COLUMN, of what near copies have in common",
        more={"grouped": found.grouped, "rows": found.looked_at, "mates": found.mates},
    )
    claim = "rows come in groups of near copies, in train and in dev"
    return [check_finding("DW204", "problem", claim, detail, check)]
