"""Medians, ratios, shares and the order of measurements, on results made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.benchmark import Benchmark, Series, Target
from benchmarks.figures import ratio, row, rows, useful_share
from benchmarks.scales import quick, reduced
from benchmarks.schedule import cell_key, order

SERIES = (
    Series("digits", "fit-native", 64, 3),
    Series("digits", "optuna", 64, 2),
    Series("digits", "optuna", 4096, 1, last=True),
)
TARGET = Target("Optuna", "digits", "fit-native", "optuna", 64, "cold", 8)


def _cell(seconds: float | None, steady: float | None = None, **more: Any) -> dict[str, Any]:
    told = {"status": "ok", "message": "", "peak_bytes": 100, "facts": {}}
    return {**told, "seconds": seconds, "steady_rate": steady, **more}


@pytest.fixture
def results() -> dict[str, Any]:
    facts = {"useful_operations": 6e9, "seconds": 2.0, "cores": 2}
    return {
        "gates": {"digits/fit-native": {"passes": True}, "digits/optuna": {"passes": True}},
        "limits": {"digits": {"square": 3e9, "at_shapes": 2e9}},
        "cells": {
            "digits/fit-native/64/0": _cell(2.0),
            "digits/optuna/64/0": _cell(32.0, 4.0),
            "digits/fit-native/64/1": _cell(1.0, peak_bytes=300),
            "digits/optuna/64/1": _cell(16.0, 8.0),
            "digits/fit-native/64/2": _cell(4.0),
            "digits/ray/64/0": {**_cell(None), "status": "crashed", "message": "a\nno actors\n"},
            "digits/engine-native/64/0": _cell(None, 32.0, facts=facts),
        },
    }


def test_rows_hold_median_and_ends_of_all_repeats(results: dict[str, Any]) -> None:
    ours = row(results, "digits", "fit-native", 64)
    assert ours is not None
    assert ours.cold is not None
    assert (ours.cold.median, ours.cold.low, ours.cold.high, ours.cold.count) == (32, 16, 64, 3)
    assert ours.peak_bytes == 300
    assert ours.steady is None
    assert [r.tool for r in rows(results)] == ["fit-native", "optuna", "ray", "engine-native"]


def test_a_crash_is_told_by_its_last_line(results: dict[str, Any]) -> None:
    ray = row(results, "digits", "ray", 64)
    assert ray is not None
    assert ray.failures == ("crashed: no actors",)
    assert ray.cold is None


def test_a_ratio_divides_the_medians(results: dict[str, Any]) -> None:
    value, why = ratio(results, TARGET)
    assert (value, why) == (pytest.approx(32 / 3), "")


def test_no_ratio_without_a_passed_gate(results: dict[str, Any]) -> None:
    results["gates"]["digits/optuna"] = {"passes": False}
    assert ratio(results, TARGET) == (None, "optuna fails the agreement gate")
    del results["gates"]["digits/optuna"]
    assert ratio(results, TARGET) == (None, "optuna has no figure")


def test_the_useful_share_counts_every_core(results: dict[str, Any]) -> None:
    share = useful_share(results, "digits", "engine-native", 64, "at_shapes")
    assert share == pytest.approx(6e9 / 2.0 / (2 * 2e9))
    assert useful_share(results, "digits", "engine-native", 65, "square") is None


def _benchmark() -> Benchmark:
    return Benchmark("b1", "B1", (), SERIES, (TARGET,), ("programs",), 40)


def test_repeats_are_interleaved_and_long_ones_come_last() -> None:
    keys = [cell_key(series, repeat) for series, repeat in order(_benchmark())]
    assert keys == [
        "digits/fit-native/64/0",
        "digits/optuna/64/0",
        "digits/fit-native/64/1",
        "digits/optuna/64/1",
        "digits/fit-native/64/2",
        "digits/optuna/4096/0",
    ]


def test_smaller_scales_keep_what_can_still_be_compared() -> None:
    small = reduced(_benchmark())
    assert [(s.networks, s.repeats) for s in small.series] == [(64, 2), (64, 2)]
    assert small.targets == (TARGET,)
    tiny = quick(_benchmark())
    assert [(s.tool, s.networks, s.repeats) for s in tiny.series] == [
        ("fit-native", 8, 1),
        ("optuna", 8, 1),
    ]
