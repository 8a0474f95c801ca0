"""A study's rows read again from where they came, and held against what it was begun with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.data._folds import make_folds
from deepwell.data._load import load
from deepwell.records import DataFacts, from_plain
from deepwell.storage._study_record import StudyRecord

from ._asked import encoding, from_config, origin_of
from ._open_test import sealed_test
from ._recording import VAULT

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


def same_data(
    opened: Store,
    record: StudyRecord,
    given: Data | None,
    call: str = 'resume("{}", data=load(...))',
) -> Data:
    """Return the study's data, read again unless given, with the test rows in the store's vault.

    Args:
        opened: the store.
        record: of the study.
        given: what the caller has; None to read them again.
        call: how rows from memory are given again in Python, `{}` the study's name.

    Raises:
        UsageError: when they are not to be had, or not what the study has trained on.
    """
    name = safe_text(record.name)
    if given is None:
        origin = origin_of(record)
        if origin is None:
            raise UsageError(
                f"the data of study {name} came from memory; give them again in Python, "
                f"as in {call.format(name)}"
            )
        options: Mapping[str, Any] = origin.options
        given = load(origin.source, **options, vault=None)
    if given.fingerprint != record.config["fingerprint"]:
        raise UsageError(
            f"{safe_text(given.facts.source, 200)} does not hold the rows that study {name} was "
            "begun with; put the old data back, or fit the new ones under a new name"
        )
    parts = all(
        np.array_equal(np.sort(hashes), opened.row_hashes.read(record.id, part))
        for part, hashes in given.row_hashes.items()
    )
    folds = from_config(record).settings.folds
    trained_on = make_folds(given, folds).whole if folds else given
    if not parts or encoding(trained_on) != record.config["encoding"]:
        raise UsageError(
            f"these rows are split or encoded otherwise than study {name} did it; load them with "
            "the same options as before"
        )
    facts = from_plain(DataFacts, record.config["data"])
    return replace(given, facts=facts, vault=sealed_test(record, opened.folder / VAULT))
