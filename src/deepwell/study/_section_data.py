"""Are dev rows like train rows, as trees see it: what a diagnosis adds to the checks of a fit."""

from __future__ import annotations

from deepwell.diagnosis._data_findings import told_apart
from deepwell.diagnosis._domain_trees import domain_trees, trees_finding
from deepwell.records import Mismatch, Section

from ._data_checks import part_units
from ._reopened import Reopened


def data_section(reopened: Reopened) -> Section | None:
    """Return what trees see of train against dev, and against train-dev where that differs.

    None for a study with folds, whose rows were dealt out at random, and where rows are too few.
    """
    if not reopened.held_out:
        return None
    data = reopened.data
    parts = [("dev", data.dev), *([("train-dev", data.train_dev)] if data.train_dev else [])]
    seen: list[Mismatch] = []
    for part, rows in parts:
        units = part_units(data, data.train, rows)
        found = domain_trees(data.train.x, rows.x, units, data.facts.split_seed)
        if found is not None:
            interval = (found.auc, found.low, found.high)
            counts = (found.p_value, found.permutations, found.rows, found.units)
            seen.append(Mismatch(part, *interval, *counts, (), 0))
    told = tuple(trees_finding(one) for one in told_apart(seen))
    return Section("data", "The data", told) if told else None
