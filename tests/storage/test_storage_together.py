"""Many processes on one store: nobody is turned away, and no row is lost or doubled."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deepwell.records import Event, TrialSpec
from deepwell.storage import open_store

WORK = """
import json, sys, threading, time
import numpy as np
import deepwell.storage._store
from deepwell.records import ChunkRecord, Event, TrialSpec
from deepwell.storage import open_store

where, name, seconds, writers, readers = json.loads(sys.argv[1])
failed, recorded, looks = [], {}, []

def write(writer):
    with open_store(where) as store:
        shared, study = store.study("shared"), store.create_study(writer, {})
        specs = [(n, TrialSpec({}, seed=n)) for n in range(16)]
        store.propose(study.id, specs, Event(1.0, "propose"))
        epoch = 0
        while epoch == 0 or not over.is_set():
            epoch += 1
            values = np.full(16, 1 / epoch, np.float32)
            metrics = {"train_cost": values, "dev_cost": values, "dev_score": values}
            numbers = np.arange(16)
            store.record_chunk(study.id, 0, ChunkRecord(epoch, numbers, metrics, {}, numbers))
            store.append_event(shared.id, Event(float(epoch), writer))
            recorded[writer] = epoch

def read(place):
    with open_store(where, create=False) as store:
        while not over.is_set():
            for study in store.studies():
                trials = store.trials(study.id, curves=True)
                told = {(t.epochs, t.score, len(t.curves.get("dev_score", ()))) for t in trials}
                assert len(told) <= 1, told  # a chunk is seen whole or not at all
                for epochs, score, curve in told:
                    assert epochs == curve
                    assert epochs == 0 or score == np.float32(1 / epochs)
                store.best_trials(study.id, 3)
            looks.append(place)

def guarded(act, *given):
    try:
        act(*given)
    except BaseException as error:
        failed.append(f"{type(error).__name__}: {error}")

over = threading.Event()
threads = [threading.Thread(target=guarded, args=(write, f"{name}-w{n}")) for n in range(writers)]
threads += [threading.Thread(target=guarded, args=(read, n)) for n in range(readers)]
print("ready", flush=True)
sys.stdin.readline()
for thread in threads:
    thread.start()
over.wait(seconds)
over.set()
for thread in threads:
    thread.join()
print(json.dumps([failed, recorded, len(looks)]))
"""


def work(
    where: str, processes: int, seconds: float, writers: int, readers: int, *, prelude: str = ""
) -> tuple[dict[str, int], int]:
    """Let processes work side by side; return the epochs that each writer recorded, and looks."""
    with open_store(where) as store:
        shared = store.create_study("shared", {})
        store.propose(shared.id, [(0, TrialSpec({}, seed=0))], Event(0.0, "propose"))
    started = [
        subprocess.Popen(
            [
                *(sys.executable, "-W", "error", "-c", prelude + WORK),
                json.dumps([where, f"p{n}", seconds, writers, readers]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(processes)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    recorded: dict[str, int] = {}
    looks = 0
    for process in started:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        failed, own, seen = json.loads(output)
        assert failed == []
        assert all(own.values())
        recorded |= own
        looks += seen
    assert len(recorded) == processes * writers
    return recorded, looks


def check_all_is_there(where: str, recorded: dict[str, int]) -> None:
    with open_store(where, create=False) as store:
        told = store.events(store.study("shared").id)
        for writer, epochs in recorded.items():
            own = [event.time for event in told if event.kind == writer]
            assert own == [float(n) for n in range(1, epochs + 1)]
            for trial in store.trials(store.study(writer).id, curves=True):
                assert trial.epochs == epochs
                assert len(trial.curves["dev_score"]) == epochs
        assert len(told) == 1 + sum(recorded.values())


def test_writers_by_turns_and_readers(where: str):
    recorded, looks = work(where, processes=2, seconds=1.0, writers=4, readers=8)
    check_all_is_there(where, recorded)
    assert looks > 0


def test_without_shared_memory_too(tmp_path: Path):
    """As on a network disk, where readers and writers wait for each other."""
    prelude = "import deepwell.storage._sqlite as s\ns.on_network = lambda _: True\n"
    recorded, looks = work(
        str(tmp_path), processes=2, seconds=1.0, writers=2, readers=2, prelude=prelude
    )
    check_all_is_there(str(tmp_path), recorded)
    assert looks > 0


@pytest.mark.slow
def test_eight_writers_and_sixteen_readers_for_a_minute(where: str):
    recorded, looks = work(where, processes=8, seconds=60.0, writers=1, readers=2)
    check_all_is_there(where, recorded)
    assert min(recorded.values()) > 10
    assert looks > 100
