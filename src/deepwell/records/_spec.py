"""A configuration, fully said: what a trial's curve depends on, and nothing else."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS, Value, changes_of, complete


@dataclass(frozen=True, eq=False)
class TrialSpec:
    """One configuration, seed and data view; a trial's curve depends on its spec alone.

    Attributes:
        hyperparameters: every declared hyperparameter with its real value.
        seed: of the initial weights and the dropout masks.
        order_seed: of the mini-batch order; members of a study share it by default, so that
            comparisons are sharper (common random numbers).
        dtype: `float32` or `float64`, of all arithmetic.
        fold: the fold that is held out as dev rows, counted from 1; 0 for the study's own dev rows.
        folds: into how many folds train and dev rows are cut; 0 without cross-validation.
        rows: how many of the train rows it trains on, in as many steps as all would take; 0 for
            all of them.
        subset: which random choice of these rows, counted from 1; those of one number are nested.
            0 where it trains on all.
    """

    hyperparameters: Mapping[str, Value]
    seed: int
    order_seed: int = 0
    dtype: str = "float32"
    fold: int = 0
    folds: int = 0
    rows: int = 0
    subset: int = 0

    def __post_init__(self) -> None:
        values = MappingProxyType(complete(self.hyperparameters))
        object.__setattr__(self, "hyperparameters", values)
        object.__setattr__(self, "seed", operator.index(self.seed))
        object.__setattr__(self, "order_seed", operator.index(self.order_seed))
        if self.dtype not in ("float32", "float64"):
            raise UsageError(f"`dtype` must be float32 or float64, got {self.dtype!r}")
        if not (self.fold == self.folds == 0 or 1 <= self.fold <= self.folds):
            raise UsageError(
                f"`fold` must be 1 to `folds`, or both 0, got fold {self.fold} of {self.folds}"
            )
        if not (self.rows == self.subset == 0 or min(self.rows, self.subset) >= 1):
            raise UsageError(
                "`rows` and `subset` must both be 1 or more, or both 0, got "
                f"{self.rows} rows of subset {self.subset}"
            )

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrialSpec) and self.to_json() == other.to_json()

    def __getitem__(self, name: str) -> Value:
        return self.hyperparameters[name]

    def structure(self) -> tuple[tuple[str, Value], ...]:
        """Return the choices that shape a program: what members of one program must share."""
        shaping = [
            (name, self.hyperparameters[name])
            for name, declared in HYPERPARAMETERS.items()
            if declared.structural
        ]
        stages = [self.during(epoch + 1) for epoch in (0, *self.changes)]
        switches = [
            ("drops", any(max(stage.dropout, default=0.0) > 0 for stage in stages)),
            ("drops_inputs", any(stage.number("input_dropout") > 0 for stage in stages)),
            ("smooths", any(stage.number("label_smoothing") > 0 for stage in stages)),
        ]
        return (*shaping, *switches, ("dtype", self.dtype))

    def number(self, name: str) -> float:
        """Return a numeric hyperparameter as a float."""
        return float(self.hyperparameters[name])  # type: ignore[arg-type]

    def text(self, name: str) -> str:
        """Return a hyperparameter that is a name."""
        return str(self.hyperparameters[name])

    def whole(self, name: str) -> int:
        """Return a hyperparameter that is a whole number."""
        return int(self.hyperparameters[name])  # type: ignore[arg-type]

    @property
    def hidden_units(self) -> tuple[int, ...]:
        """Units of each hidden layer, first to last."""
        return tuple(self.hyperparameters["hidden_units"])  # type: ignore[arg-type]

    @property
    def dropout(self) -> tuple[float, ...]:
        """Dropout rate of each hidden layer, first to last."""
        rates = self.hyperparameters["dropout"]
        if isinstance(rates, tuple):
            return tuple(float(rate) for rate in rates)
        return (float(rates),) * len(self.hidden_units)

    @property
    def changes(self) -> Mapping[int, Mapping[str, Value]]:
        """What changes by hand after which epoch, first to last: name -> value."""
        return changes_of(self.text("change"))

    def during(self, epoch: int) -> TrialSpec:
        """Return the specification whose numbers are those of an epoch, counted from 1.

        >>> spec = TrialSpec({"change": "10: learning_rate=0.01"}, seed=0)
        >>> [spec.during(epoch)["learning_rate"] for epoch in (10, 11)]
        [0.001, 0.01]
        """
        changes = self.changes
        if not changes:
            return self
        values = {**self.hyperparameters, "change": "none"}
        for after, numbers in changes.items():
            values |= numbers if after < epoch else {}
        return replace(self, hyperparameters=values)

    @property
    def conv_channels(self) -> tuple[int, ...]:
        """Channels of each convolutional layer, first to last; empty for none."""
        return tuple(self.hyperparameters["conv_channels"])  # type: ignore[arg-type]

    def to_json(self) -> str:
        """Return the spec as one line of JSON with sorted names."""
        plain: dict[str, object] = {
            "hyperparameters": dict(self.hyperparameters),
            "seed": self.seed,
            "order_seed": self.order_seed,
            "dtype": self.dtype,
        }
        if self.folds:
            plain |= {"fold": self.fold, "folds": self.folds}
        if self.rows:
            plain |= {"rows": self.rows, "subset": self.subset}
        return json.dumps(plain, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> TrialSpec:
        """Return the spec that `to_json` wrote."""
        plain = json.loads(text)
        return TrialSpec(
            hyperparameters=plain["hyperparameters"],
            seed=plain["seed"],
            order_seed=plain["order_seed"],
            dtype=plain["dtype"],
            fold=plain.get("fold", 0),
            folds=plain.get("folds", 0),
            rows=plain.get("rows", 0),
            subset=plain.get("subset", 0),
        )
