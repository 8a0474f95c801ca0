"""What the checks of the rows say: DW201 copies, DW202 a telling column, DW203 mismatch, DW204.

A difference is a problem when it is both certain and large: with enough rows any two parts of any
table differ for certain, by nothing that matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepwell._base._safe_text import safe_text
from deepwell.records import (
    DataChecks,
    Finding,
    Mismatch,
    Placeholder,
    ShiftedLabels,
    Straddling,
    TellingColumn,
)

from ._check_finding import Check, check_finding
from ._copies_findings import COPIED, copies_finding, groups_finding
from ._placeholder_values import LEAST_CELLS
from ._shifted_labels import CERTAIN as SHIFTED

MATERIAL = 0.6  # AUC of two normal sets whose means are 0.36 deviations apart: small to medium
LARGE = 0.7  # the same of 0.74 deviations: medium to large
COLUMN = 0.3  # largest gap of a column's cumulative shares, 0.77 deviations
CERTAIN, LIKELY = 0.01, 0.05
GIVEN_AWAY = 0.02  # of the target's spread is left: the target but for a slip
NEARLY = 0.15
NEIGHBORS_ALIKE = 0.2  # correlation: what is left of a row tells a fifth of the next one's
ALIKE = 0.05  # of the target's spread lies between groups, beyond the inputs
_SHOWN = 3  # columns named
_ROWS_LIMIT = 100_000_000


def diagnose_data(found: DataChecks) -> list[Finding]:
    """Return DW201 to DW204 as far as they were looked at, `ok` ones too, DW206 and DW207.

    A finding's `evidence` holds `measured`, `threshold`, `threshold_source`, `change`, `p_value`
    where there is one, and `flags`: options of `fit` that act on it.
    """
    findings = [mismatch_finding(one, found.split) for one in told_apart(found.mismatch)]
    if found.copies is not None:
        findings.append(copies_finding(found.copies, found.split))
        findings += groups_finding(found.copies)
    if found.telling is not None:
        findings.append(telling_finding(found.telling, found.columns))
    findings += [straddling_finding(one) for one in found.straddling]
    if found.placeholder is not None:
        findings.append(placeholder_finding(found.placeholder))
    if found.shifted is not None:
        findings.append(shifted_finding(found.shifted))
    return sorted(findings, key=lambda one: one.code)


def told_apart(found: Sequence[Mismatch]) -> list[Mismatch]:
    """Return the tests that are worth telling: of dev, and of other parts that differ for certain.

    Train-dev rows are cut from train, so that they are like them says nothing.
    """
    return [one for one in found if one.part == "dev" or mismatch_level(one) == "problem"]


def mismatch_level(found: Mismatch) -> str:
    """Return `problem`, `ok` or `unsure` for a mismatch test."""
    column = found.columns[0].size if found.columns else 0.0
    if (found.p_value <= CERTAIN and found.low > MATERIAL) or column >= COLUMN:
        return "problem"
    small = found.high <= MATERIAL or (found.p_value > LIKELY and found.high <= LARGE)
    return "ok" if small and not found.columns else "unsure"


def mismatch_finding(found: Mismatch, split: str = "") -> Finding:
    """Return DW203 about one part of the rows."""
    part, level = found.part, mismatch_level(found)
    where = f" in fold {found.fold}" if found.fold else ""
    auc = f"AUC {found.auc:.2f} [{found.low:.2f}, {found.high:.2f}]"
    told = [f"{safe_text(c.name)}: {safe_text(c.words)}" for c in found.columns[:_SHOWN]]
    more = len(found.columns) - len(told)
    columns = "; ".join([*told, *([f"and {more:,} more columns"] if more > 0 else [])])
    claim, detail, change = f"train and {part} look alike{where}", auc, ""
    if level == "problem":
        claim = f"{part} rows are not like train rows{where}"
        reason = {"time": ", as rows of a later time may be", "group": ", as other groups may be"}
        detail = f"a classifier tells them apart{reason.get(split, '')}: {auc}, "
        detail += f"p {found.p_value:.2g}" + (f"; {columns}" if columns else "")
        change = "--train-dev 0.1 tells what it costs; train rows like the dev rows mend it"
    elif level == "unsure" and (found.p_value <= LIKELY or found.columns):
        claim = f"{part} rows may differ from train rows{where}"
        detail = f"{auc}, p {found.p_value:.2g}" + (f"; {columns}" if columns else "")
        change = "--train-dev 0.1 tells whether it costs anything"
    elif level == "unsure":
        claim = f"too few {part} rows to tell whether they are like train rows{where}"
        detail = f"{auc}; {_would_tell(found)}"
    check = Check(
        measured=found.auc,
        threshold=MATERIAL,
        threshold_source="AUC of two normal sets 0.36 standard deviations apart, which the "
        "interval must exceed; p from shuffled labels",
        change=change,
        p_value=found.p_value,
        more={
            "part": part,
            "auc": {"value": found.auc, "low": found.low, "high": found.high},
            "permutations": found.permutations,
            "rows": list(found.rows),
            "units": list(found.units),
            "columns": [
                {"name": c.name, "size": c.size, "p_value": c.p_value, "words": c.words}
                for c in found.columns
            ],
            "tested": found.tested,
            **({"fold": found.fold} if found.fold else {}),
            **({"flags": {"train_dev": 0.1}} if level == "problem" and part == "dev" else {}),
        },
    )
    return check_finding("DW203", level, claim, detail, check)


def _would_tell(found: Mismatch) -> str:
    """Return how many rows of the smaller part would bring the interval below what is large."""
    rows, side = min(found.units), found.high - found.auc
    room = LARGE - found.auc
    if room <= 0 or not side:
        return f"{rows:,} of them do not tell"
    needed = math.ceil(rows * (side / room) ** 2)
    step = 10 ** max(0, len(str(needed)) - 2)
    needed = math.ceil(needed / step) * step
    if needed > _ROWS_LIMIT:
        return f"{rows:,} of them do not tell"
    return f"{rows:,} of them do not tell, about {needed:,} would"


def telling_level(found: TellingColumn) -> str:
    """Return the level of DW202; only the target under another name is a problem."""
    left, others = found.left, found.others_left
    if others is None:
        return "ok"
    if left <= GIVEN_AWAY and (found.copy or found.blanks) and others >= max(GIVEN_AWAY, 5 * left):
        return "problem"
    if _nearly_told(left, others):
        return "unsure"
    return "unsure" if found.ordered and others >= 2 * left else "ok"


def _nearly_told(left: float, others: float) -> bool:
    return left <= NEARLY and others >= max(0.2, 4 * left)


def _telling_rule(found: TellingColumn, level: str) -> tuple[float, str]:
    """Return the threshold of DW202's level, and what else it asks for."""
    left, others = found.left, found.others_left
    if level == "problem":
        return GIVEN_AWAY, "all others together must leave five times as much, and 2 %"
    if level == "unsure" and others is not None and not _nearly_told(left, others):
        return others / 2, "half of what others leave, of a column in the order of the rows"
    return NEARLY, "all others together must leave four times as much, and a fifth"


