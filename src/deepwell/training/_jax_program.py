"""The JAX program: one compiled loop over lanes on each device.

On a CPU a device is a core, and its lanes run one after another inside the compiled loop: the
state of a small network stays in the core's cache. On a GPU all lanes move as one vectorized
step. A lane that is empty, stopped or diverged costs nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import threading
import time
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from deepwell._base._hash import Purpose, fold, key
from deepwell._jax._start import start
from deepwell.networks._dropout_rate import drop_threshold
from deepwell.optimization._decay import decay_code
from deepwell.optimization._registry import OPTIMIZERS

from ._jax_step import Rows, Steps, member_chunk
from ._program import Chunk, Info, Member, Outcome, ProgramOptions, State, Structure, TrainingRows
from ._state import REAL_NUMBERS, WHOLE_NUMBERS, at_best, padded, parameter_names

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
        global _COUNT
        runtime = start()
        self.structure = structure
        self.options = options or _default_options(runtime.platform)
        devices = jax.devices()
        self.lanes = self.options.lanes * len(devices)
        mesh = Mesh(np.array(devices), ("lanes",))
        self._by_lane = NamedSharding(mesh, PartitionSpec("lanes"))
        self._shared = NamedSharding(mesh, PartitionSpec())
        began = time.perf_counter()
        with self._precision():
            self._rows = _device_rows(structure, rows, self._shared)
            self._streamed = rows.streamed
            self._advance = _compile(self, mesh)
        self.compile_seconds = time.perf_counter() - began
        with _COUNT_LOCK:
            _COUNT += 1

    def lanes_within(self, memory: int) -> int:
        """Return how many lanes a device may have for its calls to fit so much memory, at least 1.

        By the compiled program's own account of arguments, results and temporaries, less the
        rows, which are counted elsewhere; where it gives none, the lanes are left as they are.

        Args:
            memory: bytes for the members in flight on all devices.
        """
        lanes, devices = self.options.lanes, self.lanes // self.options.lanes
        told = self._advance.memory_analysis()
        if told is None:
            return lanes
        sizes = told.argument_size_in_bytes + told.output_size_in_bytes + told.temp_size_in_bytes
        rows = sum(leaf.nbytes for leaf in jax.tree.leaves(self._rows))
        each = max(0, sizes - told.alias_size_in_bytes - rows) * devices
        return lanes if each <= memory else max(1, int(lanes * memory / each))

    def _rows_of(self, chunk: Chunk) -> Rows:
        """Return the rows of a call: those held, or its window with the dev rows that are held."""
        if chunk.window is None:
            if self._streamed and len(chunk.order):
                raise ValueError("the train rows are streamed; give the chunk its window")
            return self._rows
        window, structure = chunk.window, self.structure
        if len(window.y) >= structure.train_rows:
            raise ValueError(
                f"a window of {len(window.y)} rows does not fit a program of "
                f"{structure.train_rows - 1}"
            )
        order = chunk.order
        if order.size and not 0 <= order.min() <= order.max() <= len(window.y):
            raise ValueError(f"order must hold rows from 0 to {len(window.y)} of the window")
        train = _padded_train(structure, window.x, window.y, window.weight)
        return dataclasses.replace(self._rows, **jax.device_put(train, self._shared))

    def _precision(self):
        return jax.enable_x64(True) if self.structure.dtype == "float64" else _as_it_is()

    def load(self, members: Sequence[Member], states: Sequence[State]) -> JaxSession:
        """Put members with their states into lanes.

        Raises:
            ValueError: when there are more members than lanes, or one that does not fit.
        """
        if len(members) > self.lanes:
            raise ValueError(f"{len(members)} members do not fit {self.lanes} lanes")
        for member in members:
            _check_fit(member, self.structure)
        return JaxSession(self, members, states)

    def evaluate(self, members: Sequence[Member], states: Sequence[State]) -> Info:
        """Score the best weights of each state on the dev rows with the training program itself."""
        fresh = [at_best(state) for state in states]
        nothing = np.zeros((0, self.structure.batch), np.int32)
        return self.load(members, fresh).advance(Chunk(nothing, epoch=1))


class JaxSession:
    """Members in lanes; their states live on the devices until they are asked for."""

    def __init__(
        self, program: JaxProgram, members: Sequence[Member], states: Sequence[State]
    ) -> None:
        self._program = program
        self._members = tuple(members)
        structure = program.structure
        self._lane_of = _spread(len(members), program.lanes, program.options.lanes)
        with program._precision():
            numbers = _stack(
                program.lanes, self._lane_of, [_numbers(m, structure) for m in members],
                _numbers_like(structure),
            )  # fmt: skip
            held = _stack(
                program.lanes, self._lane_of, [_pad_state(s, structure) for s in states],
                _state_like(structure),
            )  # fmt: skip
            active = np.zeros(program.lanes, bool)
            active[self._lane_of] = True
            numbers["active"] = active
            self._numbers = jax.device_put(numbers, program._by_lane)
            self._states = jax.device_put(held, program._by_lane)

    def advance(self, chunk: Chunk, should_stop: Callable[[], bool] | None = None) -> Info:
        """Move every running member through the chunk's steps (at most `structure.steps`).

        A compiled call runs to its end, so `should_stop` is not asked; who plans keeps calls short.
        """
        del should_stop
        program, structure = self._program, self._program.structure
        taken = len(chunk.order)
        if taken > structure.steps:
            raise ValueError(f"{taken} steps do not fit a program of {structure.steps} steps")
        order = np.zeros((structure.steps, structure.batch), np.int32)
        order[:taken] = chunk.order
        with program._precision():
            steps = jax.device_put(
                Steps(order, np.int32(taken), np.int32(chunk.epoch), np.bool_(chunk.ends_epoch)),
                program._shared,
            )
            rows = program._rows_of(chunk)
            self._states, info = program._advance(self._numbers, self._states, rows, steps)
            host = {k: np.asarray(v)[self._lane_of] for k, v in jax.device_get(info).items()}
        return Info(
            train_cost=host["train_cost"].astype(np.float64),
            dev_cost=host["dev_cost"].astype(np.float64),
            dev_score=host["dev_score"].astype(np.float64),
            outcome=host["outcome"],
            step=host["step"],
            best_epoch=host["best_epoch"],
            moved=host["moved"],
        )

    def states(self) -> list[State]:
        """Return the members' states at their true shapes."""
        host = jax.device_get(self._states)
        return [
            _true_state(host, lane, member)
            for lane, member in zip(self._lane_of, self._members, strict=True)
        ]


