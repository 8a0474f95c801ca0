"""The contract of a program: it trains the members of one structure.

    advance(members, states, order, ...) -> (states, info)

A *state* is what the next step needs: named NumPy arrays of the member's true shapes, so a
member may start in one program and go on in another. *Info* leaves and never comes back. Numbers
that vary between members (rates, penalties, seeds) are data; what shapes the code (padded widths,
activation, optimizer, batch size) is the *structure*, and one structure is one program.

What a program must hold, for every member, whoever trains beside it:

- draws depend on the member's seed, the purpose, the step and the coordinates alone;
- results do not depend on the lane, the other members or their number;
- padding is exact: a 53-unit layer in a 64-unit structure is the 53-unit layer;
- a member that diverges keeps its status and step, and its neighbours are untouched to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS, validate
from deepwell.data._image_augmentations import STRENGTHS
from deepwell.networks._architecture import Architecture
from deepwell.networks._convolutions import Convolutions
from deepwell.optimization._learning_rate import SCHEDULE_NUMBERS

State = dict[str, np.ndarray]

# Hyperparameters that are numbers: they differ between members, and may change on the way.
NUMBERS = (
    "learning_rate",
    *SCHEDULE_NUMBERS,
    "momentum",
    "beta1",
    "beta2",
    "epsilon",
    "epsilon_root",
    "l2",
    "l1",
    "weight_decay",
    "max_norm",
    "clip_value",
    "clip_norm",
    "gradient_noise",
    "batch_norm_momentum",
    "label_smoothing",
    "input_noise",
    "mixup",
    *STRENGTHS,
)
# Rates that may change as well; they belong to the architecture.
RATES = ("dropout", "input_dropout")
# Those of them that need work of their own in each step, and are off at 0.
EXTRAS = (
    "l1",
    "clip_value",
    "clip_norm",
    "gradient_noise",
    "max_norm",
    "input_noise",
    "mixup",
    *STRENGTHS,
)


@dataclass(frozen=True)
class Structure:
    """What members of one program share.

    Attributes:
        inputs: D, features after padding.
        hidden: padded units of each hidden layer.
        outputs: raw outputs of a row.
        loss: `softmax`, `logistic` or `squared`.
        activation: of the hidden layers.
        optimizer: name of the rule.
        batch: B, rows of a batch.
        drops: whether any member drops hidden units; drops_inputs: or inputs.
        smooths: whether any member smooths its labels.
        pieces, batch_norm, residual: as in `Architecture`.
        extras: which of `EXTRAS`, techniques that cost time, any member uses.
        train_rows, dev_rows: rows of the padded data, at least one more than the true train rows;
            where rows are streamed, `train_rows` are those of a window, at least one more than
            `steps` batches hold.
        steps: update steps of one call, at most.
        front: convolutional layers before the dense ones.
        image: height, width and channels of a row, where a member augments images.
        views: data views, such as folds, of which each member has one.
        score: metric that early stopping and selection watch, lower is better.
        dtype: `float32` or `float64`.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    loss: str
    activation: str
    optimizer: str
    batch: int
    drops: bool
    train_rows: int
    dev_rows: int
    steps: int
    score: str
    dtype: str = "float32"
    extras: tuple[str, ...] = ()
    drops_inputs: bool = False
    smooths: bool = False
    pieces: int = 1
    batch_norm: str = "none"
    residual: int = 0
    views: int = 1
    front: Convolutions | None = None
    image: tuple[int, ...] = ()

    @property
    def network(self) -> Architecture:
        """The network at its padded widths."""
        return Architecture(
            self.inputs,
            self.hidden,
            self.outputs,
            self.activation,
            loss=self.loss,
            pieces=self.pieces,
            batch_norm=self.batch_norm,
            residual=self.residual,
            front=self.front,
        )


