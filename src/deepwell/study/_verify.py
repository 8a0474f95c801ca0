"""Whether all that a study left is as it was written: by hashes, without a look at a test row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepwell._base._errors import DeepwellError
from deepwell._base._safe_text import safe_text
from deepwell.data._vault_reader import sealed_problem
from deepwell.report._figures import count
from deepwell.storage._names import VAULT
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._model import DESCRIPTION, load_model
from ._open_test import sealed_test
from ._which import BEST, FOLDERS

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


@dataclass(frozen=True)
class Verified:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        ok: whether it is as it was written.
        told: what was found, in a sentence.
    """

    name: str
    ok: bool
    told: str


def verify(name: str, store: str | Path | None = None) -> tuple[Verified, ...]:
    """Return whether ledger, sealed test rows, models and kept states are as they were written.

    >>> import deepwell as dw                        # doctest: +SKIP
    >>> all(part.ok for part in dw.verify("churn"))  # doctest: +SKIP
    True

    Args:
        name: of the study.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such store or study.
    """
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        return (
            _ledger(opened),
            _test_rows(opened, record),
            *_models(opened.folder / record.name, opened.result(record.id) is not None),
            _states(opened, record),
        )


def _ledger(opened: Store) -> Verified:
    problem = opened.ledger.problem()
    openings, last = opened.ledger.head()
    told = f"{count(openings, 'opening')} of test sets, each as it was written"
    told += f"; hash of the last one {last}" if openings else ""
    return Verified("ledger", not problem, problem or told)


def _test_rows(opened: Store, record: StudyRecord) -> Verified:
    sealed = sealed_test(record, opened.folder / VAULT)
    if sealed is None:
        return Verified("test rows", True, "none were sealed")
    problem = sealed_problem(sealed)
    told = f"{count(sealed.rows, 'row')} sealed, sha256 {sealed.sha256}"
    return Verified("test rows", not problem, problem or told)


def _models(folder: Path, ended: bool) -> Iterator[Verified]:
    for which, inside in FOLDERS.items():
        name = "model" if which == BEST else which
        if not (folder / inside / DESCRIPTION).exists():
            if which == BEST and ended:
                yield Verified(name, False, f"there is none in {safe_text(folder / inside, 200)}")
            continue
        try:
            model = load_model(folder, which=which)
        except DeepwellError as error:
            yield Verified(name, False, str(error))
        else:
            told = f"its weights have the sha256 {model.about['weights_sha256']}"
            yield Verified(name, True, told)


def _states(opened: Store, record: StudyRecord) -> Verified:
    damaged = opened.states.damaged(record.id)
    if damaged:
        more = f"; and {len(damaged) - 1:,} more" if len(damaged) > 1 else ""
        return Verified("states", False, damaged[0] + more)
    kept = opened.states.of(record.id)
    size = sum(state.bytes for state in kept)
    told = f"{count(len(kept), 'state')} of networks kept, {size:,} bytes" if kept else "none kept"
    return Verified("states", True, told)
