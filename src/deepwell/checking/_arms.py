"""Arms of a small experiment: the same network with a change, several seeds, side by side.

Arms share rows, batches and, seed by seed, every draw that the change leaves alone: initial
weights, dropout masks. What differs between two arms of one seed is then the change's doing
(common random numbers), and a handful of seeds tells what hundreds of unpaired runs would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepwell.data._batches import epoch_order, steps_per_epoch
from deepwell.training._changing import changing
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import (
    Chunk,
    Info,
    Member,
    Outcome,
    State,
    Structure,
    TrainingRows,
)
from deepwell.training._state import at_best

from ._probes import Inside, Where, look_inside

_NOT_DONE = 2**31 - 1
_SMOOTH = 3  # epochs
_STEP, _UPDATE = 300_000, 10  # multiply-adds that a step takes, and one for each parameter


@dataclass(frozen=True)
class Arm:
    """How one network trained.

    Attributes:
        member: the network.
        train_cost, dev_cost, dev_score: (T,), an epoch an entry; NaN from where it diverged.
        state: where it ended, its best weights included.
    """

    member: Member
    train_cost: np.ndarray
    dev_cost: np.ndarray
    dev_score: np.ndarray
    state: State

    @property
    def best(self) -> State:
        """A state that stands at the best weights."""
        return at_best(self.state)

    @property
    def score(self) -> float:
        """The lowest dev score, mean of 3 epochs; infinity when none was finite.

        The lowest of single epochs would favor whoever fluctuates most.
        """
        return _lowest(self.dev_score)

    @property
    def cost(self) -> float:
        """The lowest dev cost, mean of 3 epochs; infinity when none was finite."""
        return _lowest(self.dev_cost)


def _lowest(curve: np.ndarray) -> float:
    width = min(_SMOOTH, len(curve))
    means = np.convolve(curve, np.full(width, 1 / width), mode="valid")
    finite = means[np.isfinite(means)]
    return float(finite.min()) if len(finite) else float("inf")


class Bench:
    """Where arms train: rows of one data set, on all cores, by the native program.

    Args:
        rows: train and dev rows; never a test row.
        loss: `softmax`, `logistic` or `squared`.
        outputs: raw outputs of a row.
        score: the metric that networks are compared by, lower is better.
        batch: rows of a batch.
        order_seed: of the mini-batch order.

    Raises:
        UsageError: when this build has no compiled core.
    """

    def __init__(
        self, rows: TrainingRows, loss: str, outputs: int, score: str, batch: int, order_seed: int
    ) -> None:
        self._rows = rows
        self._order_seed = order_seed
        self._batch = min(batch, len(rows.y_train))
        self._structure = Structure(
            inputs=rows.x_train.shape[1],
            hidden=(),
            outputs=outputs,
            loss=loss,
            activation="",
            optimizer="",
            batch=self._batch,
            drops=True,
            train_rows=len(rows.y_train) + 1,
            dev_rows=len(rows.y_dev) + 1,
            steps=steps_per_epoch(len(rows.y_train), self._batch),
            score=score,
        )
        self._program = NativeProgram(self._structure, rows)

    def work(self, member: Member) -> float:
        """Return what an epoch of a network takes, in multiply-adds.

        Beside the products, of train and dev rows, each update step takes what 10 multiply-adds a
        parameter do, and as long as 300,000 of them whatever the network's size.
        """
        network = member.architecture
        train, dev = len(self._rows.y_train), len(self._rows.y_dev)
        products = network.multiply_adds() * train + network.forward_multiply_adds() * dev
        steps = steps_per_epoch(train, self._batch)
        return float(products + steps * (_STEP + _UPDATE * network.parameters))

    def train(self, members: Sequence[Member], epochs: int) -> list[Arm]:
        """Train networks from their start for so many epochs, side by side.

        Args:
            members: the networks, each with its own seed; none stops early but by diverging.
            epochs: at least 1.
        """
        session = changing(self._program.load(members, [None] * len(members)), members)
        infos = [session.advance(self._chunk(epoch)) for epoch in range(1, epochs + 1)]
        curves = [
            _curves([getattr(info, name) for info in infos], infos)
            for name in ("train_cost", "dev_cost", "dev_score")
        ]
        return [
            Arm(member, *(curve[:, place] for curve in curves), state=state)
            for place, (member, state) in enumerate(zip(members, session.states(), strict=True))
        ]

    def start(self, members: Sequence[Member]) -> list[State]:
        """Return the states that networks begin with."""
        return self._program.load(members, [None] * len(members)).states()

    def look(
        self,
        members: Sequence[Member],
        states: Sequence[State],
        levels: Sequence[float],
        dev_rows: int | None = None,
    ) -> list[Inside]:
        """Return what is inside networks in these states.

        Args:
            members: the networks.
            states: one each.
            levels: of the quantiles.
            dev_rows: how many of the first dev rows to look at; None takes them all.
        """
        step = Chunk(self._chunk(_NOT_DONE).order[:1], _NOT_DONE, ends_epoch=False)
        r = self._rows
        dev = (part[:dev_rows] for part in (r.x_dev, r.y_dev, r.weight_dev))
        rows = replace(r, **dict(zip(("x_dev", "y_dev", "weight_dev"), dev, strict=True)))
        return look_inside(members, states, Where(self._program, rows, step, levels))

    def _chunk(self, epoch: int) -> Chunk:
        order = epoch_order(self._order_seed, epoch, len(self._rows.y_train), self._batch)
        return Chunk(order, epoch)


def _curves(values: Sequence[np.ndarray], infos: Sequence[Info]) -> np.ndarray:
    """Return (T, P) with NaN from the epoch on in which a member diverged."""
    diverged = np.array([info.outcome == Outcome.DIVERGED for info in infos])
    return np.where(diverged, np.nan, np.array(values))
