"""Schema 4: leases, requests to runs, notes, tags, states that are kept, deletion with undo."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column and the tables, all of them empty."""
    op.add_column("study", sa.Column("deleted", sa.Double, nullable=True))
    _make_lease()
    _make_request()
    _make_note()
    _make_tag()
    _make_blob()


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _belongs(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_study_id"
    return sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=name, ondelete="CASCADE")


def _make_lease() -> None:
    op.create_table(
        "lease",
        sa.Column("study_id", sa.Integer, nullable=False, autoincrement=False),
        _text("holder"),
        _text("token"),
        _number("expires"),
        sa.PrimaryKeyConstraint("study_id", name="pk_lease"),
        _belongs("lease"),
    )


def _make_request() -> None:
    op.create_table(
        "request",
        _whole("id"),
        _whole("study_id"),
        _number("time"),
        _text("kind"),
        _whole("trial", nullable=True),
        _text("details"),
        _number("taken", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_request"),
        _belongs("request"),
    )
    op.create_index("ix_request_study_id_taken", "request", ["study_id", "taken"])


def _make_note() -> None:
    op.create_table(
        "note",
        _whole("id"),
        _whole("study_id"),
        _whole("trial", nullable=True),
        _number("time"),
        _text("text"),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
        _belongs("note"),
    )
    op.create_index("ix_note_study_id", "note", ["study_id"])


def _make_tag() -> None:
    op.create_table(
        "tag",
        _whole("id"),
        _whole("study_id"),
        _whole("trial", nullable=True),
        _text("name"),
        sa.PrimaryKeyConstraint("id", name="pk_tag"),
        _belongs("tag"),
    )
    _make_unique("uq_tag_study_id_name", ["study_id", "name"], "trial IS NULL")
    _make_unique("uq_tag_study_id_trial_name", ["study_id", "trial", "name"], "trial IS NOT NULL")


def _make_unique(name: str, columns: list[str], which: str) -> None:
    where = sa.text(which)
    op.create_index(name, "tag", columns, unique=True, sqlite_where=where, postgresql_where=where)


def _make_blob() -> None:
    op.create_table(
        "blob",
        _whole("study_id"),
        _whole("trial"),
        _whole("epoch"),
        _text("kind"),
        _text("hash"),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("study_id", "trial", "epoch", "kind", name="pk_blob"),
        _belongs("blob"),
    )
    op.create_index("ix_blob_hash", "blob", ["hash"])