def _default_options(platform: str) -> ProgramOptions:
    return ProgramOptions(lanes=16, width=1) if platform == "cpu" else ProgramOptions(256, 256)


@contextlib.contextmanager
def _as_it_is():
    yield


def _compile(program: JaxProgram, mesh: Mesh):
    """Compile the loop over lanes for the structure's shapes, ahead of any data."""
    structure, width = program.structure, program.options.width
    chunk = member_chunk(structure)

    def lane(rows: Rows, steps: Steps, numbers, state):
        before = state["step"]
        idle = {name: jnp.full((), jnp.nan, structure.dtype) for name in _COSTS}
        state, costs = jax.lax.cond(
            numbers["active"] & (state["outcome"] == Outcome.RUNNING),
            lambda held: chunk(numbers, held, rows, steps),
            lambda held: (held, idle),
            state,
        )
        whole = {name: state[name] for name in ("outcome", "step", "best_epoch")}
        return state, {**costs, **whole, "moved": state["step"] > before}

    def device(numbers, states, rows: Rows, steps: Steps):
        def one(pair):
            return lane(rows, steps, *pair)

        return jax.lax.map(one, (numbers, states), batch_size=width if width > 1 else None)

    lanes, shared = PartitionSpec("lanes"), PartitionSpec()
    mapped = jax.shard_map(
        device,
        mesh=mesh,
        in_specs=(lanes, lanes, shared, shared),
        out_specs=(lanes, lanes),
        check_vma=False,
    )

    def described(like, sharding):
        def one(leaf):
            shape = (program.lanes, *leaf.shape) if sharding is program._by_lane else leaf.shape
            return jax.ShapeDtypeStruct(shape, leaf.dtype, sharding=sharding)

        return jax.tree.map(one, like)

    numbers = {**_numbers_like(structure), "active": np.zeros((), bool)}
    order = np.zeros((structure.steps, structure.batch), np.int32)
    steps = Steps(order, np.int32(0), np.int32(0), np.bool_(True))
    return (
        jax.jit(mapped, donate_argnums=(1,))
        .lower(
            described(numbers, program._by_lane),
            described(_state_like(structure), program._by_lane),
            described(program._rows, program._shared),
            described(steps, program._shared),
        )
        .compile()
    )


_COSTS = ("train_cost", "dev_cost", "dev_score")


def _device_rows(structure: Structure, rows: TrainingRows, sharding: NamedSharding) -> Rows:
    k, width = structure.dev_rows, structure.inputs
    kind, label = _row_types(structure)
    held = slice(0) if rows.streamed else slice(None)
    return jax.device_put(
        Rows(
            **_padded_train(
                structure, rows.x_train[held], rows.y_train[held], rows.weight_train[held]
            ),
            x_dev=padded(rows.x_dev.astype(kind), (k, width)),
            y_dev=padded(rows.y_dev.astype(label), (k,)),
            weight_dev=padded(rows.weight_dev.astype(kind), (k,)),
        ),
        sharding,
    )


def _row_types(structure: Structure) -> tuple[type, type]:
    kind = np.float32 if structure.dtype == "float32" else np.float64
    return kind, kind if structure.loss != "softmax" else np.int32


