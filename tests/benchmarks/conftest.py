"""The benchmarks' own code, and one tiny workload for its tests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from benchmarks import b3, workload


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> workload.Workload:
    """Breast cancer with three epochs: a hundred milliseconds of training."""
    folder: Path = tmp_path_factory.mktemp("bench")
    return workload.prepare(dataclasses.replace(b3.B3.cases[0], epochs=3), folder)
