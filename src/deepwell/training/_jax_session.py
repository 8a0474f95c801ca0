"""Members in the lanes of the JAX program, and what one call does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from ._jax_fit import check_fit
from ._jax_layout import (
    Lanes,
    empty_lanes,
    empty_settings,
    order_shape,
    read_lane,
    write_lane,
    write_settings,
)
from ._jax_step import Rows, Steps
from ._program import Chunk, Info, Member, Outcome, State
from ._state import WHOLE_NUMBERS

if TYPE_CHECKING:
    from ._jax_program import JaxProgram


class JaxSession:
    """Members in lanes; their states live on the devices until they are asked for."""

    def __init__(
        self, program: JaxProgram, members: Sequence[Member], states: Sequence[State]
    ) -> None:
        self._program = program
        self._members = tuple(members)
        self._left: dict[int, State] = {}  # members that ended and gave up their lanes
        self._whole = np.array(
            [[int(state[name]) for name in WHOLE_NUMBERS] for state in states], np.int32
        ).reshape(len(members), len(WHOLE_NUMBERS))
        architectures = [member.architecture for member in members]
        self._per_row = np.array(
            [(a.multiply_adds(), a.forward_multiply_adds()) for a in architectures], float
        ).reshape(len(members), 2)
        self._visits: tuple[bytes | None, tuple] = (None, ())  # lanes that are put on the devices
        self._place(dict(enumerate(states)), program._lanes_for(len(members)))

    def advance(self, chunk: Chunk, should_stop: Callable[[], bool] | None = None) -> Info:
        """Move every running member through the chunk's steps (at most `structure.steps`).

        A compiled call runs to its end, so `should_stop` is not asked; who plans keeps calls short.
        """
        del should_stop
        program, structure = self._program, self._program.structure
        taken = chunk.order.shape[-2]
        if taken > structure.steps:
            raise ValueError(f"{taken} steps do not fit a program of {structure.steps} steps")
        self._make_room()
        order = np.zeros(order_shape(structure), np.int32)
        order[..., :taken, :] = chunk.order
        filled = np.ones(order.shape[:-1], np.int32)
        filled[..., :taken] = self._filled(chunk)
        before = self._whole.copy()
        running = self._running()
        costs = np.full((len(self._members), 3), np.nan)
        with program._precision():
            steps = jax.device_put(
                Steps(
                    order,
                    filled,
                    np.int32(taken),
                    np.int32(chunk.epoch),
                    np.int32(program._per_epoch),
                    np.bool_(chunk.ends_epoch),
                ),
                program._shared,
            )
            self._states, told = self._call(program._rows_of(chunk), steps, running)
            held_costs, held_whole = jax.device_get((told, self._states["whole"]))
        placed, lanes = self._placed()
        costs[placed], self._whole[placed] = held_costs[lanes], held_whole[lanes]
        column = {name: self._whole[:, i] for i, name in enumerate(WHOLE_NUMBERS)}
        steps_taken = column["step"] - before[:, WHOLE_NUMBERS.index("step")]
        useful, executed = self._work(chunk, steps_taken, running)
        return Info(
            train_cost=costs[:, 0],
            dev_cost=costs[:, 1],
            dev_score=costs[:, 2],
            outcome=column["outcome"].copy(),
            step=column["step"].copy(),
            best_epoch=column["best_epoch"].copy(),
            moved=steps_taken > 0,
            useful=useful,
            executed=executed,
        )

    def change(self, index: int, numbers: Mapping[str, float]) -> None:
        """Give a member other numbers from the next call on; see `Session`."""
        member = self._members[index].changed(numbers)
        check_fit(member, self._program.structure)
        self._members = (*self._members[:index], member, *self._members[index + 1 :])
        if (lane := int(self._lane_of[index])) < 0:  # it has ended and given up its lane
            return
        settings = jax.tree.map(np.array, jax.device_get(self._settings))
        write_settings(self._program.structure, settings, lane, member)
        with self._program._precision():
            self._settings = jax.device_put(settings, self._program._by_lane)

    def states(self) -> list[State]:
        """Return the members' states at their true shapes."""
        host = jax.device_get(self._states)
        structure = self._program.structure
        return [
            self._left[n]
            if n in self._left
            else read_lane(structure, host, int(self._lane_of[n]), member)
            for n, member in enumerate(self._members)
        ]

    def read(self, indices: Sequence[int] | None = None) -> Iterator[State]:
        """Yield the members' states; they leave the devices together. See `Session`."""
        states = self.states()
        yield from states if indices is None else [states[index] for index in indices]

    def said(self, index: int) -> np.ndarray | None:
        """Return None: the scores leave the device, the outputs do not."""
        return None

    def _running(self) -> np.ndarray:
        """Return which members train on, (P,) bool."""
        return self._whole[:, WHOLE_NUMBERS.index("outcome")] == Outcome.RUNNING

    def _placed(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the members that have a lane, and their lanes."""
        placed = np.flatnonzero(self._lane_of >= 0)
        return placed, self._lane_of[placed]

    def _call(self, rows: Rows, steps: Steps, running: np.ndarray):
        program = self._program
        arguments = (self._settings, self._states, rows, steps)
        if program.options.width > 1:
            wide = self._lanes == program.options.lanes
            advance = program._advance if wide else program._narrower[self._lanes].result()
            return advance(*arguments)
        return program._advance(*arguments, *self._visited(running))

    def _visited(self, running: np.ndarray):
        """Return the lanes that each device visits, and their numbers; put there once."""
        program = self._program
        lanes = self._lane_of[running]
        if self._visits[0] != lanes.tobytes():
            turns = np.zeros((program.devices, self._lanes), np.int32)
            counts = np.zeros(program.devices, np.int32)
            for lane in lanes:
                device, within = divmod(int(lane), self._lanes)
                turns[device, counts[device]] = within
                counts[device] += 1
            put = jax.device_put((turns.reshape(-1), counts), program._by_lane)
            self._visits = lanes.tobytes(), put
        return self._visits[1]

    def _place(self, states: dict[int, State], lanes: int) -> None:
        """Put members by their number into lanes, dealt to the devices in turn."""
        program, structure = self._program, self._program.structure
        self._lanes = lanes
        self._lane_of = np.full(len(self._members), -1)
        held = empty_lanes(structure, lanes * program.devices)
        settings = empty_settings(structure, lanes * program.devices)
        for place, number in enumerate(states):
            device, within = place % program.devices, place // program.devices
            self._lane_of[number] = lane = device * lanes + within
            write_lane(structure, held, lane, states[number])
            write_settings(structure, settings, lane, self._members[number])
        self._put(held, settings)

    def _put(self, held: Lanes, settings: Lanes) -> None:
        with self._program._precision():
            self._settings = jax.device_put(settings, self._program._by_lane)
            self._states = jax.device_put(held, self._program._by_lane)

    def _make_room(self) -> None:
        """Move the members that still train where fewer have to wait for one another.

        Into a narrower program where they fit one; on one-by-one devices evenly over them.
        """
        running = np.flatnonzero(self._running())
        program = self._program
        lanes = program._lanes_for(len(running))
        if lanes < self._lanes:
            states = self.states()
            self._left |= {n: s for n, s in enumerate(states) if n not in running}
            self._place({int(n): states[n] for n in running}, lanes)
            return
        per_device = np.bincount(self._lane_of[running] // self._lanes, minlength=program.devices)
        if program.options.width == 1 and per_device.max() > -(-len(running) // program.devices):
            self._deal_again(running)

    def _deal_again(self, running: np.ndarray) -> None:
        """Exchange lanes so that every device has equally many members that train."""
        devices, lanes = self._program.devices, self._lanes
        old = self._lane_of.copy()
        ended = np.setdiff1d(self._placed()[0], running)
        place = np.arange(devices * lanes)
        dealt = (place % devices) * lanes + place // devices
        order = np.concatenate([running, ended])
        self._lane_of[order] = dealt[: len(order)]
        host, settings = jax.device_get((self._states, self._settings))
        structure = self._program.structure
        held = empty_lanes(structure, devices * lanes)
        numbers = empty_settings(structure, devices * lanes)
        for new, source in ((held, host), (numbers, settings)):
            for name, array in new.items():
                array[self._lane_of[order]] = source[name][old[order]]
        self._put(held, numbers)

    def _filled(self, chunk: Chunk) -> np.ndarray:
        """Return (steps,) or (V, steps) places of each batch up to the last that holds a row."""
        present = np.array([train for train, _ in self._program._true_rows])
        if chunk.window is not None:
            present = np.array([len(chunk.window.y)])
        rows = present[:, None, None] if chunk.order.ndim == 3 else present[0]
        places = np.arange(1, chunk.order.shape[-1] + 1)
        return np.where(chunk.order < rows, places, 1).max(axis=-1)

    def _work(self, chunk: Chunk, taken: np.ndarray, running: np.ndarray) -> tuple[float, float]:
        """Return the multiply-adds of a call: useful, and executed with all padding."""
        program, s = self._program, self._program.structure
        orders = chunk.order.reshape(s.views, *chunk.order.shape[-2:])
        view = np.array([member.view for member in self._members], int)
        filled, dev_rows = [], np.array([dev for _, dev in program._true_rows])
        for order, (train_rows, _) in zip(orders, program._true_rows, strict=True):
            present = train_rows if chunk.window is None else len(chunk.window.y)
            filled.append(np.cumsum([0, *(order < present).sum(axis=1)]))
        scored = running & chunk.ends_epoch & self._running()
        taken_rows = np.array(filled)[view, taken]
        rows = np.where(running, taken_rows, 0), np.where(scored, dev_rows[view], 0)
        useful = float((np.stack(rows, axis=1) * self._per_row).sum())
        wide = s.network
        steps, scores = taken[running], scored[running]
        if program.options.width > 1:  # whoever moves takes all lanes of its device along
            owner = self._lane_of[running] // self._lanes
            steps, scores = (
                np.array([v[owner == d].max(initial=0) for d in range(program.devices)])
                * self._lanes
                for v in (steps, scores)
            )
        executed = float(steps.sum()) * s.batch * wide.multiply_adds()
        executed += float(scores.sum()) * s.dev_rows * wide.forward_multiply_adds()
        return useful, executed
