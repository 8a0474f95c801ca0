"""`deepwell fit` as a user types it: the command, and the scores read from its store."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ours.engine import WORST
from benchmarks.workload import Workload
from deepwell.study._finished import open_study

STUDY, STORE = "bench", "store"


def command(workload: Workload, networks: int, program: str) -> list[str]:
    """Return the command that trains a case's networks to the end, in the current folder."""
    case = workload.case
    spaces = [part for entry in case.space for part in ("--space", entry)]
    options = [part for name, value in case.options.items() for part in (f"--{name}", value)]
    return [
        str(Path(sys.executable).parent / "deepwell"), "fit", str(workload.file),
        "--target", case.target, *options,
        "--scheduler", "none", "--trials", str(networks), "--epochs", str(case.epochs),
        "--batch-size", str(case.batch_size), "--patience", "0", *spaces,
        "--program", program, "--name", STUDY, "--store", STORE,
    ]  # fmt: skip


def outcome(folder: Path) -> dict[str, Any]:
    """Return the dev error of each network after its last epoch, and what the plan says."""
    study = open_study(STUDY, folder / STORE)
    scores = []
    for trial in study.trials(curves=True):
        curve = np.asarray(trial.curves["dev_score"]) if trial.curves else np.array([math.inf])
        ended = math.isfinite(curve[-1]) and trial.epochs >= trial.spec.whole("epochs")
        scores.append(float(curve[-1]) if ended else WORST)
    told = study.result
    facts = {"programs": told.programs, "compile_seconds": told.compile_seconds}
    return {"scores": scores, "facts": facts}
