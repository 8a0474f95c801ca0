"""Schema 2: working time of studies, and the checkpoint from which one goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column and the table; older studies have worked for no known time."""
    none = sa.text("0")
    op.add_column("study", sa.Column("seconds", sa.Double, nullable=False, server_default=none))
    op.create_table(
        "checkpoint",
        sa.Column("study_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("chunk", sa.Integer, nullable=False),
        sa.Column("event", sa.Integer, nullable=False),
        sa.Column("first_trial", sa.Integer, nullable=False),
        sa.Column("trials", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study_id", name="pk_checkpoint"),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name="fk_checkpoint_study_id", ondelete="CASCADE"
        ),
    )
