"""The JAX program: one compiled loop over lanes on each device.

On a CPU a device is a core, and its lanes run one after another inside the compiled loop: the
state of a small network stays in the core's cache, and a lane that is empty, stopped or diverged
is not visited at all. On an accelerator all lanes move as one vectorized step; when most members
have ended, those that are left move into a narrower program that was compiled ahead.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from deepwell._jax._start import start
from deepwell.data._batches import steps_per_epoch
from deepwell.networks._architecture import Architecture
from deepwell.optimization._foreign import is_foreign

from ._jax_device import one_by_one, together
from ._jax_layout import (
    Lanes,
    empty_lanes,
    empty_settings,
    read_lane,
    write_lane,
    write_settings,
)
from ._jax_rows import device_rows, rows_of
from ._jax_step import Rows, Steps
from ._program import (
    EXTRAS,
    Chunk,
    Info,
    Member,
    Outcome,
    ProgramOptions,
    State,
    Structure,
    TrainingRows,
)
from ._state import WHOLE_NUMBERS, at_best, initial_state

_COUNT_LOCK = threading.Lock()
_COUNT = 0


def compiled_programs() -> int:
    """Return how many programs this process has compiled (or read from the cache)."""
    return _COUNT


class JaxProgram:
    """The compiled code of one structure and the data it trains on.

    Args:
        structure: what the members share.
        rows: train and dev rows at their true sizes.
        options: lanes and width; None chooses by device.
    """

    def __init__(
        self, structure: Structure, rows: TrainingRows, options: ProgramOptions | None = None
    ) -> None:
        runtime = start()
        self.structure = structure
        self.options = options or _default_options(runtime.platform)
        devices = jax.devices()
        self.devices = len(devices)
        self.lanes = self.options.lanes * self.devices
        self._mesh = Mesh(np.array(devices), ("lanes",))
        self._by_lane = NamedSharding(self._mesh, PartitionSpec("lanes"))
        self._shared = NamedSharding(self._mesh, PartitionSpec())
        self._true_rows = [(len(view.y_train), len(view.y_dev)) for view in rows.views]
        most = max(train for train, _ in self._true_rows)
        self._per_epoch = steps_per_epoch(most, structure.batch)
        began = time.perf_counter()
        with self._precision():
            self._rows = device_rows(structure, rows, self._shared)
            self._streamed = rows.streamed
        self._advance = self._compiled(self.options.lanes)
        self.compile_seconds = time.perf_counter() - began
        self._narrower = self._compile_narrower()

    def lanes_within(self, memory: int) -> int:
        """Return how many lanes a device may have for its calls to fit so much memory, at least 1.

        By the compiled program's own account of arguments, results and temporaries, less the
        rows, which are counted elsewhere; where it gives none, the lanes are left as they are.

        Args:
            memory: bytes for the members in flight on all devices.
        """
        lanes, devices = self.options.lanes, self.devices
        told = self._advance.memory_analysis()
        if told is None:
            return lanes
        sizes = told.argument_size_in_bytes + told.output_size_in_bytes + told.temp_size_in_bytes
        rows = sum(leaf.nbytes for leaf in jax.tree.leaves(self._rows))
        each = max(0, sizes - told.alias_size_in_bytes - rows) * devices
        return lanes if each <= memory else max(1, int(lanes * memory / each))

    def _rows_of(self, chunk: Chunk) -> Rows:
        return rows_of(chunk, self._rows, self.structure, self._shared, streamed=self._streamed)

    def _precision(self):
        return jax.enable_x64(True) if self.structure.dtype == "float64" else _as_it_is()

    def _compiled(self, lanes: int):
        global _COUNT
        # In float32 an accelerator would multiply with fewer bits (TF32), 1e-3 off the formula.
        exact = "highest" if self.options.width > 1 else None
        with self._precision(), jax.default_matmul_precision(exact):
            compiled = _compile(self, lanes)
        with _COUNT_LOCK:
            _COUNT += 1
        return compiled

    def _compile_narrower(self) -> dict[int, Future]:
        """Start compiling for the members that will be left, while all of them train."""
        planned: dict[int, Future] = {lanes: Future() for lanes in self.options.narrower}

        def work() -> None:
            for lanes, future in planned.items():
                try:
                    future.set_result(self._compiled(lanes))
                except Exception as error:  # told to whoever needs the program
                    future.set_exception(error)

        if planned:
            threading.Thread(target=work, name="compile-narrower", daemon=True).start()
        return planned

    def _lanes_for(self, members: int) -> int:
        """Return the lanes of a device that so many members need: the fewest compiled ones."""
        fitting = [n for n in self._narrower if n * self.devices >= members]
        return min(fitting, default=self.options.lanes)

    def load(self, members: Sequence[Member], states: Sequence[State | None]) -> JaxSession:
        """Put members with their states into lanes; None begins a member anew.

        Raises:
            ValueError: when there are more members than lanes, or one that does not fit.
        """
        if len(members) > self.lanes:
            raise ValueError(f"{len(members)} members do not fit {self.lanes} lanes")
        for member in members:
            _check_fit(member, self.structure)
        begun = [
            initial_state(member) if state is None else state
            for member, state in zip(members, states, strict=True)
        ]
        return JaxSession(self, members, begun)

    def evaluate(self, members: Sequence[Member], states: Sequence[State]) -> Info:
        """Score the best weights of each state on the dev rows with the training program itself."""
        fresh = [at_best(state) for state in states]
        nothing = np.zeros(order_shape(self.structure), np.int32)[..., :0, :]
        return self.load(members, fresh).advance(Chunk(nothing, epoch=1))


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
        _check_fit(member, self._program.structure)
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


def _default_options(platform: str) -> ProgramOptions:
    return ProgramOptions(lanes=16, width=1) if platform == "cpu" else ProgramOptions(256, 256)


@contextlib.contextmanager
def _as_it_is():
    yield


def _compile(program: JaxProgram, lanes: int):
    """Compile a device's work for the structure's shapes, ahead of any data."""
    structure = program.structure
    by_lane, shared = PartitionSpec("lanes"), PartitionSpec()
    in_turn = program.options.width == 1
    mapped = jax.shard_map(
        one_by_one(structure) if in_turn else together(structure),
        mesh=program._mesh,
        in_specs=(by_lane, by_lane, shared, shared, *([by_lane, by_lane] if in_turn else [])),
        out_specs=(by_lane, by_lane),
        check_vma=False,
    )

    def described(like, sharding):
        return jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), like
        )

    every = lanes * program.devices
    order = np.zeros(order_shape(structure), np.int32)
    filled = np.ones(order.shape[:-1], np.int32)
    steps = Steps(order, filled, np.int32(0), np.int32(0), np.int32(1), np.bool_(True))
    visits = (np.zeros(every, np.int32), np.zeros(program.devices, np.int32))
    return (
        jax.jit(mapped, donate_argnums=(1,))
        .lower(
            described(empty_settings(structure, every), program._by_lane),
            described(empty_lanes(structure, every), program._by_lane),
            described(program._rows, program._shared),
            described(steps, program._shared),
            *(described(visits, program._by_lane) if in_turn else ()),
        )
        .compile()
    )


def order_shape(structure: Structure) -> tuple[int, ...]:
    """Return the shape of a call's order: with a leading axis for several data views."""
    views = (structure.views,) if structure.views > 1 else ()
    return (*views, structure.steps, structure.batch)


def _fills(a: Architecture, structure: Structure) -> bool:
    return (a.inputs, a.hidden) == (structure.inputs, structure.hidden)


def _check_fit(member: Member, structure: Structure) -> None:
    a = member.architecture
    fits = (
        a.inputs <= structure.inputs
        and len(a.hidden) == len(structure.hidden)
        and all(h <= room for h, room in zip(a.hidden, structure.hidden, strict=True))
        and a.outputs == structure.outputs
        and (a.activation, a.loss) == (structure.activation, structure.loss)
        and (a.pieces, a.batch_norm, a.residual)
        == (structure.pieces, structure.batch_norm, structure.residual)
        and (member.optimizer, member.dtype) == (structure.optimizer, structure.dtype)
        and a.front == structure.front
        and 0 <= member.view < structure.views
        and (structure.drops or not any(a.dropout))
        and (structure.drops_inputs or not a.input_dropout)
        and (structure.smooths or not member.number("label_smoothing"))
        and (not is_foreign(member.optimizer) or _fills(a, structure))
        and all(not member.number(name) for name in EXTRAS if name not in structure.extras)
    )
    if not fits:
        raise ValueError(f"member {member} does not fit structure {structure}")
