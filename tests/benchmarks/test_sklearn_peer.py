"""B4's peer of scikit-learn: what it tells of its networks is their error on the dev rows."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks.process import run
from benchmarks.time_to_target.job import write_search
from benchmarks.time_to_target.trace import read_trace
from benchmarks.tools import ROOT
from benchmarks.workload import Workload

PEERS = ROOT / "benchmarks" / "peers"


@pytest.fixture
def job(tiny: Workload, tmp_path: Path) -> Path:
    """A search for a hundredth of a second, which is one round of candidates."""
    case, folder = replace(tiny.case, epochs=4), tmp_path / "job"
    write_search(folder, replace(tiny, case=case), case, [], 0, 0.01)
    file = folder / "job.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "workers": 1}))
    return folder


def test_a_network_of_the_last_rung_is_told_once(job: Path) -> None:
    ran = run([sys.executable, str(PEERS / "sklearn_halving.py"), str(job)], job, 300.0, {})
    assert ran.status == "ok", ran.tail
    assert len(read_trace(job).ended) == 23  # 90 for an epoch, 45 for two, 23 for all four


def test_of_a_network_only_the_error_on_the_dev_rows_is_told(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONWARNINGS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # which the script sets, and which are to be as before
    monkeypatch.syspath_prepend(str(PEERS))
    from sklearn_halving import scored
    from target_job import read_work

    work = read_work(job)
    rows, told = work.job, {"coefs_": [np.ones(1)], "predict": lambda x: np.zeros(len(x), int)}
    ended, begun = (SimpleNamespace(**told, max_iter=epochs) for epochs in (4, 2))
    for network, x, y in ((ended, rows.x_train, rows.y_train), (begun, rows.x_dev, rows.y_dev)):
        assert scored(network, x, y, work) == pytest.approx(np.mean(y == 0))
    assert read_trace(job).ended == ()
    scored(ended, rows.x_dev, rows.y_dev, work)
    assert [one.error for one in read_trace(job).ended] == [np.mean(rows.y_dev != 0)]
