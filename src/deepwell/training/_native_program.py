"""The native program: dense networks on CPU cores, compiled ahead of time.

A member is one task on one core, at its exact widths; members of any depth, width, activation,
optimizer and type train side by side, since they share only the rows, the loss, the score and
the order of the batches. Nothing is compiled at run time, and JAX is not loaded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from deepwell._base._hash import Purpose, fold, key
from deepwell._native._core_module import core, cores, simd
from deepwell.data._augmentation import share_table
from deepwell.data._batches import steps_per_epoch
from deepwell.data._image_augmentations import STRENGTHS
from deepwell.networks._dropout_rate import drop_of
from deepwell.optimization._foreign import is_foreign

from ._native_state import begin, read_state, write_state
from ._program import NUMBERS, Chunk, Info, Member, State, Structure, TrainingRows
from ._state import at_best

DEFAULT_LANES = 1024
KEPT_BYTES = 32 * 1024**2  # of raw outputs that a session keeps of its members' last scores
_KEYS = {
    "dropout_key": Purpose.DROPOUT,
    "noise_key": Purpose.NOISE,
    "input_noise_key": Purpose.INPUT_NOISE,
    "mix_key": Purpose.MIXUP,
}


class NativeProgram:
    """Trains dense networks on the cores of this machine.

    Args:
        structure: of it only `inputs`, `outputs`, `loss`, `batch` and `score` are read; what else
            members differ in is their own.
        rows: train and dev rows at their true sizes.
        lanes: members that one session may hold; their states bound its memory.
        threads: cores to use; None uses every core that the process may use.

    Raises:
        UsageError: when this build has no compiled core.
        ValueError: when the rows do not belong together or to the structure.
    """

    compile_seconds = 0.0

    def __init__(
        self,
        structure: Structure,
        rows: TrainingRows,
        lanes: int = DEFAULT_LANES,
        threads: int | None = None,
    ) -> None:
        core()
        if structure.inputs < rows.x_train.shape[1]:
            raise ValueError(
                f"a structure of {structure.inputs} inputs does not fit rows of "
                f"{rows.x_train.shape[1]} features"
            )
        self.structure = structure
        self.lanes = lanes
        self.threads = cores() if threads is None else threads
        self.simd = simd()
        most = max(len(view.y_train) for view in rows.views)
        self.per_epoch = steps_per_epoch(most, structure.batch)
        self._rows = rows
        self._data: dict[str, Any] = {}

    def fits(self, member: Member) -> bool:
        """Whether it can train a member: a dense one, with a rule of the core's."""
        try:
            for stage in member.stages():
                _check_fit(stage, self.structure, self._rows.x_train.shape[1])
        except ValueError:
            return False
        return member.architecture.front is None

    def load(self, members: Sequence[Member], states: Sequence[State | None]) -> NativeSession:
        """Put members with their states into a session; None begins a member anew.

        Raises:
            ValueError: when there are more members than lanes, or one that does not fit.
        """
        if len(members) > self.lanes:
            raise ValueError(f"{len(members)} members do not fit {self.lanes} lanes")
        for member in members:
            _check_fit(member, self.structure, self._rows.x_train.shape[1])
        return NativeSession(self, members, states)

    def evaluate(self, members: Sequence[Member], states: Sequence[State]) -> Info:
        """Score the best weights of each state on the dev rows with the training program itself."""
        fresh = [at_best(state) for state in states]
        nothing = np.zeros((0, self.structure.batch), np.int32)
        return self.load(members, fresh).advance(Chunk(nothing, epoch=1))

    def data(self, dtype: str) -> Any:
        """Return the rows in a member's type, converted once."""
        if dtype not in self._data:
            rows = self._rows
            make = core().Data32 if dtype == "float32" else core().Data64
            self._data[dtype] = make(
                *(
                    np.ascontiguousarray(part, dtype)
                    for part in (
                        *self._train_part(),
                        rows.x_dev, rows.y_dev, rows.weight_dev,
                    )
                )
            )  # fmt: skip
        return self._data[dtype]

    def said_shape(self) -> tuple[int, int]:
        """Return the shape of the raw outputs of all dev rows."""
        return self.structure.outputs, len(self._rows.y_dev)

    def said_bytes(self) -> int:
        """Return the bytes of a member's raw outputs of all dev rows, at most."""
        return 8 * math.prod(self.said_shape())

    def _train_part(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = self._rows
        held = slice(0) if rows.streamed else slice(None)
        return rows.x_train[held], rows.y_train[held], rows.weight_train[held]


class NativeSession:
    """Members in training together; one thread uses it at a time."""

    def __init__(
        self, program: NativeProgram, members: Sequence[Member], states: Sequence[State | None]
    ) -> None:
        self._members = tuple(members)
        self._types = types = {member.dtype for member in members}
        self._core = core().Session(
            float32=program.data("float32") if "float32" in types else None,
            float64=program.data("float64") if "float64" in types else None,
            loss=program.structure.loss,
            metric=program.structure.score,
            members=_specs(members, program.per_epoch),
            threads=program.threads,
            level=program.simd,
            keeps_said=len(members) * program.said_bytes() <= KEPT_BYTES,
        )
        self._said_shape = program.said_shape()
        new: dict[int, Member] = {}
        for index, (member, state) in enumerate(zip(members, states, strict=True)):
            if state is None:
                new[index] = member
            else:
                write_state(self._core, index, member, state)
        begin(self._core, new)

    def advance(self, chunk: Chunk, should_stop: Callable[[], bool] | None = None) -> Info:
        """Move every running member through the chunk's steps.

        The interpreter's lock is released; signals are answered within a few update steps. A stop
        leaves each member after a whole number of steps, which `Info.step` and its state tell; one
        that had taken them all may have no dev cost yet, which a chunk of no steps makes up for.

        Args:
            chunk: the steps.
            should_stop: asked every 20 ms; True ends the call early.

        Raises:
            KeyboardInterrupt: or whatever a signal handler raises; the states can still be read.
            ValueError: when the order is not (steps, B) int32 or holds a negative row, when the
                window does not fit, or there is none and the train rows are streamed.
        """
        order = np.ascontiguousarray(chunk.order)
        if order.ndim != 2 or order.dtype != np.int32:
            raise ValueError(
                f"order must be (steps, B) of int32, got {order.shape} of {order.dtype}"
            )
        windows = tuple(_window(chunk, dtype, self._types) for dtype in ("float32", "float64"))
        real = np.empty((3, len(self._members)))
        whole = np.empty((4, len(self._members)), np.int64)
        self._core.advance(order, chunk.epoch, chunk.ends_epoch, should_stop, windows, real, whole)
        train_cost, dev_cost, dev_score = real
        outcome, step, best_epoch, moved = whole
        return Info(
            train_cost, dev_cost, dev_score, outcome, step, best_epoch, moved=moved.astype(bool)
        )

    def change(self, index: int, numbers: Mapping[str, float]) -> None:
        """Give a member other numbers from the next call on; see `Session`."""
        member = self._members[index].changed(numbers)
        _check_images_stay(member)
        self._core.change(index, _numbers(member))
        self._members = (*self._members[:index], member, *self._members[index + 1 :])

    def states(self) -> list[State]:
        """Return the members' states, copied."""
        return list(self.read())

    def read(self, indices: Sequence[int] | None = None) -> Iterator[State]:
        """Yield the members' states, copied one after another; see `Session`."""
        for index in range(len(self._members)) if indices is None else indices:
            yield read_state(self._core, index, self._members[index])

    def said(self, index: int) -> np.ndarray | None:
        """Return a member's raw outputs of the dev rows when scored last; see `Session`."""
        out = np.empty(self._said_shape, self._members[index].dtype)
        return out.T if self._core.said(index, out) else None


def _window(chunk: Chunk, dtype: str, types: set[str]) -> Any:
    """Return the chunk's rows in a type, without a copy where they have it; None for none."""
    if chunk.window is None or dtype not in types:
        return None
    make = core().Window32 if dtype == "float32" else core().Window64
    w = chunk.window
    return make(*(np.ascontiguousarray(part, dtype) for part in (w.x, w.y, w.weight)))


def _check_fit(member: Member, structure: Structure, features: int) -> None:
    a = member.architecture
    if is_foreign(member.optimizer):
        raise ValueError(f"the native core has no {member.optimizer}; the JAX program has")
    _check_images_stay(member)
    fits = a.inputs == features and a.outputs == structure.outputs and a.loss == structure.loss
    if not fits:
        raise ValueError(
            f"a member of {a.inputs} inputs, {a.outputs} outputs and {a.loss} loss does not fit "
            f"a program of {features}, {structure.outputs} and {structure.loss}"
        )


def _check_images_stay(member: Member) -> None:
    augmented = [name for name in STRENGTHS if member.number(name)]
    if augmented:
        raise ValueError(
            f"{augmented[0]} of images does not fit the native core; the JAX program has it"
        )


def _specs(members: Sequence[Member], per_epoch: int) -> list[dict[str, Any]]:
    """Return what the core must know of the members."""
    seeds = key(np.array([member.seed % 2**64 for member in members], np.uint64))
    keys = {
        name: zip(*(words.tolist() for words in fold(seeds, purpose)), strict=True)
        for name, purpose in _KEYS.items()
    }
    return [
        _spec(member, per_epoch) | {name: next(of) for name, of in keys.items()}
        for member in members
    ]


def _spec(member: Member, per_epoch: int) -> dict[str, Any]:
    a = member.architecture
    return {
        "dtype": member.dtype,
        "widths": list(a.widths),
        "activation": a.activation,
        "slope": float(a.slope),
        "optimizer": member.optimizer,
        "decay": member.decay,
        "pieces": a.pieces,
        "batch_norm": a.batch_norm,
        "norm_epsilon": float(a.norm_epsilon),
        "residual": a.residual,
        "per_epoch": per_epoch,
        "rms_from_first": member.rms_start == "first_gradient",
        "patience": int(member.patience),
        **_numbers(member),
    }


def _numbers(member: Member) -> dict[str, Any]:
    """Return those numbers of a member that may change while it trains, as the core takes them."""
    a = member.architecture
    drops = [drop_of(a, layer) for layer in range(-1, len(a.hidden))]
    return {
        "drops": [(d.threshold, d.train_scale, d.predict_scale) for d in drops],
        "shares": share_table(member.number("mixup")),
        **{name: member.number(name) for name in NUMBERS},
    }
