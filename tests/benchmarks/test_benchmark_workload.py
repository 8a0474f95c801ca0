"""Peers get the networks and the rows that `deepwell fit` itself draws and splits."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import b1, tables
from benchmarks.benchmark import Series
from benchmarks.limits import products
from benchmarks.measure import measure
from benchmarks.ours import fit
from benchmarks.ours.engine import train, useful_operations
from benchmarks.tools import ROOT
from benchmarks.workload import Workload, plain, write_job

from deepwell.data._batches import steps_per_epoch
from deepwell.execution._planner import Shape
from deepwell.networks._architecture import Architecture

sys.path.insert(0, str(ROOT / "benchmarks" / "peers"))


def test_the_command_trains_the_networks_that_peers_are_given(
    tiny: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepwell.cli._main import run
    from deepwell.study._finished import open_study

    monkeypatch.chdir(tmp_path)
    typed = fit.command(tiny, 6, "native")
    assert run(typed[1:]) == 0
    trained = [t.spec for t in open_study(fit.STUDY, tmp_path / fit.STORE).trials()]
    specs = tiny.specs(6)
    assert trained == [specs[n] for n in range(6)]
    assert (
        fit.outcome(tmp_path)["scores"] == train(specs, tiny.rows, tiny.shape, "native")["scores"]
    )


def test_the_first_networks_are_the_same_at_any_size(tiny: Workload) -> None:
    few, many = tiny.specs(4), tiny.specs(9)
    assert [few[n] for n in range(4)] == [many[n] for n in range(4)]


def test_repeated_networks_differ_in_seed_alone(tiny: Workload) -> None:
    first, again = tiny.specs(3), tiny.repeated(3, 2)
    assert [again[n] for n in range(3)] == [first[n] for n in range(3)]
    for n in range(3):
        assert again[3 + n].hyperparameters == first[n].hyperparameters
        assert again[3 + n].seed != first[n].seed
        assert again[3 + n].order_seed != first[n].order_seed


def test_a_peer_reads_the_job_that_was_written(tiny: Workload, tmp_path: Path) -> None:
    from job import read_job

    specs = list(tiny.specs(2).values())
    write_job(tmp_path / "job", tiny, specs, 5)
    job = read_job(tmp_path / "job")
    assert list(job.configurations) == [plain(s) for s in specs]
    assert (job.epochs, job.batch_size, job.outputs, job.loss) == (3, 64, 1, "logistic")
    assert (job.seed, job.classes) == (5, 2)
    assert job.x_train.dtype == np.float32
    assert job.y_dev.dtype == np.int64
    np.testing.assert_array_equal(job.x_dev, tiny.rows.x_dev)
    np.testing.assert_array_equal(job.y_train, tiny.rows.y_train)


def test_peers_errors_and_rates() -> None:
    from job import error_of_outputs, steady_rate

    assert error_of_outputs(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([1, 1])) == 0.5
    assert error_of_outputs(np.array([[-1.0], [2.0], [3.0]]), np.array([0, 1, 0])) == 1 / 3
    assert error_of_outputs(np.array([[np.nan], [2.0]]), np.array([0, 1])) == 1.0
    # Two workers: the first two networks carry the start-up of 10 s.
    assert steady_rate([10.0, 10.5, 11.0, 11.5, 12.0, 12.5], 2) == pytest.approx(2.0)
    # A stack of three that ends at once is one wave.
    assert steady_rate([5.0, 5.0, 5.0, 8.0, 8.0, 8.0], 2) == pytest.approx(1.0)
    assert steady_rate([5.0, 5.0], 2) is None
    assert steady_rate([], 2) is None


@pytest.mark.parametrize("tool", ["fit-native", "engine-native"])
def test_our_own_runners_measure_a_process(tiny: Workload, tmp_path: Path, tool: str) -> None:
    record = measure(tiny, Series(tiny.case.name, tool, 4, 1), 0, tmp_path)
    assert record["status"] == "ok", record["message"]
    assert record["scores"] == pytest.approx(
        train(tiny.specs(4), tiny.rows, tiny.shape, "native")["scores"], abs=1e-6
    )
    if tool == "fit-native":
        assert record["seconds"] > 0
        assert record["steady_rate"] is None
    else:
        assert record["seconds"] is None
        assert record["steady_rate"] == pytest.approx(4 / record["facts"]["seconds"])


def test_useful_operations_are_those_of_the_products() -> None:
    network = Architecture(5, (7, 4), 3)
    shape = Shape(train_rows=128, dev_rows=10, inputs=5, outputs=3, loss="softmax", score="error")
    a_step = sum(2 * m * k * n for m, k, n, _ in products(network.widths, 32))
    scoring = 2 * 10 * (5 * 7 + 7 * 4 + 4 * 3)
    steps = steps_per_epoch(128, 32)
    assert useful_operations([network], shape, epochs=3) == 3 * (steps * a_step + scoring)


def test_digits_space_is_the_one_of_the_rules(tmp_path: Path) -> None:
    from benchmarks.workload import prepare

    drawn = prepare(b1.DIGITS, tmp_path)
    specs = [plain(s) for s in drawn.specs(400).values()]
    for name, low, high in (
        ("learning_rate", 1e-4, 1.0),
        ("beta1", 0.9, 0.999),
        ("dropout", 0.0, 0.5),
        ("l2", 1e-6, 1e-1),
    ):
        values = [s[name] for s in specs]
        assert low <= min(values) < max(values) <= high
    assert {len(s["hidden"]) for s in specs} == {1, 2, 3}
    assert all(len(set(s["hidden"])) == 1 and 32 <= s["hidden"][0] <= 128 for s in specs)
    rows = drawn.rows
    assert (len(rows.x_train), len(rows.x_dev)) == (1079, 359)
    assert np.abs(rows.x_train.mean(0)).max() < 1e-5  # standardized on the train rows


def test_an_idx_file_is_read_and_another_refused() -> None:
    content = b"\0\0\x08\x02" + np.array([2, 3], ">u4").tobytes() + bytes(range(6))
    np.testing.assert_array_equal(tables.idx(content), [[0, 1, 2], [3, 4, 5]])
    for wrong in (b"", b"\0\0\x0d\x01" + bytes(8), b"\0\0\x08\x03\0"):
        with pytest.raises(ValueError, match="IDX"):
            tables.idx(wrong)


def test_missing_images_are_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "FASHION", tmp_path)
    with pytest.raises(tables.MissingDataError, match="apt-get install dataset-fashion-mnist"):
        tables.fashion(tmp_path)


def test_the_best_error_of_the_generated_table_is_that_of_the_rule(tmp_path: Path) -> None:
    import polars as pl

    frame = pl.read_parquet(tables.waves(tmp_path))
    x = frame.drop("label").to_numpy()
    error = np.mean((tables.log_odds(x) > 0) != frame["label"].to_numpy())
    best = tables.waves_best_error()
    assert abs(error - best) < 4 * np.sqrt(best * (1 - best) / len(x))


def test_a_job_is_plain_json(tiny: Workload, tmp_path: Path) -> None:
    write_job(tmp_path / "job", tiny, list(tiny.specs(1).values()), 0)
    job = json.loads((tmp_path / "job" / "job.json").read_text())
    assert job["configurations"][0]["dropout"] == 0.0
    assert job["inputs"] == 30