@dataclass(frozen=True)
class Member:
    """One network to be trained: its true shape and its numbers.

    Attributes:
        architecture: true widths, at most those of the structure.
        optimizer: name of the rule.
        initializer: scheme of the initial weights.
        initializer_scale: factor on the initial weights.
        seed: of weights, dropout masks and gradient noise.
        numbers: those of `NUMBERS` that are not at their defaults.
        decay: name of the learning-rate schedule.
        rms_start: what RMSprop's average starts from, `zero` or `first_gradient`.
        patience: epochs without a better dev score before it stops; 0 never stops.
        dtype: of all arithmetic.
        view: the data view whose rows it trains on and is scored on, counted from 0.
        changes: what numbers and rates it has from the step after an epoch on, by that epoch; who
            trains it sees to that with `Session.change`.
    """

    architecture: Architecture
    optimizer: str
    initializer: str
    seed: int
    numbers: Mapping[str, float]
    decay: str = "constant"
    patience: int = 0
    dtype: str = "float32"
    rms_start: str = "zero"
    initializer_scale: float = 1.0
    view: int = 0
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict[int, Mapping[str, Any]])

    def __post_init__(self) -> None:
        for name in self.numbers:
            if name not in NUMBERS:
                raise ValueError(f'"{name}" is none of the numbers of a member: {list(NUMBERS)}')

    def number(self, name: str) -> float:
        """Return one of `NUMBERS`: what was given, else the hyperparameter's default."""
        return float(self.numbers.get(name, HYPERPARAMETERS[name].default or 0.0))  # type: ignore[arg-type]

    def stages(self) -> tuple[Member, ...]:
        """Return the member as it is at first, and after each of its changes."""
        stages: list[Member] = [self]
        for _, numbers in sorted(self.changes.items()):
            stages.append(stages[-1].changed(numbers))
        return tuple(stages)

    def during(self, epoch: int) -> Member:
        """Return the member with the numbers that it has in an epoch, for good."""
        passed = sum(after < epoch for after in self.changes)
        return replace(self.stages()[passed], changes={})

    def changed(self, numbers: Mapping[str, float]) -> Member:
        """Return the member with other numbers.

        Raises:
            UsageError: when a value is out of its range.
            ValueError: when a name is none of `NUMBERS` and `RATES`.
        """
        for name in numbers:
            if name not in (*NUMBERS, *RATES):
                what = ", ".join((*NUMBERS, *RATES))
                raise ValueError(f'"{name}" cannot change while a member trains; what can: {what}')
        checked: dict[str, Any] = {n: validate(n, value) for n, value in numbers.items()}
        a = self.architecture
        rates = checked.pop("dropout", a.dropout)
        if isinstance(rates, float):
            rates = (rates,) * len(a.hidden)
        if len(rates) not in (0, len(a.hidden)):
            raise UsageError(
                f"`dropout` lists {len(rates)} layers but there are {len(a.hidden)} hidden layers; "
                "give one rate for all, or one a layer"
            )
        seen = checked.pop("input_dropout", a.input_dropout)
        architecture = replace(a, dropout=rates, input_dropout=seen)
        return replace(self, architecture=architecture, numbers={**self.numbers, **checked})


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The rows that a program sees: train and dev, never a test row.

    Attributes:
        x_train: (n, D); y_train: (n,); weight_train: (n,) sample weights.
        x_dev: (k, D); y_dev: (k,); weight_dev: (k,).
        streamed: whether the train rows stay where they are (in a memory-mapped file) and come
            to a program as the `Window` of each call; the dev rows are always held.
        others: the rows of further data views, with as many features; none of them streamed.
        parts: of these rows that members train on instead, by what their specifications say: how
            many rows and which choice -> (r,) their numbers. Each is a data view; all are scored
            on the same dev rows.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    weight_train: np.ndarray
    x_dev: np.ndarray
    y_dev: np.ndarray
    weight_dev: np.ndarray
    streamed: bool = False
    others: tuple[TrainingRows, ...] = ()
    parts: Mapping[tuple[int, int], np.ndarray] = field(
        default_factory=dict[tuple[int, int], np.ndarray]
    )

    @property
    def views(self) -> tuple[TrainingRows, ...]:
        """The rows that every data view is of; members of view v train on those at place v."""
        return (self,) * len(self.parts) if self.parts else (self, *self.others)

    @property
    def held(self) -> tuple[TrainingRows, ...]:
        """The rows that are in memory, each once."""
        return (self, *self.others)

    def view_of_part(self, rows: int, subset: int) -> int:
        """Return the place of the data view of a part."""
        return list(self.parts).index((rows, subset))


class Outcome:
    """Codes of a member's status inside a state."""

    RUNNING = 0
    EARLY_STOPPED = 1
    DIVERGED = 2


