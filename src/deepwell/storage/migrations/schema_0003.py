"""Schema 3: probes, what was measured inside networks while they trained."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table; networks of older studies were not looked into."""
    op.create_table(
        "probe",
        sa.Column("study_id", sa.Integer, nullable=False),
        sa.Column("trial", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("chunk_id", sa.Integer, nullable=True),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("layers", sa.Text, nullable=False),
        sa.Column("block", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("study_id", "trial", "epoch", name="pk_probe"),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name="fk_probe_study_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["chunk_id"], ["chunk.id"], name="fk_probe_chunk_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_probe_chunk_id", "probe", ["chunk_id"])
