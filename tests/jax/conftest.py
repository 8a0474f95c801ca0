"""Processes that start JAX in their own way, run side by side once for all tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EARLY = """
import json, os
from deepwell._jax._start import start
runtime = start()
"""
LATE = """
import json, os, jax
jax.devices()
from deepwell._jax._start import start
runtime = start()
"""
TELL = """
from deepwell._jax._numerics import check_numerics, measure
import jax
error = measure()
try:
    checked, refused = check_numerics(), ""
except Exception as caught:
    checked, refused = None, f"{type(caught).__name__}: {caught}"
print(json.dumps({
    "too_late": runtime.too_late, "joined": runtime.joined, "devices": runtime.devices,
    "cache": runtime.cache, "flags": os.environ.get("XLA_FLAGS", ""), "error": error,
    "checked": checked, "refused": refused, "cores": len(os.sched_getaffinity(0)),
    "same": start() is runtime,
}))
"""


def _environment(**changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("XLA_FLAGS", "JAX_NUM_CPU_DEVICES")}
    return {**kept, **changes}


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("caches")
    (folder / "file").write_text("not a folder")
    return {"shared": folder / "shared", "unusable": folder / "file" / "below"}


@pytest.fixture(scope="session")
def passed_before(caches: dict[str, Path]) -> Path:
    """Return a cache folder in which this machine's numerics check has passed, guard on."""
    from deepwell._jax._numerics import check_numerics

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPWELL_CACHE", str(caches["shared"]))
        assert check_numerics.__wrapped__() > 0.0  # measured, not remembered
        assert check_numerics.__wrapped__() == 0.0  # remembered
    return caches["shared"]


@pytest.fixture(scope="session")
def processes(caches: dict[str, Path], passed_before: Path) -> dict[str, dict[str, Any]]:
    """Return what each process said about its start."""
    user_flag = "--xla_cpu_enable_fast_math=false"
    started = {
        "early": (EARLY, _environment(DEEPWELL_CACHE=str(passed_before), XLA_FLAGS=user_flag)),
        "late": (LATE, _environment(DEEPWELL_CACHE=str(passed_before))),
        "no cache": (EARLY, _environment(DEEPWELL_CACHE=str(caches["unusable"]))),
    }
    running = {
        name: subprocess.Popen(
            [sys.executable, "-c", begin + TELL],
            env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for name, (begin, env) in started.items()
    }  # fmt: skip
    said: dict[str, dict[str, Any]] = {}
    for name, process in running.items():
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, f"{name}: {err}"
        said[name] = json.loads(out.splitlines()[-1])
    return said
