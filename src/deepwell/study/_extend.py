"""A finished study asked for more networks: recorded so that a kill at any point loses nothing.

One transaction keeps what is asked for now, the events that say what changed, and a checkpoint at
the start of the round that comes: all trials so far are settled there, and no state is kept. What
follows is what follows any checkpoint.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from deepwell.data._data import Data
from deepwell.records import Event
from deepwell.search.spaces._space import Space
from deepwell.storage._checkpoint_record import CheckpointRecord
from deepwell.storage._study_record import StudyRecord

from ._asked import Asked, from_config, search_config
from ._given import Given
from ._history import History
from ._image_space import check_images
from ._more import EXTEND, NARROW, More, longer_ones, narrowed
from ._settings import check_changes_come, check_networks

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


def extend(
    opened: Store, record: StudyRecord, data: Data, more: More, budget: float | None
) -> None:
    """Record that a finished study, whose lease is held, goes on.

    Args:
        opened: the store.
        record: of the study.
        data: its rows.
        more: what is asked for.
        budget: seconds from now on, None for no limit.

    Raises:
        UsageError: when the new space cannot be, or its networks cannot be trained here.
    """
    old, past = from_config(record), opened.trials(record.id)
    proposed, folds = History(opened, record).proposed(), old.settings.folds
    first = 1 + max((trial.number for trial in past), default=-1)
    longer: list[Given] = []
    if more.epochs is not None:
        longer = longer_ones(past, folds, more.epochs, proposed)
    asked = more.asked(old, proposed, record.seconds, budget, longer)
    _check(asked, data)
    now, after = time.time(), {"after": first}
    told = {"trials": more.trials, "epochs": more.epochs, "budget": budget}
    events = [Event(now, EXTEND, details={**after, **told})]
    changed = narrowed(old.settings, asked.settings)
    if changed is not None:
        events.append(Event(now, NARROW, details={**after, **changed}))
    rounds = len(opened.events(record.id, "propose"))
    start: dict[str, object] = {
        "population": rounds,
        "rung": 0,
        "alive": [],
        "files": [],
        "contenders": None,
    }
    checkpoint = CheckpointRecord(record.seconds, first, start)
    opened.extend(record.id, {**record.config, **search_config(asked)}, checkpoint, *events)


def _check(asked: Asked, data: Data) -> None:
    for space in (asked.settings.space, *(Space(given.values) for given in asked.given)):
        check_images(space, data.image)
        check_networks(space, asked.program)
        check_changes_come(space)
