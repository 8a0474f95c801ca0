"""Every tool that is measured: how it is started on a job folder, and where its outcome lies."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .ours import fit
from .workload import Workload

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "build" / "peers" / "venv" / "bin" / "python"
_SCRIPTS = ROOT / "benchmarks" / "peers"

Command = Callable[[Workload, Path, int], list[str]]


@dataclass(frozen=True)
class Tool:
    """One way to train a job's networks.

    Attributes:
        name: in series and results; title: in the docs.
        command: workload, job folder, networks -> what is run there.
        outcome: job folder -> `scores`, perhaps `steady_rate`, `versions` and `facts`.
        ours: whether it is Deepwell.
        counts_start: whether the wall time of its process is a figure (not for engines alone).
        keeps_cache: whether it finds the caches of an earlier run.
    """

    name: str
    title: str
    command: Command
    outcome: Callable[[Path], dict[str, Any]]
    ours: bool = False
    counts_start: bool = True
    keeps_cache: bool = False


def read_outcome(folder: Path) -> dict[str, Any]:
    """Return what a tool wrote."""
    return json.loads((folder / "outcome.json").read_text(encoding="utf-8"))


def module_command(module: str, folder: Path, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules on a job folder."""
    return [sys.executable, "-m", module, str(folder), *arguments]


def _peer(script: str, workload: Workload, folder: Path, networks: int) -> list[str]:
    del workload, networks
    return [str(PEERS), str(_SCRIPTS / script), str(folder)]


def _fit(program: str, workload: Workload, folder: Path, networks: int) -> list[str]:
    del folder
    return fit.command(workload, networks, program)


def _engine(program: str, workload: Workload, folder: Path, networks: int) -> list[str]:
    del workload, networks
    return module_command("benchmarks.ours.engine", folder, program)


def _fits(program: str, title: str) -> tuple[Tool, Tool, Tool]:
    typed = functools.partial(_fit, program)
    engine = functools.partial(_engine, program)
    fit_title = f"`deepwell fit`, {title}"
    return (
        Tool(f"fit-{program}", fit_title, typed, fit.outcome, ours=True),
        Tool(
            f"fit-{program}-warm",
            f"{fit_title}, kept caches",
            typed,
            fit.outcome,
            ours=True,
            keeps_cache=True,
        ),
        Tool(
            f"engine-{program}",
            f"Deepwell's engine, {title}",
            engine,
            read_outcome,
            ours=True,
            counts_start=False,
        ),
    )


def _script(name: str, title: str, script: str, counts_start: bool = True) -> Tool:
    command = functools.partial(_peer, script)
    return Tool(name, title, command, read_outcome, counts_start=counts_start)


_ALL = (
    *_fits("native", "native program"),
    *_fits("jax", "JAX program"),
    _script("optuna", "Optuna + PyTorch", "optuna_torch.py"),
    _script("sklearn", "scikit-learn", "sklearn_search.py"),
    _script("ray", "Ray Tune + PyTorch", "ray_torch.py"),
    _script("keras-tuner", "KerasTuner (Keras on JAX)", "keras_tuner_jax.py"),
    _script("torch-vmap", "`torch.func` vmap", "torch_vmap.py"),
    _script("jax-single", "plain JAX, one by one", "jax_single.py", counts_start=False),
)
TOOLS = {tool.name: tool for tool in _ALL}