def telling_finding(found: TellingColumn, columns: int) -> Finding:
    """Return DW202 about the column that says most of the target by itself."""
    name, level = safe_text(found.name), telling_level(found)
    alone = f"{name} alone leaves {_percent(found.left)} of the target's spread"
    claim, detail, change = "no column gives the target away", alone, ""
    if found.others_left is not None and level != "ok":
        change = f"--ignore {found.name}"
        detail = f"{alone}, all other columns together {_percent(found.others_left)}"
    if level == "problem":
        way = "by being blank" if found.blanks and not found.copy else "under another name"
        claim = f"{name} is the target {way}"
        if found.blanks and not found.copy:
            claim = f"{name} gives the target away {way}"
    elif level == "unsure" and found.ordered:
        claim = f"{name} follows the order of the rows, and so does the target"
    elif level == "unsure":
        claim = f"check that {name} is known before the prediction"
    threshold, rule = _telling_rule(found, level)
    check = Check(
        measured=found.left,
        threshold=threshold,
        threshold_source=f"share of the target's spread that is left; {rule}",
        change=change,
        more={
            "column": found.name,
            "others_left": found.others_left,
            "copy": found.copy,
            "blanks": found.blanks,
            "ordered": found.ordered,
            "columns": columns,
            **({"flags": {"ignore": found.name}} if level != "ok" else {}),
        },
    )
    return check_finding("DW202", level, claim, detail, check)


