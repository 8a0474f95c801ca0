"""`deepwell fit` against the clock: the command as it is typed, and its trace from the store."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from benchmarks.benchmark import Case
from deepwell.records import Status, Trial
from deepwell.storage._open import FILE_NAME, open_store

from .trace import ROUNDING, Ended, Trace

STUDY, STORE = "bench", "store"


def command(
    pair: tuple[str, str] | None, case: Case, table: Path, folder: Path, seed: int, seconds: float
) -> list[str]:
    """Return the command of a search.

    Args:
        pair: sampler and scheduler; None leaves both to Deepwell.
        case: what is searched.
        table: its file.
        folder: of the job, where it runs.
        seed: of the search; the split has its own.
        seconds: its budget.
    """
    del folder
    spaces = [part for entry in case.space for part in ("--space", entry)]
    options = [part for name, value in case.options.items() for part in (f"--{name}", value)]
    strategy = [] if pair is None else ["--search", pair[0], "--scheduler", pair[1]]
    return [
        str(Path(sys.executable).parent / "deepwell"), "fit", str(table),
        "--target", case.target, *options, *strategy,
        "--budget", f"{seconds:g}s", "--epochs", str(case.epochs),
        "--batch-size", str(case.batch_size), "--patience", "0", *spaces,
        "--seed", str(seed), "--name", STUDY, "--store", STORE,
    ]  # fmt: skip


def trace(folder: Path) -> Trace:
    """Return what a study did: ready at its first proposals, and the networks that finished.

    A network counts from the `finish` event of its rung on, by its score after the last epoch.
    """
    if not (folder / STORE / FILE_NAME).exists():
        return Trace()
    with open_store(folder / STORE, create=False) as store:
        if not store.studies():
            return Trace()
        record = store.study(STUDY)
        proposed = [event.time for event in store.events(record.id, "propose")]
        whole = {t.number: t for t in store.trials(record.id, curves=True) if _to_the_end(t)}
        ended: list[Ended] = []
        for event in store.events(record.id, "finish"):
            numbers = event.details.get("trials", ())
            assert isinstance(numbers, list | tuple)
            found = (whole[n].curves["dev_score"][-1] for n in numbers if n in whole)
            ended += [Ended(event.time, float(error)) for error in found]
    return Trace(min(proposed, default=None), tuple(ended))


def candidates(folder: Path, threshold: float) -> int:
    """Return how many finished networks may have reached a threshold, by their best epoch.

    It is asked all the time, beside the search, and so reads an index and no curves.
    """
    file = folder / STORE / FILE_NAME
    if not file.exists():
        return 0
    query = "SELECT COUNT(*) FROM trial WHERE score <= ? AND status = ?"
    values = (1.0 - threshold + ROUNDING, Status.FINISHED.value)
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as connection:
            return int(connection.execute(query, values).fetchone()[0])
    except sqlite3.OperationalError:  # the tables are being made
        return 0


def _to_the_end(trial: Trial) -> bool:
    return trial.status is Status.FINISHED and trial.epochs >= trial.spec.whole("epochs")
