"""What the rows themselves show before any network is asked: mismatch, copies, leaks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnShift:
    """One column whose values are otherwise in one part of the rows than in another.

    Attributes:
        name: of the table's column, not of an encoded one.
        size: largest difference of the two cumulative shares (Kolmogorov-Smirnov), of categories
            half the sum of the differences of shares; 0 to 1.
        p_value: of one column among all that were tested (Holm).
        words: the difference in the column's own unit, as in `mean 14.2 in train, 8.1 in dev`.
    """

    name: str
    size: float
    p_value: float
    words: str


@dataclass(frozen=True)
class Mismatch:
    """How well a classifier tells the rows of two parts apart (D5).

    Attributes:
        part: the part that is compared with train: `dev` or `train-dev`.
        auc: chance that a row of that part gets the higher score than a train row, both from
            classifiers that saw neither; 0.5 where the parts are alike.
        low, high: its 95 % interval.
        p_value: of such an AUC where rows (or groups, or copies) are dealt out at random.
        permutations: that it was counted on.
        rows: of train and of the part that were looked at.
        units: of these rows that were dealt out independently: groups, copies, single rows.
        columns: whose values differ, largest difference first.
        tested: columns that were compared.
        fold: of a cross-validation, counted from 1; 0 where there is none.
    """

    part: str
    auc: float
    low: float
    high: float
    p_value: float
    permutations: int
    rows: tuple[int, int]
    units: tuple[int, int]
    columns: tuple[ColumnShift, ...]
    tested: int
    fold: int = 0


@dataclass(frozen=True)
class Copies:
    """Rows of dev that are rows of train again, or nearly so.

    Attributes:
        rows: of dev; train_rows: of train.
        exact: dev rows with the inputs and the target of a train row.
        inputs: dev rows with the inputs of a train row and another target.
        near: dev rows far closer to a train row than chance explains, exact ones left out; None
            where the rows cannot tell.
        expected: such rows where nothing is copied, at most.
        dimension: in which neighbors spread.
        why: near copies could not be told.
        conflicting: train rows whose inputs come again in train with another target.
        by_chance: whether equal rows are no copies, but what columns with few values make.
        grouped: of `looked_at` dev rows those that lie in a group of near copies with train rows;
            mates: train rows in such a group, on average.
        looked_at: dev rows that near copies were looked for among, of those that are in no train
            row; looked_among: train rows that they were compared with. All, or a sample of them.
    """

    rows: int
    train_rows: int
    exact: int
    inputs: int
    near: int | None
    expected: float
    dimension: float
    why: str = ""
    conflicting: int = 0
    by_chance: bool = False
    grouped: int = 0
    looked_at: int = 0
    mates: float = 0.0
    looked_among: int = 0


@dataclass(frozen=True)
class TellingColumn:
    """What one column alone says of the target, against all others together.

    Attributes:
        name: of the table's column.
        left: share of the target's spread that is left once the column is known, 0 to 1.
        others_left: the same of all other columns together; None where they were not asked.
        copy: whether its values are the target's under other names, one for one.
        blanks: whether it is being blank that tells the target.
        ordered: whether it follows the order of the rows, as a row number does.
    """

    name: str
    left: float
    others_left: float | None
    copy: bool = False
    blanks: bool = False
    ordered: bool = False


@dataclass(frozen=True)
class Placeholder:
    """A number that comes again and again, far from all others of its columns.

    Attributes:
        value: the number; cells: how many hold it, over all columns.
        columns: names of those that do.
        rows: of train that were looked at.
    """

    value: float
    cells: int
    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class ShiftedLabels:
    """Targets that go with the inputs of another row.

    Attributes:
        rows_on: 1 where they go with the next row's inputs, -1 with those of the row before.
        share: of the rows, about.
        p_value: of such pairs where rows are independent.
        rows: of train that were looked at.
        in_time: whether the rows are known to be a series, whose target may lag honestly.
    """

    rows_on: int
    share: float
    p_value: float
    rows: int
    in_time: bool = False


@dataclass(frozen=True)
class Straddling:
    """A column that names groups of rows, some of which lie on both sides of the split.

    Attributes:
        name: of the column.
        groups: different values; straddling: those with rows in train and in dev.
        dev_rows: rows of dev whose group has train rows; of: all dev rows.
        alike: share of the target's spread, beyond a linear model, that lies between groups; of
            times, the correlation of what the model leaves of each row and of the next.
        p_value: of such a figure where groups, or times, mean nothing.
        time: whether the column holds times, not groups.
    """

    name: str
    groups: int
    straddling: int
    dev_rows: int
    of: int
    alike: float
    p_value: float
    time: bool = False


@dataclass(frozen=True)
class DataChecks:
    """The checks of the rows, one for each split that there is.

    Attributes:
        mismatch: of dev, and of train-dev where there is one; the worst fold's where there are
            folds; empty where the rows are too few.
        copies: across the split, None where not looked at.
        telling: the column that says most of the target alone, None where none could be scored.
        columns: that were scored alone.
        straddling: columns that name groups, and dates, across the split.
        split: kind of the split.
        left_out: a few words for each check that was not made, with the reason.
        placeholder: a number that stands for something else, None where there is none.
        shifted: targets that go with the inputs of another row, None where they do not.
        seconds: that the checks took.
    """

    mismatch: tuple[Mismatch, ...] = ()
    copies: Copies | None = None
    telling: TellingColumn | None = None
    columns: int = 0
    straddling: tuple[Straddling, ...] = ()
    split: str = ""
    left_out: tuple[str, ...] = ()
    seconds: float = 0.0
    placeholder: Placeholder | None = None
    shifted: ShiftedLabels | None = None