def placeholder_finding(found: Placeholder) -> Finding:
    """Return DW206 about a number that stands for something else."""
    shown = [safe_text(name) for name in found.columns[:_SHOWN]]
    more = len(found.columns) - len(shown)
    where = ", ".join([*shown, *([f"{more:,} more columns"] if more > 0 else [])])
    value = f"{found.value:g}"
    cells = f"{found.cells:,} cells of {found.rows:,} train rows"
    check = Check(
        measured=float(found.cells),
        threshold=float(LEAST_CELLS),
        threshold_source="the same number twice, and nothing within ten times the range of all "
        "other values of its column",
        change=f"leave cells empty that hold {value}",
        more={"value": found.value, "columns": list(found.columns), "rows": found.rows},
    )
    detail = f"{cells}, far from all other values, in {where}; it is read as a measured one"
    claim = f"{value} stands for something else, as for missing values"
    return check_finding("DW206", "problem", claim, detail, check)


def shifted_finding(found: ShiftedLabels) -> Finding:
    """Return DW207 about targets that go with the inputs of another row."""
    which = "next row" if found.rows_on > 0 else "row before"
    share = f"about {100 * found.share:.0f} % of {found.rows:,} train rows"
    check = Check(
        measured=found.p_value,
        threshold=SHIFTED,
        threshold_source="chi-squared test of inputs one row on; nothing of the kind on the other "
        "side or two and three rows on",
        change="put inputs and targets together by a key, not by their order",
        p_value=found.p_value,
        more={"rows_on": found.rows_on, "share": found.share, "rows": found.rows},
    )
    detail = f"in {share}, and of no other row near by (p {found.p_value:.1g})"
    if found.in_time:  # no measurement tells a target that lags from one that slipped
        claim = f"targets go with the inputs of the {which}: a lag in time, or a slip of a row"
        return check_finding("DW207", "unsure", claim, detail, check)
    detail += "; if rows are a series in time, the target may lag behind its inputs"
    claim = f"targets go with the inputs of the {which}"
    return check_finding("DW207", "problem", claim, detail, check)


def straddling_level(found: Straddling) -> str:
    """Return the level of DW204 about one column."""
    if found.dev_rows < COPIED * found.of or found.p_value > CERTAIN:
        return "ok"
    if found.time:
        return "unsure" if found.alike >= NEIGHBORS_ALIKE else "ok"
    return "problem" if found.alike >= ALIKE else "unsure"


def straddling_finding(found: Straddling) -> Finding:
    """Return DW204 about one column that names groups."""
    name, level = safe_text(found.name), straddling_level(found)
    if found.time:
        return _times_finding(found, level)
    detail = (
        f"{found.straddling:,} of {found.groups:,} groups have rows in train and in dev, "
        f"{found.dev_rows:,} of {found.of:,} dev rows"
    )
    claim = f"rows of one {name} are no more alike than others"
    if level != "ok":
        claim = f"rows of one {name} lie in train and in dev"
        detail += (
            f"; {_percent(found.alike)} of what the inputs leave open lies between groups, so "
        )
        detail += "the dev score may flatter"
    check = Check(
        measured=found.alike,
        threshold=ALIKE,
        threshold_source="share of the target's spread beyond a linear model; p from shuffled "
        "groups",
        change="" if level == "ok" else f"--split group --group {found.name}",
        p_value=found.p_value,
        more={
            "column": found.name,
            "groups": found.groups,
            "straddling": found.straddling,
            "dev_rows": found.dev_rows,
            **({"flags": {"split": "group", "group": found.name}} if level != "ok" else {}),
        },
    )
    return check_finding("DW204", level, claim, detail, check)


def _times_finding(found: Straddling, level: str) -> Finding:
    """Return DW204 about a column of dates."""
    name = safe_text(found.name)
    told = f"what a linear model leaves of each row and of the next correlates by {found.alike:.2f}"
    claim, detail = f"rows of neighboring {name} are no more alike than others", told
    if level != "ok":
        claim = f"rows of neighboring {name} lie in train and in dev"
        detail = f"{told}; if later rows are to be predicted, the dev score may flatter"
    check = Check(
        measured=found.alike,
        threshold=NEIGHBORS_ALIKE,
        threshold_source="correlation in the order of time; p from shuffled rows",
        change="" if level == "ok" else f"--split time --time {found.name}",
        p_value=found.p_value,
        more={
            "column": found.name,
            **({"flags": {"split": "time", "time": found.name}} if level != "ok" else {}),
        },
    )
    return check_finding("DW204", level, claim, detail, check)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
