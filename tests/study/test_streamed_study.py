"""A study of streamed rows that ends early goes on where it stood."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell._native._core_module import available
from deepwell.data import _load
from deepwell.data._streamed_table import streamed_table
from deepwell.storage import open_store
from deepwell.study import _checkpoint

SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "hidden_units": dw.integer(3, 9),
    "hidden_layers": 1,
    "batch_size": 16,
}
PROGRAMS = [
    pytest.param(
        "native", marks=pytest.mark.skipif(not available(), reason="no compiled core here")
    ),
    "jax",
]


class Stops(dw.Observer):
    """Stops the run as Ctrl-C does, at the n-th progress."""

    def __init__(self, after):
        self.left = after

    def on_progress(self, progress):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.fixture
def parquet(tmp_path, monkeypatch):
    """Stream a small table that would fit in memory."""

    def every(source, budget, strict):
        return streamed_table(source, 0, strict=False)

    monkeypatch.setattr(_load, "streamed_table", every)
    monkeypatch.setattr(_checkpoint, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(_checkpoint, "SHARE", float("inf"))
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 3))
    path = tmp_path / "table.parquet"
    columns = {f"c{i}": x[:, i] for i in range(3)} | {"y": np.where(x[:, 0] > 0, "yes", "no")}
    pl.DataFrame(columns).write_parquet(path, row_group_size=90)
    return path


def study(path, store, program, observer=None):
    data = dw.load(path, target="y", memory="32MB", vault=store / "first")
    assert data.memory == 32_000_000
    assert isinstance(data.train.x, np.memmap)
    return dw.Study(data, SPACE, name="mine", store=store, program=program, observer=observer)


def left(store: Path):
    """Return what a study left, to the bit, times apart."""
    with open_store(store, create=False) as opened:
        record = opened.study("mine")
        trials = opened.trials(record.id, curves=True)
        memory = record.config["memory"], record.config["origin"]["options"]["memory"]
    curves = [[c.tobytes() for _, c in sorted(t.curves.items())] for t in trials]
    model = (store / "mine" / "model" / "model.safetensors").read_bytes()
    result = dw.open_study("mine", store).result
    return record.status, curves, model, result.train, result.dev, result.best_trial, memory


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("after", [3, 9])
def test_a_streamed_study_that_was_stopped_ends_where_an_unbroken_one_ends(
    program, after, parquet, tmp_path
):
    study(parquet, tmp_path / "whole", program).run(trials=6, epochs=12)
    broken = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        study(parquet, broken, program, Stops(after)).run(trials=6, epochs=12)
    dw.resume("mine", store=broken)
    whole = left(tmp_path / "whole")
    assert whole[0] == "finished"
    assert whole[-1] == (32_000_000, 32_000_000)
    assert left(broken) == whole
