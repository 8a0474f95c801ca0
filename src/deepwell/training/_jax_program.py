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
from collections.abc import Sequence
from concurrent.futures import Future

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from deepwell._base._errors import UsageError
from deepwell._jax._start import start
from deepwell.data._batches import steps_per_epoch

from ._jax_compile import compiled_work
from ._jax_fit import check_fit
from ._jax_layout import order_shape
from ._jax_rows import DeviceRows, bytes_of, rows_of
from ._jax_session import JaxSession
from ._jax_step import Rows
from ._program import (
    Chunk,
    Info,
    Member,
    ProgramOptions,
    State,
    Structure,
    TrainingRows,
    Window,
)
from ._state import at_best, initial_state

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
        held: rows that programs share on the devices; None shares none.
    """

    def __init__(
        self,
        structure: Structure,
        rows: TrainingRows,
        options: ProgramOptions | None = None,
        held: DeviceRows | None = None,
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
            self._rows = (held or DeviceRows()).of(structure, rows, self._shared)
            self._streamed = rows.streamed
        self._given: tuple[Window, Rows] | None = None
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
        rows = bytes_of(self._rows)
        each = max(0, sizes - told.alias_size_in_bytes - rows) * devices
        return lanes if each <= memory else max(1, int(lanes * memory / each))

    def _rows_of(self, chunk: Chunk) -> Rows:
        """Return the rows of a call; those of a window that comes again are put there once."""
        if chunk.window is None or self._streamed:
            self._given = None
        elif self._given is not None and self._given[0] is chunk.window:
            return self._given[1]
        rows = rows_of(chunk, self._rows, self.structure, self._shared, streamed=self._streamed)
        if chunk.window is not None and not self._streamed:
            self._given = chunk.window, rows
        return rows

    def _precision(self):
        return jax.enable_x64(True) if self.structure.dtype == "float64" else _as_it_is()

    def _compiled(self, lanes: int):
        global _COUNT
        # In float32 an accelerator would multiply with fewer bits (TF32), 1e-3 off the formula.
        exact = "highest" if self.options.width > 1 else None
        with self._precision(), jax.default_matmul_precision(exact):
            compiled = compiled_work(
                self.structure, self._mesh, self._rows, lanes, in_turn=self.options.width == 1
            )
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

    def fits(self, member: Member) -> bool:
        """Whether its structure has what a member needs, from the start and after each change."""
        try:
            for stage in member.stages():
                check_fit(stage, self.structure)
        except (ValueError, UsageError):
            return False
        return True

    def load(self, members: Sequence[Member], states: Sequence[State | None]) -> JaxSession:
        """Put members with their states into lanes; None begins a member anew.

        Raises:
            ValueError: when there are more members than lanes, or one that does not fit.
        """
        if len(members) > self.lanes:
            raise ValueError(f"{len(members)} members do not fit {self.lanes} lanes")
        for member in members:
            check_fit(member, self.structure)
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


def _default_options(platform: str) -> ProgramOptions:
    return ProgramOptions(lanes=16, width=1) if platform == "cpu" else ProgramOptions(256, 256)


@contextlib.contextmanager
def _as_it_is():
    yield
