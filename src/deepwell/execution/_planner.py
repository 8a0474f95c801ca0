"""Which trials share a program: padded work against compile time.

Trials that agree in all but their widths may share one program at the largest width among
them. Sorted by work, every sensible grouping is a cut of the sorted list, so the cheapest one is
found by dynamic programming over the cuts:

    cost(group) = compile seconds + seconds of training its members at the group's widths.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deepwell.data._batches import steps_per_epoch
from deepwell.data._image_augmentations import STRENGTHS
from deepwell.optimization._foreign import is_foreign
from deepwell.training._program import EXTRAS, Member, ProgramOptions, Structure

_GATHERED = 1 << 26  # numbers of a call's batches: a quarter of a gigabyte


@dataclass(frozen=True)
class Machine:
    """What the planner assumes of the machine; measured on 2 cores of a server CPU.

    Attributes:
        compile_seconds: wall seconds that one more program costs when all cores compile.
        multiply_adds: useful multiply-adds a second, all cores together.
        chunk_seconds: longest time of one call, so that a stop is answered soon.
        lanes: members in flight on one device.
        width: members that a device moves as one vectorized step.
        narrower: smaller widths worth a program of their own, falling, where `width` is above 1.
        devices: cores or accelerators.
        memory: bytes that the states in flight may take.
    """

    compile_seconds: float = 0.9
    multiply_adds: float = 1.5e10
    chunk_seconds: float = 0.5
    lanes: int = 16
    width: int = 1
    narrower: tuple[int, ...] = ()
    devices: int = 1
    memory: int = 2 * 1024**3


@dataclass(frozen=True)
class Shape:
    """The data and task as programs see them.

    Attributes:
        train_rows, dev_rows: true rows.
        inputs: D; outputs: raw outputs of a row; loss; score: the metric that is watched.
        image: height, width and channels where inputs are an image's numbers, else empty.
        views: data views, such as folds; `train_rows` and `dev_rows` are those of the largest.
        window_rows: train rows that a call may be given where they are streamed; 0 where a program
            holds them all.
    """

    train_rows: int
    dev_rows: int
    inputs: int
    outputs: int
    loss: str
    score: str
    window_rows: int = 0
    views: int = 1
    image: tuple[int, ...] = ()

    def call_steps(self, batch: int, steps: int) -> int:
        """Return the update steps of one call: those wanted, or those whose rows fit a window."""
        return min(steps, max(1, self.window_rows // batch)) if self.window_rows else steps

    def held_rows(self, batch: int, steps: int) -> int:
        """Return the train rows that a program holds at a time: all, or those of a call."""
        return steps * batch if self.window_rows else self.train_rows


@dataclass(frozen=True)
class Bucket:
    """One program and the trials that it trains."""

    structure: Structure
    trials: tuple[int, ...]
    options: ProgramOptions

    @property
    def programs(self) -> int:
        """Programs that it compiles."""
        return 1 + len(self.options.narrower)


@dataclass(frozen=True)
class Plan:
    """The programs of a study, largest work first.

    Attributes:
        buckets: one a program.
        useful, executed: multiply-adds of one epoch of all trials, without and with padding.
    """

    buckets: tuple[Bucket, ...]
    useful: float
    executed: float

    @property
    def programs(self) -> int:
        """Programs to compile: one a bucket, and one for each narrower width planned ahead."""
        return sum(bucket.programs for bucket in self.buckets)


def padded_size(n: int, parts: int = 8) -> int:
    """Return the next of about `parts` sizes an octave: at most 1/parts is wasted.

    >>> padded_size(1078), padded_size(13), padded_size(64)
    (1152, 13, 64)
    """
    step = max(1, 2 ** (max(n - 1, 1).bit_length() - 1) // parts)
    return -(-n // step) * step


def plan(
    members: Mapping[int, Member],
    batch_sizes: Mapping[int, int],
    epochs: float,
    shape: Shape,
    machine: Machine,
) -> Plan:
    """Return the programs for these trials.

    Args:
        members: trial number -> member.
        batch_sizes: trial number -> rows of a batch as asked for.
        epochs: epochs that a trial trains on average (schedulers stop most early).
        shape: data and task.
        machine: what is assumed of the machine.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, member in members.items():
        a = member.architecture
        batch = min(batch_sizes[number], shape.train_rows)
        options = (a.pieces, a.batch_norm, a.residual)
        key = (
            len(a.hidden),
            a.activation,
            (*options, a.front),
            member.optimizer,
            batch,
            member.dtype,
            (a.hidden,) if is_foreign(member.optimizer) else (),
        )
        groups.setdefault(key, []).append(number)
    buckets: list[Bucket] = []
    useful = executed = 0.0
    for (_, _, _, _, batch, _, exact), numbers in groups.items():
        assert isinstance(batch, int)
        visits = epochs * shape.train_rows
        for cut in [numbers] if exact else _cut(members, numbers, visits, machine):
            bucket = _bucket(members, cut, batch, shape, machine)
            buckets.append(bucket)
            executed += _work(bucket.structure) * len(cut) * shape.train_rows
            useful += sum(members[n].architecture.multiply_adds() for n in cut) * shape.train_rows
    buckets.sort(key=lambda b: -len(b.trials) * _work(b.structure))
    return Plan(tuple(buckets), useful, executed)


