"""The machine's matrix rate: measured once, remembered, and what a share of it means."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

from deepwell.execution import _gemm_rate
from deepwell.execution._gemm_rate import (
    device_gemm_rate,
    gemm_rate,
    gemm_share,
    host_gemm_rate,
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("DEEPWELL_CACHE", str(folder))
    return folder


@pytest.fixture
def measured(monkeypatch):
    """Rates that measurements return, in order; what was measured is appended to a list."""
    calls: list[str] = []

    def measure(*rates):
        left = list(rates)

        def one(kind):
            calls.append(kind)
            return left.pop(0)

        monkeypatch.setattr(_gemm_rate, "host_gemm_rate", lambda: one("host"))
        monkeypatch.setattr(_gemm_rate, "device_gemm_rate", lambda: one("device"))
        return calls

    return measure


def test_the_rate_is_operations_over_the_median_time_on_every_core(monkeypatch):
    seen: set[int] = set()

    def clock():  # 0, 1, 1, 3, 3, 6: products that take 1, 2 and 3 seconds
        times = own.__dict__.setdefault("times", iter((0, 1, 1, 3, 3, 6)))
        seen.add(threading.get_ident())
        return next(times)

    own = threading.local()
    monkeypatch.setattr(_gemm_rate, "_core_clock", lambda: clock)
    monkeypatch.setattr(_gemm_rate, "usable_cores", lambda: 3)
    assert host_gemm_rate(8, seconds=0.0) == 3 * 2 * 8**3 / 2
    assert len(seen) == 3  # one thread each


def test_a_measurement_is_a_plausible_rate_and_leaves_the_threads_as_they_were():
    from threadpoolctl import threadpool_info

    np.ones((4, 4)) @ np.ones((4, 4))
    before = [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()]
    assert 1e8 < host_gemm_rate(128, 0.01) < 1e15
    assert [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()] == before


def test_jax_is_measured_on_its_device():
    assert 1e7 < device_gemm_rate((64, 128), 0.02) < 1e15


def test_the_first_telling_size_counts(monkeypatch):
    """Products of 16 take 1 ms, of 32 8 ms, of 64 none: it stops at 32, whose fastest is 6 ms."""
    took = {16: [0.001], 32: [0.008, 0.006, 0.007]}
    asked: list[int] = []

    def product(n):
        asked.append(n)
        return lambda: n

    monkeypatch.setattr(_gemm_rate, "_timed", lambda run: took[run()].pop(0))
    ticks = iter((0.0, 0.1, 0.15, 0.3))
    monkeypatch.setattr(_gemm_rate.time, "perf_counter", lambda: next(ticks))
    rate = _gemm_rate._fastest(product, (16, 32, 64), 0.2)
    assert rate == 2 * 32**3 / 0.006
    assert asked == [16, 32]


def test_a_rate_is_measured_once_a_machine(cache, measured, monkeypatch):
    calls = measured(5e10, 6e10)
    assert [gemm_rate("native"), gemm_rate("native"), gemm_rate("jax")] == [5e10] * 3
    assert calls == ["host"]
    (name,) = json.loads((cache / "speed.json").read_text())
    assert f"NumPy {np.__version__}" in name
    monkeypatch.setattr(_gemm_rate, "usable_cores", lambda: 777)
    assert gemm_rate("native") == 6e10  # other cores, another machine


def test_jax_on_an_accelerator_is_measured_there(measured, monkeypatch):
    class Gpu:
        platform = "gpu"

    calls = measured(1e13, 5e10)
    monkeypatch.setattr(_gemm_rate, "start", Gpu)
    assert gemm_rate("jax") == gemm_rate("jax") == 1e13
    assert gemm_rate("native") == 5e10
    assert calls == ["device", "host"]


def test_without_a_cache_it_is_measured_each_time(cache, measured):
    cache.write_text("a file stands where the folder would be")
    calls = measured(5e10, 5e10)
    assert gemm_rate("native") == gemm_rate("native") == 5e10
    assert len(calls) == 2


def test_the_share_is_useful_operations_a_second_over_the_rate(measured):
    measured(5e10)
    assert gemm_share("native", 2e10, 2.0) == pytest.approx(2 * 2e10 / 2.0 / 5e10)


@pytest.mark.parametrize(("multiply_adds", "seconds"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_where_nothing_was_trained_there_is_no_share(measured, multiply_adds, seconds):
    assert gemm_share("native", multiply_adds, seconds) is None
    assert measured() == []


def test_a_rate_that_training_surpassed_is_measured_anew(measured):
    calls = measured(1e9, 4e10, 1e9)
    assert gemm_share("native", 1e10, 1.0) == 0.5
    assert gemm_share("native", 1e10, 1.0) == 0.5  # the new one is remembered
    assert len(calls) == 2
    assert gemm_share("native", 1e11, 1.0) is None  # no share above 1 is told
    assert len(calls) == 3


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED")])
def test_a_machine_that_is_full_has_no_share(monkeypatch, error):
    def full():
        raise error

    monkeypatch.setattr(_gemm_rate, "host_gemm_rate", full)
    assert gemm_share("native", 1e10, 1.0) is None


class Watched(threading.Barrier):
    """Knows whether it was given up; whoever would wait for ever waits for ten seconds."""

    aborted = False

    def __init__(self, parties):
        super().__init__(parties, timeout=10)

    def abort(self):
        self.aborted = True
        super().abort()


@pytest.fixture
def barriers(monkeypatch):
    """The barriers that measurements of three cores make."""
    made: list[Watched] = []

    def barrier(parties):
        made.append(Watched(parties))
        return made[-1]

    monkeypatch.setattr(_gemm_rate.threading, "Barrier", barrier)
    monkeypatch.setattr(_gemm_rate, "usable_cores", lambda: 3)
    return made


def test_where_a_thread_cannot_start_the_others_do_not_wait_for_it(barriers, monkeypatch):
    class Full(_gemm_rate.ThreadPoolExecutor):
        left = 2

        def submit(self, *args):
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("can't start new thread")
            return super().submit(*args)

    monkeypatch.setattr(_gemm_rate, "ThreadPoolExecutor", Full)
    assert gemm_share("native", 1e10, 1.0) is None
    assert [barrier.aborted for barrier in barriers] == [True]


def test_where_a_thread_has_no_memory_the_others_do_not_wait_for_it(barriers, monkeypatch):
    turns = iter(range(3))

    def factors(n):
        if next(turns) == 1:
            raise MemoryError
        return np.ones((n, n), np.float32), np.ones((n, n), np.float32)

    monkeypatch.setattr(_gemm_rate, "_factors", factors)
    assert gemm_share("native", 1e10, 1.0) is None
    assert [barrier.aborted for barrier in barriers] == [True]


def test_the_processor_has_a_name():
    assert _gemm_rate._cpu_model().strip()
