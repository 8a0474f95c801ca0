"""What missing values cost: the score when as many of the cells that are left are blank as well.

    cost = mean over draws of score(further cells blank) - score(as it is)

of one network on the same rows that it was not trained on. Each cell of a column that holds a value
is made blank with the chance with which its column is blank in the train rows, as a blank row of
that column reads: where blanks come by chance, the network meets more of what it was trained with.
How little a score loses as fields are blanked is how a model's tolerance of missing values is
measured (Saar-Tsechansky and Provost 2007, JMLR 8); here the amount is the table's own.

It is no estimate of what filling in the blanks would give back: networks of a complete table are
others. Nor is a blank always a value that is missing: where it stands for "none" and says so of the
target, blanks by chance mislead. A column whose blanks tell the target, more than luck explains, is
therefore left as it is.

All draws of a row count as one, their mean, and rows are resampled, or groups of rows: the luck of
the draws is in the spread between rows already.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell._base._safe_text import safe_text
from deepwell.records import Estimate, Finding

from ._check_finding import Check, check_finding
from ._curves import worth_source
from ._encoded_columns import EncodedColumn, EncodedTable
from ._importance_of_columns import Judged
from ._intervals import for_few, grouped, resampled_groups
from ._metrics import METRICS
from ._ranks import middle_ranks
from ._shifted_columns import LEAST_EXPECTED, chi_square_p_value, homogeneity_p_value
from ._texts import change_text

DRAWS = 8  # of the blanks of a row: their luck is then a small part of the spread between rows
FEW = 0.05  # share of the cells: with fewer blanks, nothing found is nothing to look into
_MOSTLY = 0.5  # of a column is blank
_TELLS = 0.01  # chance of the blanks of any column of a table telling so much by luck
_TOLD = 0.01  # of the target's variance: with many rows less than that is certain too
_SHOWN = 3  # columns named


@dataclass(frozen=True, eq=False)
class BlankColumn:
    """A column of inputs with blanks.

    Attributes:
        name: of the column.
        share: of the train rows that are blank, above 0.
        first: its first input.
        held: (k,) inputs of a blank row.
        told: share of the target's variance that being blank tells, where luck does not explain
            it; 0 else.
    """

    name: str
    share: float
    first: int
    held: np.ndarray
    told: float = 0.0

    @property
    def places(self) -> slice:
        """Its inputs."""
        return slice(self.first, self.first + len(self.held))


@dataclass(frozen=True)
class MissingValues:
    """What as many blanks again do to a network's score.

    Attributes:
        columns: with blanks, the share of each, the most blank first.
        left: of these, those that stay as they are since their blanks tell the target.
        share: of the other columns' cells in the train rows that are blank; of all, if all stay.
        change: of the score, above 0 where it gets worse; None if all columns stay.
        draws: of blanks.
        rows: that they were drawn in.
    """

    columns: tuple[tuple[str, float], ...]
    left: tuple[str, ...]
    share: float
    change: Estimate | None
    draws: int
    rows: int


def blank_columns(
    x: np.ndarray, table: EncodedTable, y: np.ndarray, classes: int = 0
) -> tuple[BlankColumn, ...]:
    """Return the columns with blanks, the most blank first.

    Args:
        x: (n, D) inputs of train rows.
        table: the columns of the inputs.
        y: (n,) targets: class numbers, or values.
        classes: C; 0 for a regression.
    """
    found = [_blanks(x, table, column) for column in table.columns if column.blank is not None]
    told = [(column, blank) for column, blank in found if blank.any()]
    least = _TELLS / max(1, len(told))
    columns = [
        BlankColumn(
            name=column.name,
            share=float(blank.mean()),
            first=column.first,
            held=x[blank.argmax(), column.first : column.first + column.width].copy(),
            told=_told(blank, y, classes, least),
        )
        for column, blank in told
    ]
    return tuple(sorted(columns, key=lambda one: -one.share))


def missing_values(
    judged: Judged, columns: Sequence[BlankColumn], draws: int = DRAWS, seed: int = 0
) -> MissingValues | None:
    """Return what as many blanks again do to the score.

    Args:
        judged: the network and rows that it was not trained on.
        columns: with blanks, as `blank_columns` returns them.
        draws: of the blanks, at least 1.
        seed: of these.

    Returns:
        None where no column has blanks, or a prediction is not finite.
    """
    if not columns:
        return None
    drawn = [one for one in columns if not one.told]
    change = _change(judged, drawn, draws, seed) if drawn else None
    if change is not None and not math.isfinite(change.value):
        return None
    return MissingValues(
        columns=tuple((one.name, one.share) for one in columns),
        left=tuple(one.name for one in columns if one.told),
        share=float(np.mean([one.share for one in drawn or columns])),
        change=change,
        draws=draws,
        rows=len(judged.x),
    )


def missing_level(found: MissingValues, worth: float) -> str:
    """Return the level of DW208, by the smallest change of the score that matters."""
    if found.change is None:
        return "ok"
    if found.change.low >= worth:
        return "problem"
    return "ok" if found.change.high < worth or found.share < FEW else "unsure"


def missing_finding(found: MissingValues, metric: str, worth: float) -> Finding:
    """Return DW208 about what missing values cost.

    Args:
        found: what was measured.
        metric: what the score is.
        worth: smallest change of it that matters.
    """
    level, change, measured = missing_level(found, worth), found.change, METRICS[metric]
    claim = _claim(found, level, worth)
    count = len(found.columns) - (0 if change is None else len(found.left))
    detail = f"{_percent(found.share)} of the cells of {_columns(count)} are blank"
    if change is None:
        detail += ", which tells the target: there a blank is a value"
    else:
        verb = "raises" if change.low > 0 else "changes"
        unit = " points" if measured.percent else ""
        detail += f"; the same share of the others blank too {verb} dev {measured.label} by "
        detail += f"{change_text(change, measured.percent)}{unit}"
        detail += "" if level == "ok" else _honest(found)
    check = Check(
        measured=None if change is None else change.value,
        threshold=worth,
        threshold_source=f"{worth_source(metric)}, below the 95 % interval",
        change="" if level == "ok" else _advice(found),
        more={
            "change_of_score": None if change is None else change.to_plain(),
            "blank_share": found.share,
            "columns": [{"name": name, "blank": share} for name, share in found.columns],
            "left_as_they_are": list(found.left),
            "draws": found.draws,
            "rows": found.rows,
        },
    )
    return check_finding("DW208", level, claim, detail, check)


def _blanks(
    x: np.ndarray, table: EncodedTable, column: EncodedColumn
) -> tuple[EncodedColumn, np.ndarray]:
    """Return a column and (n,) whether its rows are blank."""
    return column, table.unit(x, column.first + (column.blank or 0)) > 0.5


def _told(blank: np.ndarray, y: np.ndarray, classes: int, least: float) -> float:
    """Return the share of a target's variance that one flag tells; 0 where luck explains it.

    For classes the variance of their indicators over that of each: Pearson's chi-squared over n.
    For values that of their ranks, which a few large ones do not sway.
    """
    n, count = len(y), int(blank.sum())
    if count == n:
        return 0.0
    if classes:
        totals = np.bincount(y, minlength=classes).astype(np.float64)
        among = np.bincount(y[blank], minlength=classes)[totals > 0]
        totals = totals[totals > 0]
        expected = totals * count / n
        statistic = float(((among - expected) ** 2 / expected).sum()) * n / (n - count)
        chance = homogeneity_p_value(np.stack([among, totals - among]), (count, n - count))
    else:
        rank = middle_ranks(y)
        apart, spread = float(rank[blank].mean() - rank[~blank].mean()), float(rank.var())
        statistic = apart**2 * count * (n - count) / n / spread if spread > 0 else 0.0
        untied = n - int(np.unique(rank, return_counts=True)[1].max())
        few = untied * min(count, n - count) < LEAST_EXPECTED * n
        chance = 1.0 if few else chi_square_p_value(statistic, 1)
    return statistic / n if chance <= least and statistic >= _TOLD * n else 0.0


def _change(judged: Judged, columns: Sequence[BlankColumn], draws: int, seed: int) -> Estimate:
    """Return the mean change of the score with its interval over rows or groups."""
    metric, y = judged.metric, judged.y
    generator = np.random.default_rng(seed)
    base = judged.predict(judged.x)
    tally = grouped(base, judged.weight, generator, judged.group)
    before = metric.sums(y, base, tally)
    after = np.zeros(before.shape)
    unchanged = True
    for _ in range(draws):
        said = judged.predict(_with_more_blanks(judged.x, columns, generator))
        if not (np.isfinite(base).all() and np.isfinite(said).all()):
            return Estimate(math.nan, math.nan, math.nan)
        unchanged = unchanged and np.array_equal(said, base)
        after += metric.sums(y, said, tally) / draws
    if unchanged:
        return Estimate(0.0, 0.0, 0.0)
    q = before.shape[1]

    def change(sums: np.ndarray) -> np.ndarray:
        return metric.combine(sums[..., :q]) - metric.combine(sums[..., q:])

    found = resampled_groups(np.concatenate([after, before], axis=1), change, generator)
    wider = for_few(tally.groups)
    low, high = (found.value + wider * (end - found.value) for end in (found.low, found.high))
    return Estimate(found.value, low, high)


def _with_more_blanks(
    x: np.ndarray, columns: Sequence[BlankColumn], generator: np.random.Generator
) -> np.ndarray:
    """Return the rows, each column blank in the share of the train rows' blanks, or more."""
    changed = x.copy()
    for one in columns:
        rows = np.flatnonzero(generator.random(len(x)) < one.share)
        changed[rows, one.places] = one.held  # of blank rows it changes nothing
    return changed


def _claim(found: MissingValues, level: str, worth: float) -> str:
    if level == "problem":
        return "missing values cost score"
    if found.change is None:
        return "blanks tell the target"
    if level == "unsure":
        return "missing values may cost score"
    if found.change.high < worth:
        return "missing values cost no score that matters"
    return "few values are missing"


def _honest(found: MissingValues) -> str:
    """Return what else is to be known of the columns, and what was not measured."""
    left = f"; {_columns(len(found.left))} whose blanks tell the target not counted"
    told = left if found.left else ""
    return f"{told}; what filling them in would give back is not measured"


def _advice(found: MissingValues) -> str:
    """Return what would mend it: values at their source, mostly blank columns left out."""
    mostly = [
        safe_text(name)
        for name, share in found.columns
        if share > _MOSTLY and name not in found.left
    ]
    advice = "fill in values where they come from"
    if not mostly:
        return advice
    shown, more = ", ".join(mostly[:_SHOWN]), len(mostly) - _SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    return f"{advice}, or leave out what is mostly blank: {shown}{rest}"


def _columns(count: int) -> str:
    return f"{count:,} column{'' if count == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.2g} %"
