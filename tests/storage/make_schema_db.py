"""Write `data/schema_N.db`, the stored database of the schema that the code has now.

    .venv/bin/python tests/storage/make_schema_db.py

Run it once when a schema is released and keep the file for ever: `test_storage_migrate.py` opens
every one of them with the code of the day. It refuses to overwrite.
"""

import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from deepwell.records import ChunkRecord, Estimate, Event, Opening, Probe, Status, TrialSpec
from deepwell.storage import Store, open_store
from deepwell.storage._checkpoint_record import CheckpointRecord
from deepwell.storage._schema import BLOB, LEASE, NOTE, REQUEST, REVISION, STUDY, TAG

FOLDER = Path(__file__).parent / "data"


def probe(trial: int, epoch: int) -> Probe:
    """Return a probe of two layers whose numbers are all different."""
    numbers = np.arange(54, dtype=np.float32).reshape(2, 27) + 100 * epoch + 1000 * trial
    spreads, singles = np.split(numbers[:, :21], 3, axis=1), numbers[:, 21:].T
    return Probe(trial, epoch, 10 * epoch, ("hidden 1", "output"), *spreads, *singles)


def fill(folder: str) -> None:
    """Record studies that use every table."""
    with open_store(folder) as store:
        study = store.create_study("churn", {"target": "churned", "seed": 3})
        specs = [(n, TrialSpec({"learning_rate": 0.01, "hidden_units": 8}, n)) for n in range(3)]
        store.propose(study.id, specs, Event(1.5, "propose", None, {"count": 3}))
        for epoch, scores in ((1, [0.5, 0.25, 0.75]), (2, [0.25, 0.5, np.nan])):
            score = np.array(scores, np.float32)
            metrics = {"train_cost": score / 2, "dev_cost": score * 2, "dev_score": score}
            statuses = {2: Status.DIVERGED} if epoch == 2 else {}
            steps = np.full(3, 10 * epoch)
            probes = tuple(probe(1, n) for n in ((0, 1) if epoch == 1 else (2,)))
            store.record_chunk(
                study.id,
                0,
                ChunkRecord(epoch, np.arange(3), metrics, statuses, steps, probes),
                seconds=1.25 * epoch,
            )
            if epoch == 1:
                checkpoint = CheckpointRecord(1.25, 1, {"population": 0, "rung": 1, "files": []})
                store.save_checkpoint(study.id, checkpoint)
        finished = {0: Status.FINISHED, 1: Status.PRUNED}
        store.record_statuses(study.id, finished, {2: "diverged at step 12"}, Event(2.5, "finish"))
        store.save_result(study.id, {"dev": 0.25})
        store.set_status(study.id, "finished")
        for number, part in enumerate(("train", "dev", "test")):
            store.row_hashes.record(study.id, part, np.arange(3, dtype=np.uint64) + 10 * number)
        found = Opening(0.0, "churn", 0, "error", Estimate(0.3, 0.2, 0.4), 0, ("a note",))
        store.ledger.append("f" * 64, found, "0" * 64)
        store.ledger.append("f" * 64, found, "1" * 64)
        second = store.create_study("churn", {})
        gone = store.create_study("gone", {})
        fill_schema_4(store, study.id, second.id, gone.id)


def fill_schema_4(store: Store, first: int, second: int, deleted: int) -> None:
    """Record what schema 4 brought, row by row as the tables have it."""
    rows = {
        LEASE: [{"study_id": second, "holder": "process 7 on a", "token": "t", "expires": 9.5}],
        REQUEST: [
            *(request(first, 1.5, "nudge", 1, 2.5), request(first, 3.5, "stop", None, None)),
        ],
        NOTE: [
            {"study_id": first, "trial": None, "time": 4.5, "text": "a first try"},
            {"study_id": first, "trial": 1, "time": 5.5, "text": "ünstable"},
        ],
        TAG: [
            {"study_id": first, "trial": None, "name": "keep"},
            {"study_id": first, "trial": 1, "name": "keep"},
        ],
        BLOB: [
            {"study_id": first, "trial": 1, "epoch": 2, "kind": kind, "hash": "d" * 64, "bytes": 64}
            for kind in ("best", "snapshot")
        ],
    }
    with store._database.writing() as connection:
        for table, values in rows.items():
            connection.execute(sa.insert(table), values)
        gone = sa.update(STUDY).where(STUDY.c.id == deleted).values(deleted=6.5)
        connection.execute(gone)


def request(
    study: int, time: float, kind: str, trial: int | None, taken: float | None
) -> dict[str, object]:
    """Return the row of a request."""
    row = {"study_id": study, "time": time, "kind": kind, "trial": trial, "taken": taken}
    return {**row, "details": '{"learning_rate": "x0.5"}'}


def main() -> None:
    """Fill a store and keep its database, packed small, under the schema's number."""
    target = FOLDER / f"schema_{int(REVISION)}.db"
    if target.exists():
        raise SystemExit(f"{target} exists: a released schema is never written again")
    with tempfile.TemporaryDirectory() as folder:
        fill(folder)
        file = Path(folder) / "store.db"
        connection = sqlite3.connect(file, isolation_level=None)
        for statement in ("journal_mode = DELETE", "page_size = 1024"):
            connection.execute(f"PRAGMA {statement}")
        connection.execute("VACUUM")
        connection.close()
        FOLDER.mkdir(exist_ok=True)
        target.write_bytes(file.read_bytes())


if __name__ == "__main__":
    main()
