"""How often the intervals of `deepwell improve` hold: `python -m benchmarks.improve_coverage`.

Each case draws train and dev rows anew from a distribution that is known, runs the experiment on
them, and compares its intervals with what the same arms do to the error of 20,000 further rows, on
average over many more seeds. Told are: in how many cases all intervals of the experiment hold at
once (they are stated at 95 %), in how many the fair gain of the arm that looks best holds, and how
often an arm is said to help that does not.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from dataclasses import dataclass, replace

import numpy as np

import deepwell as dw
from deepwell._base._hyperparameters import complete
from deepwell.data._rows import Rows
from deepwell.diagnosis._arm_effects import ArmEffect
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._remedies import Patient, treatments
from deepwell.diagnosis._winner import crossfitted_gain, winner
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.records import TrialSpec
from deepwell.study._experiment import Experiment, Race, Told
from deepwell.study._experiment_rows import ExperimentRows, View, experiment_rows

_POOL, _TRUTH = 20_000, 24  # further rows, and replicates that tell what is true
_NAMES = ("bigger", "longer", "higher-rate", "lower-rate", "more-dropout", "more-l2")
_NAMES += ("smaller", "shallower", "batch-norm", "other-activation", "more-mixup", "other-start")


@dataclass(frozen=True)
class Kind:
    """A kind of data: its rows, and how much of the labels is noise."""

    train: int
    dev: int
    flips: float
    units: int


def _rows(kind: Kind, count: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x = draw.normal(size=(count, 6))
    y = (x[:, 0] * x[:, 1] + 0.7 * x[:, 2] > 0).astype(int)
    flipped = draw.random(count) < kind.flips
    return x, np.where(flipped, 1 - y, y)


def case(kind: Kind, number: int) -> tuple[bool, bool, bool, bool]:
    """Return whether all intervals hold, the gain's does, an arm is said to help, and wrongly."""
    draw = np.random.default_rng([number, kind.train])
    x, y = _rows(kind, kind.train + kind.dev, draw)
    names = [f"x{i}" for i in range(x.shape[1])]
    table = {**{n: x[:, i] for i, n in enumerate(names)}, "y": [f"c{v}" for v in y]}
    part = ["train"] * kind.train + ["dev"] * kind.dev
    with tempfile.TemporaryDirectory() as folder:
        data = dw.load(
            {**table, "part": part}, target="y", split_column="part", test=0, vault=folder
        )
    metric = METRICS["error"]
    rows = experiment_rows(data, None, metric, number, None)
    pool_x, pool_y = _rows(kind, _POOL, draw)
    frame = {n: pool_x[:, i] for i, n in enumerate(names)}
    pool = Rows(_encoded(data, frame), pool_y.astype(np.int32), np.ones(_POOL, np.float32))
    values = {"hidden_units": [kind.units], "epochs": 20, "patience": 0, "batch_size": 64}
    base = TrialSpec(complete({**values, "learning_rate": 0.01}), 0)
    arms = tuple(treatments(Patient(base.hyperparameters), _NAMES))
    found, ended = _race(Experiment(base, arms, rows, 8, 1, number))
    told = [effect for effect in found if effect is not None]
    far = _on_pool(rows, pool)
    truth, _ = _race(Experiment(base, arms, far, _TRUTH, 2, number, first_rung=_TRUTH))
    true = [effect.effect.value for effect in truth if effect is not None]
    holds = all(e.effect.low <= t <= e.effect.high for e, t in zip(told, true, strict=True))
    place = winner([told[p] for p in ended])
    wrong = place is not None and true[ended[place]] >= 0
    gain = crossfitted_gain([told[p] for p in ended])
    assert gain is not None
    picks = [min(ended, key=lambda p, b=b: told[p].blocks[b].value) for b in (0, 1)]
    fair = -float(np.mean([true[p] for p in picks]))
    return holds, gain.low <= fair <= gain.high, place is not None, wrong


def _encoded(data: dw.Data, frame: dict[str, np.ndarray]) -> np.ndarray:
    import polars as pl

    return data.table_encoder.transform(pl.DataFrame(frame))


def _on_pool(rows: ExperimentRows, pool: Rows) -> ExperimentRows:
    sides = tuple(tuple(View(view.data, pool) for view in side) for side in rows.sides)
    return replace(rows, sides=sides)


def _race(experiment: Experiment) -> tuple[list[ArmEffect | None], list[int]]:
    """Return the effects, and the places of the arms that went to the end."""
    rows = experiment.rows
    engine = LocalEngine(rows.training_rows(), rows.shape(), choose_backend("native"))
    with contextlib.closing(engine):
        told = Told(lambda _: None, lambda: False, lambda: 0.0)
        race = Race(experiment, engine, told)
        effects = race.run()
    return effects, [p for p, t in enumerate(race.tallies[1:]) if not t.stopped_at]


def main(cases: int) -> None:
    """Print the figures of each kind of data."""
    kinds = (
        Kind(400, 200, 0.05, 16),
        Kind(400, 1000, 0.05, 3),
        Kind(300, 400, 0.2, 32),
    )
    for kind in kinds:
        found = np.array([case(kind, number) for number in range(cases)])
        holds, gain, helps, wrong = found.mean(axis=0)
        print(
            f"{kind}: all hold {holds:.3f}, gain holds {gain:.3f}, an arm is said to help "
            f"{helps:.3f}, wrongly {wrong:.3f} ({cases} cases)",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
