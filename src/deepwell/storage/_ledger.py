"""The ledger of openings of test sets: every entry carries the hash of the one before it.

    hash = sha256(JSON of the entry and of the hash before it)

An entry that is changed, removed or put in between breaks the chain; the length and the last
hash are kept apart, so that an entry missing at the end shows too. The vault remembers the hashes
as well, outside of the database: so a ledger shows that was put back from an older copy, or made
anew. This finds accidents and touched-up figures, not someone who changes the ledger, computes all
hashes anew and writes the vault's record to match: against that, only a copy of the last hash that
is kept elsewhere helps.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from deepwell._base._errors import StudyError
from deepwell._base._safe_text import safe_text
from deepwell.records import Estimate, Opening

from ._database import Database
from ._schema import LEDGER_HEAD, OPENING, STUDY
from ._text import from_json, storable, to_json
from ._witness import Witness, Witnessed, lost_openings

FIRST_HASH = "0" * 64
"""What the first entry names as the hash before it."""


class Ledger:
    """The ledger's transactions: `Store.ledger`.

    Args:
        database: of the store.
        witness: what the vault remembers of it.
    """

    def __init__(self, database: Database, witness: Witness) -> None:
        self._database = database
        self._witness = witness

    def append(self, fingerprint: str, opening: Opening, model_hash: str) -> Opening:
        """Record an opening of a test set; on return the disk has it.

        Args:
            fingerprint: of the test set's rows.
            opening: what was found; its time and number are set here.
            model_hash: of the model that was scored.

        Returns:
            The opening as recorded: `number` says how often this test set has been opened by now.
        """
        # An opening that a power cut took back would make the test set look unseen.
        remembered = self._witness.read()
        with self._database.writing(durable=True) as connection:
            gone = [w for w in _missing(connection, remembered) if w.fingerprint == fingerprint]
            appended = append_opening(connection, fingerprint, opening, model_hash, len(gone))
        # Afterwards: it must not remember what was never recorded. With what a kill came before.
        self.remember(fingerprint)
        return appended

    def entries(self, fingerprint: str) -> list[dict[str, Any]]:
        """Return all that the ledger has of the openings of one test set, for another ledger."""
        of_set = OPENING.c.fingerprint == storable(fingerprint)
        with self._database.reading() as connection:
            query = sa.select(OPENING).where(of_set).order_by(OPENING.c.link)
            return [dict(row) for row in connection.execute(query).mappings()]

    def remember(self, fingerprint: str) -> None:
        """Let the vault remember all openings of a test set that the ledger has."""
        own = [
            Witnessed(entry["link"], entry["hash"], fingerprint, entry["study"], entry["time"])
            for entry in self.entries(fingerprint)
        ]
        self._witness.add_new(own)

    def remember_lost(self, lost: Sequence[Witnessed]) -> None:
        """Let the vault remember openings too that another store's ledger has lost."""
        self._witness.add_new(lost)

    def openings(self, fingerprint: str, model_hash: str | None = None) -> list[Opening]:
        """Return the openings of one test set, first to last; those of one model if it is given."""
        with self._database.reading() as connection:
            return read_openings(connection, fingerprint, model_hash)

    def verify(self) -> None:
        """Check the whole ledger.

        Raises:
            StudyError: naming the first entry that was changed or removed.
        """
        with self._database.reading() as connection:
            check_ledger(connection)

    def missing(self) -> list[Witnessed]:
        """Return the openings that the vault remembers and the ledger does not have."""
        remembered = self._witness.read()  # first: what it has by now, the ledger has as well
        with self._database.reading() as connection:
            return _missing(connection, remembered)

    def head(self) -> tuple[int, str]:
        """Return how many openings there are, of all test sets, and the hash of the last one."""
        with self._database.reading() as connection:
            last = sa.select(OPENING.c.link, OPENING.c.hash).order_by(OPENING.c.link.desc())
            row = connection.execute(last.limit(1)).one_or_none()
            return (0, FIRST_HASH) if row is None else (row.link, row.hash)

    def problem(self) -> str:
        """Return what is wrong with the ledger in a sentence, or an empty string."""
        try:
            self.verify()
        except StudyError as error:
            return str(error)
        return lost_openings(self.missing())


def _missing(connection: sa.Connection, remembered: Sequence[Witnessed]) -> list[Witnessed]:
    if not remembered:
        return []
    known = {row.link: row.hash for row in connection.execute(sa.select(OPENING))}
    return [entry for entry in remembered if known.get(entry.link) != entry.hash]


def append_opening(
    connection: sa.Connection, fingerprint: str, opening: Opening, model_hash: str, lost: int = 0
) -> Opening:
    """Record an opening; return it with its time and its number among those of the test set.

    Args:
        connection: of a writer.
        fingerprint: of the test set.
        opening: what was found.
        model_hash: of the model that was scored.
        lost: openings of the same test set that the ledger does not have any more.
    """
    study = storable(opening.study)
    of_study = sa.select(STUDY.c.id).where(STUDY.c.name == study)
    row = {
        "fingerprint": storable(fingerprint),
        "time": time.time(),
        "study": study,
        "study_id": connection.execute(of_study).scalar_one_or_none(),
        "trial": int(opening.trial),
        "metric": storable(opening.metric),
        "value": _stored_float(opening.test.value),
        "low": _stored_float(opening.test.low),
        "high": _stored_float(opening.test.high),
        "notes": to_json(opening.notes),
        "model_hash": storable(model_hash),
    }
    link = _append(connection, row, lost)
    stored = connection.execute(sa.select(OPENING).where(OPENING.c.link == link)).one()
    return _opening(stored)


