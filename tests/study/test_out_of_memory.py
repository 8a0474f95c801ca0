"""A real lack of memory: a process whose memory the system limits, and how a study goes on."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import deepwell as dw
from deepwell._native._core_module import available
from deepwell.execution._native_backend import NativeBackend
from deepwell.records import Status, Trial

pytestmark = [
    pytest.mark.skipif(not available(), reason="the native program needs its core"),
    pytest.mark.skipif(sys.platform != "linux", reason="limits of data memory are Linux's"),
]

# Both studies run in one process, so that whatever libraries need they have when the limit falls.
CHILD = """
import hashlib, json, resource, sys
from pathlib import Path

import numpy as np

import deepwell as dw
from deepwell.storage import open_store

store, room = Path(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(0)
x = rng.normal(size=(160, 6))
table = {f"c{i}": x[:, i] for i in range(6)} | {"y": np.where(x[:, 0] > 0, "a", "b")}
data = dw.load(table, target="y", vault=store / "vault", memory="8GB")
space = {"hidden_units": 1200, "hidden_layers": 2, "optimizer": "adam", "batch_size": 32}
space |= {"learning_rate": dw.log(1e-4, 1e-3), "patience": 0, "activation": "relu"}


def run(name):
    study = dw.Study(data, space, name=name, store=store, program="native")
    result = study.run(trials=8, epochs=3)
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        trials = opened.trials(record.id, curves=True)
        events = [event.details for event in opened.events(record.id, "out_of_memory")]
    curves = b"".join(c.tobytes() for t in trials for _, c in sorted(t.curves.items()))
    model = (store / name / "model" / "model.safetensors").read_bytes()
    digests = [hashlib.sha256(content).hexdigest() for content in (curves, model)]
    print(json.dumps([digests, result.statuses, events, result.memory_notes]), flush=True)


run("free")
status = Path("/proc/self/status").read_text().splitlines()
used = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))
resource.setrlimit(resource.RLIMIT_DATA, (used + room, used + room))
try:
    run("limited")
except dw.DeepwellError as error:
    print(json.dumps(str(error)))
"""


def runs(store, room):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(store), str(room)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"},  # what is freed is given back
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_a_limit_that_a_handful_of_networks_exceed_changes_no_bit(tmp_path):
    """A network of 2 x 1,200 units is 23 MB with its optimizer; eight of them get 160 MB."""
    free, limited = runs(tmp_path, 160_000_000)
    assert free[2:] == [[], []]
    assert limited[:2] == free[:2] == [free[0], {"finished": 8}]
    events, notes = limited[2:]
    assert events
    assert events[0]["before"] == 8
    assert all(event["after"] == event["before"] // 2 >= 1 for event in events)
    assert all(1 <= event["epoch"] <= 3 for event in events)
    assert notes[0].startswith("memory ran out in epoch 1 with 8 networks at once: on with 4")


@pytest.mark.slow
def test_networks_none_of_which_fits_end_in_a_sentence(tmp_path):
    free, limited = runs(tmp_path, 20_000_000)
    assert free[1] == {"finished": 8}
    assert limited.startswith("not one of the 8 networks fits in memory even alone")


class _Failing:
    """A program that has no memory for the network that leads when the last rung begins."""

    def __init__(self, program):
        self._program, self._victim = program, None

    def __getattr__(self, name):
        return getattr(self._program, name)

    def load(self, members, states):
        if self._victim is None and len(members) == 1 and int(states[0]["epoch"]):
            self._victim = members[0].seed
        if any(member.seed == self._victim for member in members):
            raise MemoryError
        return self._program.load(members, states)


def test_where_the_best_network_fails_alone_the_next_best_is_the_outcome(tmp_path, monkeypatch):
    build = NativeBackend.build
    monkeypatch.setattr(
        NativeBackend, "build", lambda self, bucket, rows: _Failing(build(self, bucket, rows))
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    table = {f"c{i}": x[:, i] for i in range(3)} | {"y": x[:, 0] + 0.3 * rng.normal(size=120)}
    data = dw.load(table, target="y", vault=tmp_path / "vault")
    space = {"learning_rate": dw.log(1e-4, 1e-1), "hidden_layers": 1, "hidden_units": 5}
    space |= {"batch_size": 32, "patience": 0}
    study = dw.Study(data, space, name="mine", store=tmp_path, program="native")
    result = study.run(trials=3, epochs=15)
    assert [rung.networks for rung in result.plan.rungs] == [3, 1]
    trials = study.history()
    (failed,) = (t for t in trials if t.status is Status.FAILED)
    others = sorted((t for t in trials if t is not failed), key=Trial.rank_key)
    assert failed.score < others[0].score  # else another network would have been the best anyway
    assert others[0].status is Status.PRUNED
    assert result.best_trial == others[0].number
    assert result.dev.value == pytest.approx(others[0].score, rel=1e-5)
    assert result.memory_notes == (
        f"memory ran out in epoch {failed.epochs + 1} with 1 network at once: it alone does not "
        "fit, failed",
    )


def test_a_study_that_goes_on_with_networks_that_do_not_fit_fails_those_alone(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    table = {f"c{i}": x[:, i] for i in range(3)} | {"y": x[:, 0] + 0.3 * rng.normal(size=120)}
    data = dw.load(table, target="y", vault=tmp_path / "vault", memory="17MB")
    space = {"hidden_layers": 1, "hidden_units": [4, 60_000], "batch_size": 32}
    with pytest.raises(dw.DeepwellError, match="one of 300,001 parameters needs"):
        dw.Study(data, space, store=tmp_path, program="native").run(trials=4, epochs=2)
    small = {**space, "hidden_units": [4, 5]}
    dw.Study(data, small, name="mine", store=tmp_path, program="native").run(trials=4, epochs=2)
    study = dw.resume("mine", data, store=tmp_path, trials=6, space=space)
    late = study.trials()[4:]
    statuses = {n: {t.status for t in late if t.spec.hidden_units == (n,)} for n in (4, 60_000)}
    assert statuses[60_000] == {Status.FAILED}
    assert Status.FAILED not in statuses[4]
    assert Status.FINISHED in statuses[4]
    note = "memory ran out in epoch 1 with 1 network at once: it alone does not fit, failed"
    failed = [t for t in late if t.status is Status.FAILED]
    assert study.result.memory_notes == (note,) * len(failed)
    assert {t.message for t in failed} == {"it alone does not fit in memory"}
