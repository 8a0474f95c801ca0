"""Finding a study by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._options import Name, Place

if TYPE_CHECKING:
    from deepwell.study._finished import FinishedStudy


def find_study(which: Name, place: Place) -> FinishedStudy:
    """Return the finished study of that name.

    Raises:
        UsageError: when the store has none of that name.
    """
    from deepwell.study._finished import open_study

    return open_study(which.name, store=place.store)
