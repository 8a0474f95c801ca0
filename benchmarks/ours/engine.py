"""The engine alone, without start-up: `python -m benchmarks.ours.engine FOLDER PROGRAM`.

All networks are trained twice. The first pass, of one epoch, compiles and loads whatever there is
to be compiled and loaded; then all states are dropped, and the clock runs over the second pass,
from drawing the initial weights to the last score.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import architecture_of
from deepwell.execution._planner import Shape
from deepwell.networks._architecture import Architecture
from deepwell.records import Status, TrialSpec
from deepwell.training._program import TrainingRows

WORST = 1.0  # the error of a network that diverged


def useful_operations(networks: Sequence[Architecture], shape: Shape, epochs: int) -> float:
    """Return the operations that training and scoring need: two a multiply-add.

    Forward and backward products of every train row, and forward products of every dev row after
    each epoch; activations, masks, penalties and updates are left out.
    """
    total = 0.0
    for network in networks:
        forward = shape.dev_rows * network.forward_multiply_adds()
        rows = shape.train_rows * network.multiply_adds() + forward
        total += 2.0 * epochs * rows
    return total


def train(
    specs: Mapping[int, TrialSpec], rows: TrainingRows, shape: Shape, program: str
) -> dict[str, Any]:
    """Return scores, rate and facts of training these networks without start-up."""
    epochs = max(spec.whole("epochs") for spec in specs.values())
    engine = LocalEngine(rows, shape, choose_backend(program))
    try:
        planned = engine.plan(specs, epochs)
        engine.prepare(specs, planned)
        for _ in engine.train(list(specs), 1, _never):
            pass
        compiled = engine.compile_seconds
        engine.forget(())
        last = dict.fromkeys(specs, WORST)
        core_began, began = time.process_time(), time.perf_counter()
        for chunk in engine.train(list(specs), epochs, _never):
            scores = chunk.metrics["dev_score"]
            finite = np.where(np.isfinite(scores), scores, WORST)
            over = {n for n, status in chunk.statuses.items() if status is Status.DIVERGED}
            for number, score in zip(chunk.trials.tolist(), finite.tolist(), strict=True):
                last[number] = WORST if number in over else score
        seconds = time.perf_counter() - began
        core_seconds = time.process_time() - core_began
    finally:
        engine.close()
    networks = [
        architecture_of(s, shape.inputs, shape.outputs, shape.loss, shape.image)
        for s in specs.values()
    ]
    return {
        "scores": [last[n] for n in specs],
        "steady_rate": len(specs) / seconds,
        "facts": {
            "seconds": seconds,
            "core_seconds": core_seconds,
            "cores": engine.cores,
            "programs": engine.programs(),
            "compile_seconds": compiled,
            "executed_over_useful": planned.executed / planned.useful,
            "useful_operations": useful_operations(networks, shape, epochs),
            **(_device() if program == "jax" else {}),
        },
    }


def _device() -> dict[str, Any]:
    """Return what JAX trained on, and the most memory that it took where the device tells."""
    import jax

    device = jax.devices()[0]
    told = device.memory_stats() or {}
    return {
        "device": device.device_kind,
        "device_peak_bytes": told.get("peak_bytes_in_use"),
        "device_bytes": told.get("bytes_limit"),
    }


def _never() -> bool:
    return False


def main() -> None:
    """Train the job in a folder and write `outcome.json` there."""
    folder, program = Path(sys.argv[1]), sys.argv[2]
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    with np.load(folder / "data.npz", allow_pickle=False) as a:
        ones = np.ones(len(a["x_train"])), np.ones(len(a["x_dev"]))
        rows = TrainingRows(a["x_train"], a["y_train"], ones[0], a["x_dev"], a["y_dev"], ones[1])
    shape = Shape(
        train_rows=len(rows.x_train),
        dev_rows=len(rows.x_dev),
        inputs=job["inputs"],
        outputs=job["outputs"],
        loss=job["loss"],
        score="error",
        image=tuple(job.get("image", ())),
    )
    specs = dict(enumerate(TrialSpec.from_json(text) for text in job["specs"]))
    outcome = train(specs, rows, shape, program)
    (folder / "outcome.json").write_text(json.dumps(outcome), encoding="utf-8")


if __name__ == "__main__":
    main()