@dataclass(frozen=True)
class Info:
    """What one call tells an observer.

    Attributes:
        train_cost, dev_cost, dev_score: (P,) float64; NaN where a member did not train.
        outcome: (P,) codes of `Outcome`.
        step: (P,) update steps done; for a diverged member the step that diverged.
        best_epoch: (P,) epoch of the best dev score, 0 when there is none.
        moved: (P,) whether the member trained in this call.
        useful, executed: multiply-adds of the call's update steps at the members' true sizes, and
            as done with padded widths, padded rows and idle lanes; both 0 where nothing is padded.
    """

    train_cost: np.ndarray
    dev_cost: np.ndarray
    dev_score: np.ndarray
    outcome: np.ndarray
    step: np.ndarray
    best_epoch: np.ndarray
    moved: np.ndarray
    useful: float = 0.0
    executed: float = 0.0


@dataclass(frozen=True)
class Window:
    """The train rows of one call, gathered for it and shared by all members.

    Attributes:
        x: (m, D); y: (m,); weight: (m,), as in `TrainingRows`.

    Raises:
        ValueError: when they are not equally long.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.x) == len(self.y) == len(self.weight):
            raise ValueError(
                "x, y and weight of a window must be equally long, got "
                f"{len(self.x)}, {len(self.y)} and {len(self.weight)}"
            )


@dataclass(frozen=True)
class Chunk:
    """The steps of one call.

    Attributes:
        order: (steps, B) int32 rows of each batch, `n` where a short batch holds no row; for
            several data views (V, steps, B), one order for each.
        epoch: the epoch that these steps belong to, counted from 1.
        ends_epoch: whether the dev set is scored after them.
        window: the rows that `order` counts in, for a program whose rows are streamed; with m of
            them, `m` is the place of a short batch that holds no row.
    """

    order: np.ndarray
    epoch: int
    ends_epoch: bool = True
    window: Window | None = None


class Session(Protocol):
    """Members loaded into a program's lanes."""

    def advance(self, chunk: Chunk, should_stop: Callable[[], bool] | None = None) -> Info:
        """Move every running member through the chunk's steps.

        Args:
            chunk: the steps.
            should_stop: asked while the call works, as often as the program can; True ends the
                call early, each member after a whole number of steps, which its state tells.
        """
        ...

    def change(self, index: int, numbers: Mapping[str, float]) -> None:
        """Give a member other numbers from the next call on; nothing is compiled.

        It goes on as a member that had these numbers from there: bit for bit.

        Args:
            index: of the member, in the order in which they were loaded.
            numbers: by their names in `NUMBERS` and `RATES`; the others stay.

        Raises:
            UsageError: when a value is out of its range.
            ValueError: when a name is none of these, or the program was not made for a
                technique that was off in all its members.
        """
        ...

    def states(self) -> list[State]:
        """Return the members' states, in the order in which they were loaded."""
        ...

    def read(self, indices: Sequence[int] | None = None) -> Iterator[State]:
        """Yield the same one after another, so that few of them are in memory twice.

        Args:
            indices: of the members that are wanted, in their order; None for all.
        """
        ...

    def said(self, index: int) -> np.ndarray | None:
        """Return a member's raw outputs (k, outputs) of its dev rows when they were scored last.

        None where the program does not keep them, or the member was not scored yet.
        """
        ...


class Program(Protocol):
    """The compiled code of one structure."""

    structure: Structure
    lanes: int  # members that one session can hold
    compile_seconds: float  # wall time that compiling took, 0 for what was compiled before

    def fits(self, member: Member) -> bool:
        """Whether it can train a member, from the start and after each of its changes."""
        ...

    def load(self, members: Sequence[Member], states: Sequence[State | None]) -> Session:
        """Put members (at most `lanes`) with their states into lanes; None begins one anew."""
        ...

    def evaluate(self, members: Sequence[Member], states: Sequence[State]) -> Info:
        """Score the *best* weights of each state on the dev rows; no state changes."""
        ...


@dataclass(frozen=True)
class ProgramOptions:
    """How a program uses the machine.

    Attributes:
        lanes: members in flight on each device.
        width: members that one device moves as one vectorized step: 1 on a CPU, where a small
            network's state stays in the core's cache; else all lanes, as on a GPU.
        narrower: smaller widths compiled ahead as well, falling, for the members that are left
            when most of a wide step have ended.
    """

    lanes: int = 16
    width: int = 1
    narrower: tuple[int, ...] = ()

    def within(self, lanes: int) -> ProgramOptions:
        """Return the same with at most so many lanes on each device."""
        lanes = min(self.lanes, lanes)
        narrower = tuple(n for n in self.narrower if n < lanes)
        return ProgramOptions(lanes, min(self.width, lanes), narrower)
