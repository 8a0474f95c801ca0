"""Numbers that stand for something else, as -9999 for a missing value.

A measured extreme is one of its kind: the largest of any smooth distribution lies near the next
largest, and comes once. A number that comes again and again, bit for bit, with nothing within ten
times the range of all other values of its column, was typed and not measured. Normalization then
shrinks what was measured to nothing beside it.
"""

from __future__ import annotations

import numpy as np

from deepwell.records import Placeholder

from ._encoded_columns import NUMBER, EncodedTable

FAR = 10.0  # times the range of all other values
LEAST_CELLS = 2
_LEAST_VALUES = 10  # different other ones: codes and counts of a few values have no range
_MOSTLY = 0.5  # of the other cells one value: then it is that one from which others differ
_DIGITS = 5


def placeholder_value(x: np.ndarray, table: EncodedTable) -> Placeholder | None:
    """Return the number that stands for something else in most cells; None where there is none.

    Args:
        x: (n, D) inputs of train rows, in the order of the table.
        table: the columns of the inputs.
    """
    columns = [column for column in table.columns if column.kind == NUMBER]
    places = [column.first + column.value for column in columns]
    if not places or len(x) <= _LEAST_VALUES:
        return None
    ordered = np.sort(np.asarray(x)[:, places], axis=0)
    cells: dict[float, int] = {}
    names: dict[float, list[str]] = {}
    for end in (ordered, ordered[::-1]):
        for place, count in _far_ends(end):
            unit = float(end[0, place]) * table.scale[places[place]] + table.mean[places[place]]
            value = float(f"{unit:.{_DIGITS}g}")
            cells[value] = cells.get(value, 0) + count
            names.setdefault(value, []).append(columns[place].name)
    if not cells:
        return None
    most = max(cells, key=lambda value: cells[value])
    if cells[most] < LEAST_CELLS:
        return None
    return Placeholder(most, cells[most], tuple(names[most]), len(x))


def _far_ends(ordered: np.ndarray) -> list[tuple[int, int]]:
    """Return the columns whose first value lies far from all others, and how often it comes.

    Args:
        ordered: (n, M) values, each column in ascending or in descending order.
    """
    equal = ordered == ordered[0]
    counts = equal.sum(axis=0)
    found: list[tuple[int, int]] = []
    for place in np.flatnonzero(counts <= len(ordered) - _LEAST_VALUES):
        others = ordered[counts[place] :, place]
        span, gap = abs(float(others[-1] - others[0])), abs(float(others[0] - ordered[0, place]))
        times = np.unique(others, return_counts=True)[1]
        many = len(times) >= _LEAST_VALUES and times.max() < _MOSTLY * len(others)
        if gap > FAR * span > 0 and many:
            found.append((int(place), int(counts[place])))
    return found
