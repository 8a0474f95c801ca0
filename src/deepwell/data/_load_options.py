"""What the user said about the data, checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepwell._base._errors import UsageError, did_you_mean

from ._class_weight import class_weight_option
from ._names import flag, quoted
from ._split_kinds import KINDS as SPLIT_KINDS
from ._table_input import Source
from ._task import KINDS


@dataclass(frozen=True)
class LoadOptions:
    """The options of `load`, in the form in which its steps use them.

    Attributes:
        target, task, split, group, time, split_column, seed, name: as given.
        dev_size, test_size: rows or share wanted, or None.
        dev_source, test_source: given rows, or None.
        train_dev: rows or share of train to hold out for a train-dev slice, or None.
        weights: column of sample weights, or None.
        class_weight: `balanced`, or label -> factor, or None.
        human_labels: column of people's labels, or None; it is among `ignore`.
        keep, ignore: names of columns.
        vault: folder, or None.
    """

    target: str | None
    task: str | None
    split: str | None
    group: str | None
    time: str | None
    split_column: str | None
    dev_size: float | None
    test_size: float | None
    dev_source: Source
    test_source: Source
    train_dev: float | None
    weights: str | None
    class_weight: str | dict[str, float] | None
    human_labels: str | None
    keep: tuple[str, ...]
    ignore: tuple[str, ...]
    seed: int | None
    name: str | None
    vault: Path | None

    @property
    def given_parts(self) -> bool:
        """Whether both dev and test rows were given, so that nothing is left to be split."""
        return self.dev_source is not None and (self.test_source is not None or self.test_size == 0)


def checked_options(given: dict[str, Any]) -> LoadOptions:
    """Return the options, or say what is wrong with one of them.

    Raises:
        UsageError: when a value is not allowed, or two of them contradict each other.
    """
    _one_of("task", given["task"], KINDS)
    _one_of("split", given["split"], SPLIT_KINDS)
    seed = given["seed"]
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise UsageError(f"`seed` must be a whole number of at least 0, got {quoted(seed)}")
    dev_size, dev_source = _size_or_source("dev", given["dev"])
    test_size, test_source = _size_or_source("test", given["test"])
    if dev_size == 0:
        raise UsageError("`dev` must hold rows, got 0; networks are compared on them")
    human = _column(given["human_labels"])
    ignored = _columns(given["ignore"])
    options = LoadOptions(
        target=_column(given["target"]),
        task=given["task"],
        split=given["split"],
        group=_column(given["group"]),
        time=_column(given["time"]),
        split_column=_column(given["split_column"]),
        dev_size=dev_size,
        test_size=test_size,
        dev_source=dev_source,
        test_source=test_source,
        train_dev=_train_dev(given["train_dev"]),
        weights=_column(given["weights"]),
        class_weight=class_weight_option(given["class_weight"]),
        keep=_columns(given["keep"]),
        human_labels=human,
        ignore=ignored if human is None or human in ignored else (*ignored, human),
        seed=seed,
        name=given["name"],
        vault=None if given["vault"] is None else Path(given["vault"]),
    )
    _check_agreement(options)
    return options


def _check_agreement(options: LoadOptions) -> None:
    both = set(options.keep) & set(options.ignore)
    if both:
        raise UsageError(f"`keep` and `ignore` both name {quoted(min(both))}; name it in one")
    splitting = {"group": options.group, "time": options.time, "split_column": options.split_column}
    if options.weights is not None and options.weights in splitting.values():
        raise UsageError(
            f"column {quoted(options.weights)} splits the rows; it cannot be their weight too"
        )
    for option, column in splitting.items():
        kind = option.removeprefix("split_")
        if options.split == kind and column is None:
            raise UsageError(
                f"split {kind} needs a column; give --{option.replace('_', '-')} COLUMN"
            )
        if column is not None and options.split not in (None, kind):
            raise UsageError(
                f"`{option}` belongs to split {kind}, got split {options.split}; leave one out "
                f"({flag('ignore', column)} keeps a column out of the inputs)"
            )
    named = [option for option, column in splitting.items() if column is not None]
    if len(named) > 1:
        shown = " or ".join(f"`{option}`" for option in named)
        raise UsageError(f"give {shown}, not both; rows are split by one of them")
    _check_split_column(options)


def _check_split_column(options: LoadOptions) -> None:
    column = options.split_column
    if column is None:
        return
    if column in options.keep:
        raise UsageError(
            f"column {quoted(column)} says which rows are test rows; it cannot be an input, so "
            "leave `keep` out"
        )
    sized = {
        "dev": options.dev_size is not None or options.dev_source is not None,
        "test": options.test_size or options.test_source is not None,
    }
    for option, given in sized.items():
        if given:
            raise UsageError(
                f"column {quoted(column)} says which rows are {option} rows, and so does "
                f"`{option}`; leave one out"
            )


def _one_of(option: str, value: object, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise UsageError(
            f"`{option}` must be one of {', '.join(allowed)}, got {quoted(value)}"
            f"{did_you_mean(str(value), allowed)}"
        )


def _size_or_source(part: str, given: Any) -> tuple[float | None, Source]:
    """Tell a size (`500`, `0.2`, also as text that is no file's name) from given rows."""
    if given is None:
        return None, None
    if isinstance(given, bool):
        raise UsageError(f"`{part}` must be a number of rows, a share, or given rows, got {given}")
    if isinstance(given, int | float):
        return float(given), None
    if isinstance(given, str) and not _is_file(given):
        try:
            return float(given), None
        except ValueError:
            return None, given
    return None, given


def _train_dev(given: Any) -> float | None:
    """Return rows or a share, or None for no slice."""
    size, source = _size_or_source("train_dev", given)
    if source is not None or size == 0:
        raise UsageError(
            f"`train_dev` must be a number of rows or a share of train, got {quoted(given)}; leave "
            "it out for no train-dev slice"
        )
    return size


def _is_file(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long, or with a zero byte: reading it will say so
        return False


def _column(name: object) -> str | None:
    return None if name is None else str(name)


def _columns(names: object) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        return (str(names),)
    return tuple(str(name) for name in names)
