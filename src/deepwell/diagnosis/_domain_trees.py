"""The mismatch test by trees, which see differences that no column and no square shows alone.

Trees are grown on a half of the rows to tell the two sets apart, and score the other half:

    AUC = P(score of a row of the other set > score of a train row)

Given the trees, every choice of labels among the units of the second half is equally likely where
labels mean nothing, so that shuffling these is an exact test without another fit (Lopez-Paz and
Oquab 2017, "Revisiting classifier two-sample tests"). Rows of a group, and copies, stay together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.records import Finding, Mismatch

from ._check_finding import Check, check_finding
from ._data_findings import MATERIAL, mismatch_level
from ._domain_test import LEAST_UNITS, DomainTest, auc_of_units
from ._ranks import middle_ranks

SHUFFLES = 999
_MOST_ROWS = 20_000
_TREES, _LEAF = 200, 5
_Z = 1.959963984540054


def domain_trees(
    train: np.ndarray, other: np.ndarray, units: tuple[np.ndarray, np.ndarray], seed: int
) -> DomainTest | None:
    """Return how well trees tell two sets of rows apart; None where there are too few.

    Args:
        train: (n, D) inputs.
        other: (k, D) inputs of the other set.
        units: (n,) and (k,) whole numbers: rows of a set with equal numbers were dealt out as one.
        seed: of the sample, the halves, the trees and the shuffles.
    """
    from sklearn import ensemble  # type: ignore[import-untyped]

    generator = np.random.default_rng(seed)
    halves: list[list[tuple[np.ndarray, np.ndarray]]] = []
    for x, unit in zip((train, other), units, strict=True):
        chosen = np.arange(len(x))
        if len(x) > _MOST_ROWS:
            chosen = np.sort(generator.choice(len(x), _MOST_ROWS, replace=False))
        number = np.unique(unit[chosen], return_inverse=True)[1]
        count = int(number.max(initial=-1)) + 1
        if count < 2 * LEAST_UNITS:
            return None
        first = (generator.permutation(count) % 2 == 0)[number]
        rows = np.asarray(x[chosen])
        halves.append([(rows[half], number[half]) for half in (first, ~first)])
    grown = [half[0][0] for half in halves]
    label = np.repeat([0, 1], [len(rows) for rows in grown])
    trees: Any = ensemble.ExtraTreesClassifier(
        _TREES, min_samples_leaf=_LEAF, class_weight="balanced", random_state=seed % 2**32
    )
    trees.fit(np.concatenate(grown), label)
    tested = [half[1] for half in halves]
    scores = [np.asarray(trees.predict_proba(rows)[:, 1]) for rows, _ in tested]
    auc, deviation = auc_of_units(scores[0], scores[1], (tested[0][1], tested[1][1]))
    counts = (len(np.unique(tested[0][1])), len(np.unique(tested[1][1])))
    reached = _reached(scores, [number for _, number in tested], generator)
    return DomainTest(
        auc,
        max(0.0, auc - _Z * deviation),
        min(1.0, auc + _Z * deviation),
        (1 + reached) / (1 + SHUFFLES),
        SHUFFLES,
        (len(scores[0]), len(scores[1])),
        counts,
    )


def trees_finding(found: Mismatch) -> Finding:
    """Return DW205: whether trees tell the rows apart."""
    level = mismatch_level(found)
    claim = {
        "ok": f"trees see no difference between train and {found.part} either",
        "unsure": f"trees may tell {found.part} rows from train rows",
        "problem": f"trees tell {found.part} rows from train rows",
    }[level]
    auc = f"AUC {found.auc:.2f} [{found.low:.2f}, {found.high:.2f}]"
    detail = f"{auc} on {found.rows[1]:,} {found.part} rows that they were not grown on"
    check = Check(
        measured=found.auc,
        threshold=MATERIAL,
        threshold_source="AUC of two normal sets 0.36 standard deviations apart, which the "
        "interval must exceed; p from shuffled labels",
        change="" if level == "ok" else "--train-dev 0.1 tells what it costs",
        p_value=found.p_value,
        more={"part": found.part, "rows": list(found.rows), "units": list(found.units)},
    )
    return check_finding("DW205", level, claim, detail, check)


def _reached(
    scores: list[np.ndarray], units: list[np.ndarray], generator: np.random.Generator
) -> int:
    """Return how many of the shuffles of the units' labels have as high an AUC."""
    rank = middle_ranks(np.concatenate(scores))
    numbers = [np.unique(one, return_inverse=True)[1] for one in units]
    unit = np.concatenate([numbers[0], numbers[1] + numbers[0].max() + 1])
    sums, sizes = np.bincount(unit, rank), np.bincount(unit).astype(np.float64)
    label = np.repeat([0.0, 1.0], [numbers[0].max() + 1, numbers[1].max() + 1])
    labels = np.stack([label, *(generator.permutation(label) for _ in range(SHUFFLES))])
    high = labels @ sizes
    pairs = np.maximum(high * (len(unit) - high), 1.0)
    aucs = (labels @ sums - high * (high - 1) / 2) / pairs
    return int((aucs[1:] >= aucs[0] - 1e-12).sum())
