"""The tables of a store, in SQL that every supported database understands.

Blobs are little-endian whatever the machine. A change here needs a migration beside it in
`migrations/`, a new `REVISION`, and a stored database of the new schema in the tests.
"""

from __future__ import annotations

import sqlalchemy as sa

REVISION = "0005"
"""Newest schema that this code reads and writes; the migrations end here."""

FLOATS = "<f4"
NUMBERS = "<i4"
STEPS = "<i8"
HASHES = "<u8"

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# Apart from METADATA: the migration tool keeps this table itself.
VERSION = sa.Table(
    "deepwell_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="deepwell_version_pkc"),
)


def _study_id(*, one_row: bool = False) -> sa.Column[int]:
    """Return the column of the study to which a row belongs, with which it goes."""
    key = sa.ForeignKey("study.id", ondelete="CASCADE")
    return sa.Column(
        "study_id", sa.Integer, key, primary_key=one_row, autoincrement=False, nullable=False
    )


def _unique_where(name: str, *columns: str, where: str) -> sa.Index:
    which = sa.text(where)
    return sa.Index(name, *columns, unique=True, sqlite_where=which, postgresql_where=which)


STUDY = sa.Table(
    "study",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    # Two names that differ in case alone are one folder on many disks.
    sa.Column("folded", sa.Text, nullable=False, unique=True),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("result", sa.Text),
    # Working time of all runs so far.
    sa.Column("seconds", sa.Double, nullable=False, server_default=sa.text("0")),
    # When it was deleted, seconds since 1970; NULL for a study that is there.
    sa.Column("deleted", sa.Double),
    # Ids are never used twice: the ledger names studies that may be gone.
    sqlite_autoincrement=True,
)

TRIAL = sa.Table(
    "trial",
    METADATA,
    _study_id(),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("epochs", sa.Integer, nullable=False),
    sa.Column("best_epoch", sa.Integer, nullable=False),
    sa.Column("score", sa.Double),  # NULL until an epoch has a score
    sa.Column("cost", sa.Double),
    sa.Column("message", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("study_id", "number"),
    sa.Index(None, "study_id", "score", "cost", "number"),
)

CHUNK = sa.Table(
    "chunk",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _study_id(),
    sa.Column("population", sa.Integer, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("trials", sa.LargeBinary, nullable=False),  # (P,) NUMBERS
    sa.Column("steps", sa.LargeBinary, nullable=False),  # (P,) STEPS
    sa.Index(None, "study_id"),
)

CURVE = sa.Table(
    "curve",
    METADATA,
    sa.Column(
        "chunk_id", sa.Integer, sa.ForeignKey("chunk.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("block", sa.LargeBinary, nullable=False),  # (P,) FLOATS
    sa.PrimaryKeyConstraint("chunk_id", "metric"),
)

PROBE = sa.Table(
    "probe",
    METADATA,
    _study_id(),
    sa.Column("trial", sa.Integer, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    # Of the chunk that it came with; NULL for one that was made after training.
    sa.Column("chunk_id", sa.Integer, sa.ForeignKey("chunk.id", ondelete="CASCADE")),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("layers", sa.Text, nullable=False),
    sa.Column("block", sa.LargeBinary, nullable=False),  # (L, 27) FLOATS, see `_probes`
    sa.PrimaryKeyConstraint("study_id", "trial", "epoch"),
    sa.Index(None, "chunk_id"),  # chunks are removed with their probes
)

EVENT = sa.Table(
    "event",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _study_id(),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("trial", sa.Integer),
    sa.Column("details", sa.Text, nullable=False),
    sa.Index(None, "study_id", "kind"),
)

CHECKPOINT = sa.Table(
    "checkpoint",
    METADATA,
    _study_id(one_row=True),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("chunk", sa.Integer, nullable=False),  # the last ones that belong to it
    sa.Column("event", sa.Integer, nullable=False),
    sa.Column("first_trial", sa.Integer, nullable=False),
    sa.Column("trials", sa.Text, nullable=False),  # rows of the trials from there on
    sa.Column("details", sa.Text, nullable=False),
)

LEASE = sa.Table(
    "lease",
    METADATA,
    _study_id(one_row=True),
    sa.Column("holder", sa.Text, nullable=False),  # who runs the study, in words
    sa.Column("token", sa.Text, nullable=False),  # known to the holder alone
    sa.Column("expires", sa.Double, nullable=False),  # seconds since 1970
)

# What another process asks of a run; the run takes it up and records the event that came of it.
REQUEST = sa.Table(
    "request",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _study_id(),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("trial", sa.Integer),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("taken", sa.Double),  # NULL until it was taken up
    sa.Index(None, "study_id", "taken"),  # asked for at every chunk
)

NOTE = sa.Table(
    "note",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _study_id(),
    sa.Column("trial", sa.Integer),  # NULL for a note on the study
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index(None, "study_id"),
)

TAG = sa.Table(
    "tag",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _study_id(),
    sa.Column("trial", sa.Integer),  # NULL for a tag of the study
    sa.Column("name", sa.Text, nullable=False),
    # One of each: two indexes, since a database takes any two NULLs for different.
    _unique_where("uq_tag_study_id_name", "study_id", "name", where="trial IS NULL"),
    _unique_where(
        "uq_tag_study_id_trial_name", "study_id", "trial", "name", where="trial IS NOT NULL"
    ),
)

# States of networks that are kept, in files that their hashes name.
BLOB = sa.Table(
    "blob",
    METADATA,
    _study_id(),
    sa.Column("trial", sa.Integer, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # `snapshot`, `best` or `checkpoint`
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("study_id", "trial", "epoch", "kind"),
    sa.Index(None, "hash"),  # a file goes when its last row does
)

ROW_HASHES = sa.Table(
    "row_hashes",
    METADATA,
    _study_id(),
    sa.Column("part", sa.Text, nullable=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),  # HASHES, sorted
    sa.PrimaryKeyConstraint("study_id", "part"),
)

OPENING = sa.Table(
    "opening",
    METADATA,
    sa.Column("link", sa.Integer, primary_key=True, autoincrement=False),  # place in the chain
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("study", sa.Text, nullable=False),
    # No foreign key: an opening outlives its study.
    sa.Column("study_id", sa.Integer),
    sa.Column("trial", sa.Integer, nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("value", sa.Double),  # NULL stands for NaN in these three
    sa.Column("low", sa.Double),
    sa.Column("high", sa.Double),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("model_hash", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index(None, "fingerprint"),
)

LEDGER_HEAD = sa.Table(
    "ledger_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # one row, 1
    sa.Column("length", sa.Integer, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