def adopt_opening(
    connection: sa.Connection, entry: Mapping[str, Any], study_id: int | None
) -> bool:
    """Record an opening that another store has seen; return whether it was not known here.

    It keeps its time, score and notes, and gets its place here, and a number that is no less than
    the one it has there.

    Args:
        connection: of a writer.
        entry: what `entries` of the other ledger returned.
        study_id: of the copy of the study that opened it; None where that is not in this store.
    """
    told = ("fingerprint", "time", "study", "trial", "metric", "value", "low", "high")
    row = {name: entry[name] for name in (*told, "notes", "model_hash")}
    same = (OPENING.c.fingerprint == row["fingerprint"], OPENING.c.time == row["time"])
    of_model = OPENING.c.model_hash == row["model_hash"]
    if connection.execute(sa.select(OPENING.c.link).where(*same, of_model)).first() is not None:
        return False
    _append(connection, {**row, "study_id": study_id}, before=entry["number"] - 1)
    return True


def _append(
    connection: sa.Connection, entry: Mapping[str, Any], lost: int = 0, before: int = 0
) -> int:
    """Add an entry at the end of the chain, as the next opening of its test set; return its link.

    Args:
        connection: of a writer.
        entry: all columns but the place in the chain, the number and the hashes.
        lost: openings of the same test set that the ledger does not have any more.
        before: openings of it that came before this one elsewhere.
    """
    head = connection.execute(sa.select(LEDGER_HEAD)).one()
    of_set = OPENING.c.fingerprint == entry["fingerprint"]
    counted = sa.select(sa.func.count(), sa.func.max(OPENING.c.number)).where(of_set)
    there, last = connection.execute(counted).one()
    number = max(there + lost, last or 0, before) + 1
    row = {**entry, "link": head.length + 1, "number": number, "previous": head.hash}
    row["hash"] = _hash(row)
    connection.execute(sa.insert(OPENING), row)
    connection.execute(sa.update(LEDGER_HEAD).values(length=row["link"], hash=row["hash"]))
    return row["link"]


def read_openings(
    connection: sa.Connection, fingerprint: str, model_hash: str | None = None
) -> list[Opening]:
    """Return the openings of one test set, first to last, by the names that studies have now."""
    of_set = OPENING.c.fingerprint == storable(fingerprint)
    if model_hash is not None:
        of_set &= OPENING.c.model_hash == storable(model_hash)
    named = sa.func.coalesce(STUDY.c.name, OPENING.c.study).label("study")
    columns = [column for column in OPENING.c if column.name != "study"]
    joined = OPENING.outerjoin(STUDY, STUDY.c.id == OPENING.c.study_id)
    query = sa.select(*columns, named).select_from(joined).where(of_set).order_by(OPENING.c.link)
    return [_opening(row) for row in connection.execute(query)]


def check_ledger(connection: sa.Connection) -> None:
    """Raise StudyError for the first entry that does not hold; return when all do."""
    previous, link = FIRST_HASH, 0
    for row in connection.execute(sa.select(OPENING).order_by(OPENING.c.link)).mappings():
        link += 1
        entry: dict[str, Any] = {column.name: row[column] for column in OPENING.c}
        kept = entry.pop("hash")
        if entry["link"] != link or entry["previous"] != previous or _hash(entry) != kept:
            name = safe_text(entry["study"])
            raise _broken(
                f"entry {link} (study {name}, opening {entry['number']} of its test set) was "
                "changed, or the one before it removed"
            )
        previous = kept
    head = connection.execute(sa.select(LEDGER_HEAD)).one_or_none()
    if head is None or (head.length, head.hash) != (link, previous):
        raise _broken(f"entry {link + 1} was removed, or entry {link} changed")


def _broken(what: str) -> StudyError:
    return StudyError(
        f"the ledger of test-set openings has been tampered with: {what}; "
        "figures of this store's test sets cannot be trusted"
    )


def _hash(entry: dict[str, Any]) -> str:
    return hashlib.sha256(to_json(entry).encode()).hexdigest()


def _stored_float(value: float) -> float | None:
    # What databases give back as it was given: they know no NaN, and lose the sign of -0.
    return None if math.isnan(value) else float(value) + 0.0


def _opening(row: sa.Row[Any]) -> Opening:
    value, low, high = (math.nan if v is None else v for v in (row.value, row.low, row.high))
    return Opening(
        time=row.time,
        study=row.study,
        trial=row.trial,
        metric=row.metric,
        test=Estimate(value, low, high),
        number=row.number,
        notes=tuple(from_json(row.notes)),
    )