def _padded_train(
    structure: Structure, x: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> dict[str, np.ndarray]:
    kind, label = _row_types(structure)
    n = structure.train_rows
    return {
        "x_train": padded(x.astype(kind, copy=False), (n, structure.inputs)),
        "y_train": padded(y.astype(label, copy=False), (n,)),
        "weight_train": padded(weight.astype(kind, copy=False), (n,)),
    }


def _check_fit(member: Member, structure: Structure) -> None:
    a = member.architecture
    fits = (
        a.inputs <= structure.inputs
        and len(a.hidden) == len(structure.hidden)
        and all(h <= room for h, room in zip(a.hidden, structure.hidden, strict=True))
        and a.outputs == structure.outputs
        and (a.activation, a.loss) == (structure.activation, structure.loss)
        and (member.optimizer, member.dtype) == (structure.optimizer, structure.dtype)
        and (structure.drops or not member.numbers["dropout"])
    )
    if not fits:
        raise ValueError(f"member {member} does not fit structure {structure}")


def _spread(members: int, lanes: int, per_device: int) -> np.ndarray:
    """Return a lane for each member, dealt to the devices in turn."""
    devices = lanes // per_device
    index = np.arange(members)
    return (index % devices) * per_device + index // devices


def _state_like(structure: Structure) -> dict[str, np.ndarray]:
    """Return one lane of zeros, with the shapes and types that the program holds."""
    widths = (structure.inputs, *structure.hidden, structure.outputs)
    kind = np.dtype(structure.dtype)
    parameters: dict[str, np.ndarray] = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
        parameters[f"weights/{layer}"] = np.zeros((n_in, n_out), kind)
        parameters[f"biases/{layer}"] = np.zeros(n_out, kind)
    like = dict(parameters)
    for prefix in (*OPTIMIZERS[structure.optimizer].slots, "best"):
        like.update({f"{prefix}/{name}": p for name, p in parameters.items()})
    like.update({name: np.zeros((), np.int32) for name in WHOLE_NUMBERS})
    like.update({name: np.zeros((), kind) for name in REAL_NUMBERS})
    return like


def _pad_state(state: State, structure: Structure) -> dict[str, np.ndarray]:
    like = _state_like(structure)
    return {name: padded(np.asarray(state[name]), like[name].shape) for name in like}


def _true_state(host: dict[str, np.ndarray], lane: int, member: Member) -> State:
    """Return one lane without its padding, in types that hold the values exactly."""
    shapes = member.architecture.layer_shapes()
    state: State = {}
    prefixes = ("", *(f"{s}/" for s in OPTIMIZERS[member.optimizer].slots), "best/")
    for prefix in prefixes:
        for name in parameter_names(member.architecture.layers):
            layer = int(name.rsplit("/", 1)[1])
            shape = shapes[layer] if name.startswith("weights/") else shapes[layer][1:]
            corner = tuple(slice(0, n) for n in shape)
            state[f"{prefix}{name}"] = np.array(host[f"{prefix}{name}"][(lane, *corner)])
    state.update({name: np.asarray(host[name][lane], np.int64) for name in WHOLE_NUMBERS})
    state.update({name: np.asarray(host[name][lane], np.float64) for name in REAL_NUMBERS})
    return state


_NUMBERS = ("learning_rate", "decay_rate", "momentum", "beta1", "beta2", "epsilon", "l2")


def _numbers(member: Member, structure: Structure) -> dict[str, np.ndarray]:
    """Return one lane of hyperparameters: everything that is traced."""
    kind = np.dtype(structure.dtype)
    dropout = member.numbers["dropout"]
    masks_key = fold(key(member.seed), Purpose.DROPOUT)
    values = {name: np.asarray(member.numbers[name], kind) for name in _NUMBERS}
    values["slope"] = np.asarray(member.architecture.slope, kind)
    values["decay"] = np.asarray(decay_code(member.decay), np.int32)
    values["patience"] = np.asarray(member.patience, np.int32)
    values["drop_below"] = np.asarray(drop_threshold(dropout), np.uint32)
    values["drop_scale"] = np.asarray(1.0 / (1.0 - dropout), kind)
    values["key"] = np.array([masks_key.first, masks_key.second], np.uint32)
    for layer, (true, room) in enumerate(
        zip(member.architecture.hidden, structure.hidden, strict=True)
    ):
        values[f"mask/{layer}"] = (np.arange(room) < true).astype(kind)
    return values


def _numbers_like(structure: Structure) -> dict[str, np.ndarray]:
    kind = np.dtype(structure.dtype)
    like: dict[str, np.ndarray] = {}
    like.update({name: np.zeros((), kind) for name in (*_NUMBERS, "slope", "drop_scale")})
    like.update({name: np.zeros((), np.int32) for name in ("decay", "patience")})
    like["drop_below"] = np.zeros((), np.uint32)
    like["key"] = np.zeros(2, np.uint32)
    for layer, room in enumerate(structure.hidden):
        like[f"mask/{layer}"] = np.zeros(room, kind)
    return like


def _stack(
    lanes: int,
    lane_of: np.ndarray,
    rows: Sequence[dict[str, np.ndarray]],
    like: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return arrays with a leading lane axis, zero where a lane is empty."""
    stacked: dict[str, np.ndarray] = {}
    for name, one in like.items():
        stacked[name] = np.zeros((lanes, *one.shape), one.dtype)
        for lane, row in zip(lane_of, rows, strict=True):
            stacked[name][lane] = row[name]
    return stacked
