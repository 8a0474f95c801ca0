"""Schema 1: studies, trials, curves, events, row hashes, the ledger of openings.

A migration is never edited after its release; its tables are said in full because those in the
code move on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables and the empty ledger."""
    _make_study()
    _make_trial()
    _make_chunk()
    _make_curve()
    _make_event()
    _make_row_hashes()
    _make_opening()
    _make_ledger_head()


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _blob(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _key(*columns: str, table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _belongs(column: str, to: str, *, table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete="CASCADE")


def _make_study() -> None:
    op.create_table(
        "study",
        _whole("id"),
        _text("name"),
        _text("folded"),
        _number("created"),
        _text("status"),
        _text("config"),
        _text("result", nullable=True),
        _key("id", table="study"),
        sa.UniqueConstraint("name", name="uq_study_name"),
        sa.UniqueConstraint("folded", name="uq_study_folded"),
        sqlite_autoincrement=True,
    )


def _make_trial() -> None:
    op.create_table(
        "trial",
        _whole("study_id"),
        _whole("number"),
        _text("spec"),
        _text("status"),
        _whole("epochs"),
        _whole("best_epoch"),
        _number("score", nullable=True),
        _number("cost", nullable=True),
        _text("message"),
        _key("study_id", "number", table="trial"),
        _belongs("study_id", "study", table="trial"),
    )
    columns = ["study_id", "score", "cost", "number"]
    op.create_index("ix_trial_study_id_score_cost_number", "trial", columns)


def _make_chunk() -> None:
    op.create_table(
        "chunk",
        _whole("id"),
        _whole("study_id"),
        _whole("population"),
        _whole("epoch"),
        _blob("trials"),
        _blob("steps"),
        _key("id", table="chunk"),
        _belongs("study_id", "study", table="chunk"),
    )
    op.create_index("ix_chunk_study_id", "chunk", ["study_id"])


def _make_curve() -> None:
    op.create_table(
        "curve",
        _whole("chunk_id"),
        _text("metric"),
        _blob("block"),
        _key("chunk_id", "metric", table="curve"),
        _belongs("chunk_id", "chunk", table="curve"),
    )


def _make_event() -> None:
    op.create_table(
        "event",
        _whole("id"),
        _whole("study_id"),
        _number("time"),
        _text("kind"),
        _whole("trial", nullable=True),
        _text("details"),
        _key("id", table="event"),
        _belongs("study_id", "study", table="event"),
    )
    op.create_index("ix_event_study_id_kind", "event", ["study_id", "kind"])


def _make_row_hashes() -> None:
    op.create_table(
        "row_hashes",
        _whole("study_id"),
        _text("part"),
        _blob("hashes"),
        _key("study_id", "part", table="row_hashes"),
        _belongs("study_id", "study", table="row_hashes"),
    )


def _make_opening() -> None:
    op.create_table(
        "opening",
        sa.Column("link", sa.Integer, nullable=False, autoincrement=False),
        _text("fingerprint"),
        _number("time"),
        _text("study"),
        _whole("study_id", nullable=True),
        _whole("trial"),
        _text("metric"),
        _number("value", nullable=True),
        _number("low", nullable=True),
        _number("high", nullable=True),
        _whole("number"),
        _text("notes"),
        _text("model_hash"),
        _text("previous"),
        _text("hash"),
        _key("link", table="opening"),
    )
    op.create_index("ix_opening_fingerprint", "opening", ["fingerprint"])


def _make_ledger_head() -> None:
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        _whole("length"),
        _text("hash"),
        _key("id", table="ledger_head"),
    )
    op.execute(f"INSERT INTO ledger_head (id, length, hash) VALUES (1, 0, '{'0' * 64}')")
