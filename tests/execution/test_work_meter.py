"""What an engine has trained is counted by hand here."""

from __future__ import annotations

import numpy as np
import pytest

from deepwell.execution import _work_meter
from deepwell.execution._planner import Shape
from deepwell.execution._work_meter import WorkMeter
from deepwell.networks._architecture import Architecture
from deepwell.records import ChunkRecord

SHAPE = Shape(70, 40, 5, 3, "softmax", "error")
DEEP, FLAT = Architecture(5, (7, 2), 3), Architecture(5, (), 3)
# Forward 5*7 + 7*2 + 2*3 = 55 a row; backward to weights as much, and to inputs but the first.
DEEP_EPOCH = 70 * (55 + 55 + 7 * 2 + 2 * 3) + 40 * 55
FLAT_EPOCH = 70 * (15 + 15) + 40 * 15


def record(numbers, scores):
    metrics = {"dev_score": np.array(scores, np.float32)}
    return ChunkRecord(1, np.array(numbers), metrics, {}, np.ones(len(numbers), np.int64))


def test_epochs_are_counted_at_true_widths(monkeypatch):
    ticks = iter((10.0, 12.5, 20.0, 21.0))
    monkeypatch.setattr(_work_meter.time, "perf_counter", lambda: next(ticks))
    meter = WorkMeter(SHAPE)
    networks = {3: DEEP, 4: FLAT}
    records = [record([3, 4], [0.5, 0.1]), record([4], [0.2])]
    assert list(meter.watch(records, networks)) == records
    assert meter.multiply_adds == DEEP_EPOCH + 2 * FLAT_EPOCH
    assert meter.seconds == 2.5
    list(meter.watch([record([3], [0.1])], networks))
    assert meter.multiply_adds == 2 * DEEP_EPOCH + 2 * FLAT_EPOCH
    assert meter.seconds == 3.5


def test_who_diverged_trained_no_whole_epoch():
    meter = WorkMeter(SHAPE)
    list(meter.watch([record([3, 4], [np.nan, 0.1])], {3: DEEP, 4: FLAT}))
    assert meter.multiply_adds == FLAT_EPOCH


def test_time_is_counted_when_the_work_ends_early(monkeypatch):
    ticks = iter((1.0, 4.0, 10.0, 10.5))
    monkeypatch.setattr(_work_meter.time, "perf_counter", lambda: next(ticks))
    meter = WorkMeter(SHAPE)
    running = meter.watch([record([3], [0.5]), record([3], [0.4])], {3: DEEP})
    next(iter(running))
    running.close()
    assert (meter.multiply_adds, meter.seconds) == (DEEP_EPOCH, 3.0)

    def failing():
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        list(meter.watch(failing(), {}))
    assert meter.seconds == 3.5


def test_the_engine_counts_what_it_trains(prepared):
    meter = prepared.engine.meter
    before, seconds = meter.multiply_adds, meter.seconds
    prepared.train([20, 23], 2)
    # 5 -> 5 -> 3 and 5 -> 6 -> 3, two epochs each, by hand.
    right = sum(2 * (70 * (2 * (5 * h + h * 3) + h * 3) + 40 * (5 * h + h * 3)) for h in (5, 6))
    assert meter.multiply_adds - before == right
    assert meter.seconds > seconds
