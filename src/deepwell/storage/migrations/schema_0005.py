"""Schema 5: the views tell who runs a study, and which networks a kill has interrupted."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Change no table: the views, which follow every migration, are made of the same ones."""
