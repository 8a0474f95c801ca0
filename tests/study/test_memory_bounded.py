"""E6: what real processes hold at most, read from the system, is bounded by the budget."""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import polars as pl
import pytest

from deepwell._native._core_module import available

needs_core = pytest.mark.skipif(not available(), reason="no compiled core here")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc"),
]
ROWS, COLUMNS = 120_000, 200  # 192 MB as float64, 96 MB encoded
BUDGET = 48_000_000
# A fit of a tiny table holds the interpreter and its libraries; what is beyond it is the budget's.
# Besides, the system counts memory in pages and pools whose size varies from run to run.
SLACK = 8_000_000
# What a study knows of a network beside its states: 6 to 10 kB were measured.
RECORD_BYTES = 8_000

CHILD = """
import hashlib, json, sys
from pathlib import Path

import numpy as np

import deepwell as dw
from deepwell.storage import open_store

if __name__ == "__main__":
    source, memory, program, held_out, trials, epochs, store = sys.argv[1:]
    store = Path(store)
    if source.endswith(".npy"):
        y = source.replace("x.npy", "y.npy")
        source = tuple(np.load(file, mmap_mode="r") for file in (source, y))
        given = {}
    else:
        given = {"target": "y"}
    data = dw.load(source, **given, memory=memory, dev=int(held_out), test=int(held_out),
                   vault=store / "first")
    streamed = isinstance(data.train.x, np.memmap)
    space = {"hidden_units": 16, "hidden_layers": 1, "batch_size": 256, "optimizer": "sgd"}
    space |= {"learning_rate": dw.log(1e-3, 1e-1), "activation": "relu"}
    study = dw.Study(data, space, name="s", store=store, program=program)
    result = study.run(trials=int(trials), epochs=int(epochs))
    with open_store(store, create=False) as opened:
        read = opened.trials(opened.study("s").id, curves=True)
    curves = b"".join(c.tobytes() for t in read for _, c in sorted(t.curves.items()))
    model = (store / "s" / "model" / "model.safetensors").read_bytes()
    digests = [hashlib.sha256(content).hexdigest() for content in (curves, model)]
    print(json.dumps({"same": [*digests, result.best_trial, result.dev.value],
                      "streamed": streamed, "peak": result.peak_memory_bytes}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bounded")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, COLUMNS)).round(6)
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(np.int64)
    names = [f"c{i}" for i in range(COLUMNS)]
    for name, rows, group in (("many", ROWS, 20_000), ("one", ROWS, ROWS), ("tiny", 400, 400)):
        columns = {n: x[:rows, i] for i, n in enumerate(names)} | {"y": y[:rows]}
        frame = pl.DataFrame(columns)
        frame.write_parquet(folder / f"{name}.parquet", row_group_size=group)
        if name == "one":
            frame.write_csv(folder / "text.csv")
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    return folder


def fit(folder, source, memory, program, held_out=2_000, trials=2, epochs=1):
    """Return what a process of its own tells; it compiles all that it needs by itself."""
    store = tempfile.mkdtemp(dir=folder)
    arguments = (folder / source, f"{memory}B", program, held_out, trials, epochs, store)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env={**os.environ, "DEEPWELL_CACHE": f"{store}/cache"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("program", [pytest.param("native", marks=needs_core), "jax"])
@pytest.mark.parametrize("source", ["many.parquet", "one.parquet", "x.npy", "text.csv"])
def test_a_table_four_times_the_budget_is_trained_on_within_it(source, program, folder):
    """One row group or many, arrays, text: to the bit as without a budget, which takes more."""
    libraries = fit(folder, "tiny.parquet", BUDGET, program, held_out=50)["peak"]
    bounded = fit(folder, source, BUDGET, program)
    free = fit(folder, source, 8 * 10**9, program)
    assert bounded["streamed"]
    assert not free["streamed"]
    assert bounded["same"] == free["same"]
    room = libraries + BUDGET + SLACK
    assert bounded["peak"] <= room < free["peak"], (libraries, bounded["peak"], free["peak"])


@needs_core
@pytest.mark.parametrize("many", [1024, 4096])
def test_memory_stays_flat_beyond_the_networks_in_flight(many, folder):
    """The states, 26 kB each, wait in a file where the budget is small."""
    few, lots = (
        fit(folder, "tiny.parquet", 32_000_000, "native", held_out=50, trials=trials, epochs=3)
        for trials in (256, many)
    )
    grown = lots["peak"] - few["peak"]
    assert grown <= SLACK + (many - 256) * RECORD_BYTES, grown
