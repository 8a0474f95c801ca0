"""Arms of a small experiment: the same network with a change, several seeds, side by side.

Arms share rows, batches and, seed by seed, every draw that the change leaves alone: initial
weights, dropout masks. What differs between two arms of one seed is then the change's doing
(common random numbers), and a handful of seeds tells what hundreds of unpaired runs would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepwell.data._batches import steps_per_epoch
from deepwell.training._changing import changing
from deepwell.training._epochs import Epochs
from deepwell.training._program import (
    Info,
    Member,
    Outcome,
    Program,
    State,
    Structure,
    TrainingRows,
)
from deepwell.training._state import at_best, initial_state

from ._probes import Inside, Where, look_inside

_NOT_DONE = 2**31 - 1
_SMOOTH = 3  # epochs


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

        The lowest of single epochs would favor whoever fluctuates most. Of a run that diverged
        before it had 3 of them it is the lowest one.
        """
        return lowest(self.dev_score)

    @property
    def cost(self) -> float:
        """The lowest dev cost, mean of 3 epochs; infinity when none was finite."""
        return lowest(self.dev_cost)


def lowest(curve: np.ndarray) -> float:
    """Return the lowest mean of 3 epochs of a curve (T,); see `Arm.score`."""
    width = min(_SMOOTH, len(curve))
    means = np.convolve(curve, np.full(width, 1 / width), mode="valid")
    told = means if np.isfinite(means).any() else curve
    return float(told[np.isfinite(told)].min(initial=np.inf))


@dataclass(frozen=True)
class Speed:
    """What training takes, in multiply-adds of the native program that take as long.

    Measured on 2 cores of a server CPU; what may be trained rests on it and on no clock.

    Attributes:
        step: of an update step, whatever the network.
        update: of a step, for each parameter.
        product: of each multiply-add.
        compiling: of compiling one more program.
    """

    step: float
    update: float
    product: float
    compiling: float = 0.0


NATIVE = Speed(step=3e5, update=10.0, product=1.0)
JAX = Speed(step=2.5e6, update=60.0, product=6.0, compiling=1.35e11)


class Bench:
    """Where arms train: each in the first program of several that has such networks.

    Args:
        ways: programs with their rows, all of one data set, batch size and order.
    """

    def __init__(self, ways: Sequence[Epochs]) -> None:
        self._ways = list(ways)

    def has(self, member: Member) -> bool:
        """Whether one of the programs can train a member."""
        return any(way.program.fits(member) for way in self._ways)

    def add(self, way: Epochs) -> None:
        """Take in one more program."""
        self._ways.append(way)

    def work(self, member: Member) -> float:
        """Return what an epoch of a network takes, in multiply-adds of the native program.

        Beside the products, of train and dev rows, each update step takes some for each parameter,
        and some whatever the network's size. Where no program has it, as the first one.
        """
        fitting = (way for way in self._ways if way.program.fits(member))
        way = next(fitting, self._ways[0])
        speed, rows = speed_of(way.program), way.rows.views[member.view]
        network = member.architecture
        products = network.multiply_adds() * len(rows.y_train)
        products += network.forward_multiply_adds() * len(rows.y_dev)
        each = speed.step + speed.update * network.parameters
        return float(speed.product * products + way.steps * each)

    def train(self, members: Sequence[Member], epochs: int) -> list[Arm]:
        """Train networks from their start for so many epochs, side by side.

        Args:
            members: the networks, each with its own seed; none stops early but by diverging.
            epochs: at least 1.
        """
        arms: dict[int, Arm] = {}
        for way, places in self._groups(members):
            together = [members[n] for n in places]
            arms |= dict(zip(places, _trained(way, together, epochs), strict=True))
        return [arms[n] for n in range(len(members))]

    def start(self, members: Sequence[Member]) -> list[State]:
        """Return the states that networks begin with."""
        return [initial_state(member) for member in members]

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
        seen: dict[int, Inside] = {}
        for way, places in self._groups(members):
            where = Where(
                way.program, _first_dev(way.rows, dev_rows), way.first_step(_NOT_DONE), levels
            )
            some = [members[n] for n in places], [states[n] for n in places]
            seen |= dict(zip(places, look_inside(*some, where), strict=True))
        return [seen[n] for n in range(len(members))]

    def _groups(self, members: Sequence[Member]) -> Iterator[tuple[Epochs, list[int]]]:
        """Yield the places of members that train together, as many as the lanes hold, and where.

        Raises:
            ValueError: when no program has one of the networks.
        """
        by_way: dict[int, list[int]] = {}
        for n, member in enumerate(members):
            fitting = [i for i, way in enumerate(self._ways) if way.program.fits(member)]
            if not fitting:
                raise ValueError(f"no program here can train {member}")
            by_way.setdefault(fitting[0], []).append(n)
        for index, places in by_way.items():
            way = self._ways[index]
            lanes = way.program.lanes
            for first in range(0, len(places), lanes):
                yield way, places[first : first + lanes]


def speed_of(program: Program) -> Speed:
    """Return what training takes in a program: one that was compiled is JAX's."""
    return JAX if program.compile_seconds > 0 else NATIVE


def native_way(
    rows: TrainingRows,
    loss: str,
    outputs: int,
    score: str,
    batch: int,
    order_seed: int,
    steps: int | None = None,
) -> Epochs:
    """Return the native program for rows, on all cores.

    Args:
        rows: train and dev rows; never a test row.
        loss: `softmax`, `logistic` or `squared`.
        outputs: raw outputs of a row.
        score: the metric that networks are compared by, lower is better.
        batch: rows of a batch.
        order_seed: of the mini-batch order.
        steps: most update steps of a call, for rows that are streamed; None takes an epoch's.

    Raises:
        UsageError: when this build has no compiled core.
    """
    from deepwell.training._native_views import native_program

    most = max(len(view.y_train) for view in rows.views)
    batch = min(batch, most)
    structure = Structure(
        inputs=rows.x_train.shape[1],
        hidden=(),
        outputs=outputs,
        loss=loss,
        activation="",
        optimizer="",
        batch=batch,
        drops=True,
        train_rows=most + 1,
        dev_rows=max(len(view.y_dev) for view in rows.views) + 1,
        steps=steps or steps_per_epoch(most, batch),
        score=score,
        views=len(rows.views),
    )
    return Epochs(native_program(structure, rows), rows, order_seed)


def _trained(way: Epochs, members: Sequence[Member], epochs: int) -> list[Arm]:
    session = changing(way.program.load(members, [None] * len(members)), members)
    infos = [  # the last call of an epoch tells all of it
        [session.advance(chunk) for chunk in way.chunks(epoch)][-1]
        for epoch in range(1, epochs + 1)
    ]
    curves = [
        _curves([getattr(info, name) for info in infos], infos)
        for name in ("train_cost", "dev_cost", "dev_score")
    ]
    return [
        Arm(member, *(curve[:, place] for curve in curves), state=state)
        for place, (member, state) in enumerate(zip(members, session.states(), strict=True))
    ]


def _first_dev(rows: TrainingRows, count: int | None) -> TrainingRows:
    names = ("x_dev", "y_dev", "weight_dev")
    cut = {name: getattr(rows, name)[:count] for name in names}
    return replace(rows, **cut, others=tuple(_first_dev(view, count) for view in rows.others))


def _curves(values: Sequence[np.ndarray], infos: Sequence[Info]) -> np.ndarray:
    """Return (T, P) with NaN from the epoch on in which a member diverged."""
    diverged = np.array([info.outcome == Outcome.DIVERGED for info in infos])
    return np.where(diverged, np.nan, np.array(values))