def _work(structure: Structure) -> int:
    return structure.network.multiply_adds()


def _envelope(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the smallest padded widths that hold all shapes, whole vectors of 8 wide."""
    return tuple(-(-max(units) // 8) * 8 for units in zip(*shapes, strict=True))


def _cut(
    members: Mapping[int, Member], numbers: Sequence[int], row_visits: float, machine: Machine
) -> list[list[int]]:
    """Return the cheapest cut of one group into programs."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for number in numbers:
        by_shape.setdefault(members[number].architecture.hidden, []).append(number)
    first = members[numbers[0]].architecture

    @functools.cache  # few widths are left once they are rounded up
    def work(hidden: tuple[int, ...]) -> float:
        return replace(first, hidden=hidden).multiply_adds()

    shapes = sorted(by_shape, key=lambda h: (work(h), h))
    rounded = [_envelope([h]) for h in shapes]
    seconds = row_visits / machine.multiply_adds
    best = [0.0] + [float("inf")] * len(shapes)
    start_of = [0] * (len(shapes) + 1)
    for end in range(1, len(shapes) + 1):
        count, widest = 0, rounded[end - 1]
        for begin in range(end - 1, -1, -1):
            count += len(by_shape[shapes[begin]])
            widest = tuple(map(max, widest, rounded[begin]))
            cost = machine.compile_seconds + count * seconds * work(widest)
            if best[begin] + cost < best[end]:
                best[end], start_of[end] = best[begin] + cost, begin
    cuts: list[list[int]] = []
    end = len(shapes)
    while end:
        begin = start_of[end]
        cuts.append(sorted(n for h in shapes[begin:end] for n in by_shape[h]))
        end = begin
    return cuts[::-1]


def _bucket(
    members: Mapping[int, Member],
    numbers: Sequence[int],
    batch: int,
    shape: Shape,
    machine: Machine,
) -> Bucket:
    some = members[numbers[0]]
    # What an Optax transformation does to padding is its own affair: there is none.
    exact = is_foreign(some.optimizer)
    shapes = [members[n].architecture.hidden for n in numbers]
    stages = [stage for n in numbers for stage in members[n].stages()]
    hidden = shapes[0] if exact else _envelope(shapes)
    arrays = 4  # parameters, best parameters and at most two slots
    inputs = shape.inputs if exact else padded_size(shape.inputs)
    wide = replace(some.architecture, inputs=inputs, hidden=hidden, outputs=shape.outputs)
    held = wide.parameters * arrays * 8
    lanes = max(1, min(machine.lanes, machine.memory // max(1, held * machine.devices)))
    work = wide.multiply_adds() * batch
    per_step = lanes * work / (machine.multiply_adds / machine.devices)
    steps = steps_per_epoch(shape.train_rows, batch)
    steps = max(1, min(steps, int(machine.chunk_seconds / max(per_step, 1e-9))))
    if shape.views > 1:  # each view's batches of a call are gathered before its first step
        steps = max(1, min(steps, _GATHERED // (shape.views * batch * inputs)))
    # A loop of one step would be unrolled into arithmetic that rounds otherwise.
    steps = max(2, padded_size(shape.call_steps(batch, steps)))
    extras = tuple(e for e in EXTRAS if any(stage.number(e) > 0 for stage in stages))
    structure = Structure(
        inputs=inputs,
        hidden=hidden,
        outputs=shape.outputs,
        loss=shape.loss,
        activation=some.architecture.activation,
        optimizer=some.optimizer,
        batch=batch,
        drops=any(any(stage.architecture.dropout) for stage in stages),
        train_rows=padded_size(shape.held_rows(batch, steps) + 1),
        dev_rows=padded_size(shape.dev_rows),
        steps=steps,
        score=shape.score,
        dtype=some.dtype,
        drops_inputs=any(stage.architecture.input_dropout for stage in stages),
        smooths=any(stage.number("label_smoothing") for stage in stages),
        pieces=wide.pieces,
        batch_norm=wide.batch_norm,
        residual=wide.residual,
        extras=extras,
        views=shape.views,
        front=some.architecture.front,
        image=shape.image if set(extras) & set(STRENGTHS) else (),
    )
    return Bucket(structure, tuple(numbers), _options(lanes, len(numbers), machine))


def _options(lanes: int, trials: int, machine: Machine) -> ProgramOptions:
    """Return the lanes of a program, no wider a step than its trials need, and narrower ones."""
    if machine.width == 1:
        return ProgramOptions(lanes=lanes, width=1)
    widths = [lanes, *(n for n in machine.narrower if n < lanes)]
    needed = [n for n in widths if n * machine.devices >= trials]
    lanes = min(needed, default=lanes)
    narrower = tuple(n for n in widths if n < lanes)
    return ProgramOptions(lanes=lanes, width=min(machine.width, lanes), narrower=narrower)
