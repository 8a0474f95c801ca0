"""Views: what a store holds, in tables made for reading; documented in docs/query.md.

They hold nothing themselves and are made anew after every migration, so migrations need not know
them. A study that was deleted, and can still be brought back, is in none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa

_STUDIES = """
SELECT study.name AS study, study.status, study.created, study.seconds,
    (SELECT count(*) FROM trial WHERE trial.study_id = study.id) AS trials,
    (SELECT min(trial.score) FROM trial
        WHERE trial.study_id = study.id AND trial.status <> 'failed') AS score
FROM study WHERE study.deleted IS NULL
"""

_TRIALS = """
SELECT study.name AS study, trial.number AS trial, trial.status, trial.epochs, trial.best_epoch,
    trial.score, trial.cost, trial.spec, trial.message
FROM trial JOIN study ON study.id = trial.study_id WHERE study.deleted IS NULL
"""

_EVENTS = """
SELECT study.name AS study, event.id AS event, event.time, event.kind, event.trial, event.details
FROM event JOIN study ON study.id = event.study_id WHERE study.deleted IS NULL
"""

_NOTES = """
SELECT study.name AS study, note.trial, note.time, note.text
FROM note JOIN study ON study.id = note.study_id WHERE study.deleted IS NULL
"""

_TAGS = """
SELECT study.name AS study, tag.trial, tag.name AS tag
FROM tag JOIN study ON study.id = tag.study_id WHERE study.deleted IS NULL
"""

_OPENINGS = """
SELECT study, trial, time, metric, value, low, high, number, fingerprint FROM opening
"""

VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "studies": _STUDIES,
        "trials": _TRIALS,
        "events": _EVENTS,
        "notes": _NOTES,
        "tags": _TAGS,
        "openings": _OPENINGS,
    }
)
"""Name of each view and its query."""


def make_views(connection: sa.Connection) -> None:
    """Make all views."""
    for name, query in VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query.strip()}")


def drop_views(connection: sa.Connection) -> None:
    """Remove the views, where there are any, so that their tables can be changed."""
    for name in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
