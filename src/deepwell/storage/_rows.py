"""Hashes of the rows that studies have used."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._database import Database
from ._reuse import PARTS, RowReuse, count_known
from ._schema import HASHES, OPENING, ROW_HASHES, STUDY


class RowHashes:
    """The transactions on rows that studies have used: `Store.row_hashes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, study_id: int, part: str, hashes: np.ndarray) -> None:
        """Record which rows a study uses, so that later studies can tell when they use them again.

        Args:
            study_id: the study.
            part: `train`, `dev` or `test`.
            hashes: (N,) uint64, one a row, in any order.
        """
        with self._database.writing() as connection:
            replace_rows(connection, study_id, part, hashes)

    def read(self, study_id: int, part: str) -> np.ndarray:
        """Return the hashes that `record` kept for a part, sorted, (N,) uint64."""
        with self._database.reading() as connection:
            return read_rows(connection, study_id, part)

    def reuse_of(self, study_id: int, hashes: np.ndarray) -> list[RowReuse]:
        """Return which rows of a new test set were used in earlier studies of this store.

        Args:
            study_id: the study whose test set it is; only those are looked at that were begun
                before it, here or in a store from which they were copied later.
            hashes: (N,) uint64, one a row of the test set.

        Returns:
            One entry for each study and part with at least one such row, oldest study first; the
            test rows of a study count only if its vault has been opened.
        """
        with self._database.reading() as connection:
            return find_reuse(connection, study_id, hashes)


def replace_rows(connection: sa.Connection, study_id: int, part: str, hashes: np.ndarray) -> None:
    """Record which rows are a part of a study's data, in place of an older record."""
    if part not in PARTS:
        raise UsageError(f'rows must be of {", ".join(PARTS)}, got "{safe_text(part)}"')
    of_part = (ROW_HASHES.c.study_id == study_id, ROW_HASHES.c.part == part)
    connection.execute(sa.delete(ROW_HASHES).where(*of_part))
    blob = np.sort(_as_hashes(hashes)).astype(HASHES).tobytes()
    row = {"study_id": study_id, "part": part, "hashes": blob}
    connection.execute(sa.insert(ROW_HASHES), row)


def read_rows(connection: sa.Connection, study_id: int, part: str) -> np.ndarray:
    """Return the sorted hashes of a part of a study's data, none when they were not recorded."""
    query = sa.select(ROW_HASHES.c.hashes).where(
        ROW_HASHES.c.study_id == study_id, ROW_HASHES.c.part == part
    )
    blob = connection.execute(query).scalar_one_or_none()
    return np.frombuffer(blob or b"", HASHES)


def find_reuse(connection: sa.Connection, study_id: int, hashes: np.ndarray) -> list[RowReuse]:
    """Return which of these rows earlier studies used; their unopened test rows do not count."""
    wanted = _as_hashes(hashes)
    begun = sa.select(STUDY.c.created).where(STUDY.c.id == study_id).scalar_subquery()
    earlier = sa.or_(STUDY.c.id < study_id, STUDY.c.created < begun)
    opened = sa.exists().where(OPENING.c.study_id == STUDY.c.id)
    query = (
        sa.select(STUDY.c.id, STUDY.c.created, STUDY.c.name, ROW_HASHES.c.part, ROW_HASHES.c.hashes)
        .join(ROW_HASHES, ROW_HASHES.c.study_id == STUDY.c.id)
        .where(earlier, sa.or_(ROW_HASHES.c.part != "test", opened))
    )
    found: list[tuple[float, int, int, RowReuse]] = []
    # One blob at a time: there may be millions of rows a study.
    for row in connection.execution_options(yield_per=1).execute(query):
        rows = count_known(wanted, np.frombuffer(row.hashes, HASHES))
        if rows:
            reuse = RowReuse(row.name, row.part, rows)
            found.append((row.created, row.id, PARTS.index(row.part), reuse))
    return [reuse for *_, reuse in sorted(found, key=lambda entry: entry[:3])]


def _as_hashes(hashes: np.ndarray) -> np.ndarray:
    if hashes.dtype != np.uint64 or hashes.ndim != 1:
        raise UsageError(
            f"row hashes must be a (N,) array of uint64, got {hashes.shape} of {hashes.dtype}"
        )
    return hashes
