"""The command that fits again with a change: of one network, or of how rows are read and split."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from deepwell._base._changes import changes_text
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS, changes_of, complete
from deepwell._base._safe_text import safe_text
from deepwell.data._class_weight import class_weight_option
from deepwell.data._data import Data
from deepwell.diagnosis._metrics import default_metric

# What a search draws unless it is fixed; units and layers are said together.
_SEARCHED = ("learning_rate", "dropout", "l2", "activation", "optimizer", "batch_size", "epochs")
_BY_UNITS = ("hidden_units", "hidden_layers", "conv_layers", "conv_channels")
_SPLIT = ("task", "split", "group", "time", "split_column", "dev", "test", "train_dev")
_ROWS = (*_SPLIT, "weights", "class_weight", "human_labels", "keep", "ignore")
_UNSAYABLE = "\0"
_EXACT = 5e-4  # of a number: four digits
_WORD_LIMIT = 4096  # of a path, on the systems that bound it


def change_command(
    data: Data,
    metric: str,
    values: Mapping[str, object],
    folds: int = 0,
    best_possible: float | None = None,
) -> str:
    """Return the command that trains one network on the same rows, or an empty text for none.

    There is none where the rows come from no file, where a name has characters that cannot be
    shown, or where labels with weights have some that the command line cannot tell apart.

    Args:
        data: of the study.
        metric: that it selects by.
        values: all hyperparameters of the network, its change among them.
        folds: of the study's cross-validation; 0 for none.
        best_possible: the score that the study was given.
    """
    if data.origin is None:
        return ""
    words = _fit_words(data, data.origin.options, metric, folds, best_possible)
    words += ["--trials", "1"]
    words += _network_flags(values)
    if data.image:
        words += _convolution_flags(values)
    return _shown(words)


def rows_command(
    data: Data,
    metric: str,
    flags: Mapping[str, object],
    folds: int = 0,
    best_possible: float | None = None,
) -> str:
    """Return the command that fits again with the rows read or split otherwise, or an empty text.

    Args:
        data: of the study.
        metric: that it selects by.
        flags: options of `load` that change, by name; a column to `ignore` comes on top of those
            that were ignored, and a `split` takes the place of what split the rows before.
        folds: of the study's cross-validation; 0 for none.
        best_possible: the score that the study was given.
    """
    if data.origin is None:
        return ""
    options = dict(data.origin.options)
    if "split" in flags:
        options |= dict.fromkeys(("group", "time", "split_column"))
    for name, value in flags.items():
        before = options.get(name)
        options[name] = [*before, value] if isinstance(before, list | tuple) else value
    return _shown(_fit_words(data, options, metric, folds, best_possible))


def _fit_words(
    data: Data,
    options: Mapping[str, object],
    metric: str,
    folds: int,
    best_possible: float | None,
) -> list[str]:
    """Return the words that read and split rows by these options."""
    assert data.origin is not None
    facts = data.facts
    words = ["deepwell", "fit", _nearby(data.origin.source), "--target", facts.target]
    words += _row_flags(options)
    if metric != default_metric(facts.task).name:
        words += ["--metric", metric]
    words += ["--folds", str(folds)] if folds else []
    return words if best_possible is None else [*words, "--best-possible", _number(best_possible)]


def _shown(words: Sequence[str]) -> str:
    """Return the command, or an empty text where it could not be typed."""
    shown = all(safe_text(word, _WORD_LIMIT) == word for word in words)
    return shlex.join(words) if shown else ""


def _nearby(path: str) -> str:
    """Return the path as seen from the working folder where it is inside it."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _weights_text(value: object) -> object:
    """Return class weights as the command line takes them: a text of pairs.

    Labels that this would take for others come back as no text that can be shown.
    """
    if not isinstance(value, Mapping):
        return value
    factors = cast(Mapping[str, float], value)
    if not factors:
        return None
    text = ",".join(f"{label}={_number(factor)}" for label, factor in factors.items())
    try:
        return text if class_weight_option(text) == factors else _UNSAYABLE
    except UsageError:
        return _UNSAYABLE


def _number(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def _row_flags(options: Mapping[str, object]) -> list[str]:
    """Return the flags that read and split the same rows: what was given to `load`."""
    words: list[str] = []
    for name in _ROWS:
        value = options.get(name)
        if name in ("dev", "test") and isinstance(value, str) and Path(value).is_absolute():
            value = _nearby(value)
        if name == "class_weight":
            value = _weights_text(value)
        given = cast(Sequence[object], value) if isinstance(value, list | tuple) else [value]
        for one in given:
            if one is None or (name == "ignore" and one == options.get("human_labels")):
                continue  # people's labels are never an input
            words += [f"--{name.replace('_', '-')}", str(one)]
    seed = options.get("seed")
    return words if seed is None else [*words, "--split-seed", str(seed)]


def _network_flags(values: Mapping[str, object]) -> list[str]:
    """Return the flags that fix a configuration: what is not the default, and what is searched."""
    given = {name: values[name] for name in ("optimizer", "decay", "activation", "hidden_units")}
    if not given["hidden_units"]:  # none is said by the number of layers
        given = {**given, "hidden_layers": 0}
        del given["hidden_units"]
    defaults = complete(given)
    last = cast(int, values["epochs"])  # a change that never comes would be refused
    coming = changes_of(str(values["change"])).items()
    values = {**values, "change": changes_text({n: what for n, what in coming if n < last})}
    words: list[str] = []
    for name in HYPERPARAMETERS:
        if name in _BY_UNITS or (name not in _SEARCHED and values[name] == defaults[name]):
            continue
        words += ["--" + name.replace("_", "-"), _text(values[name])]
    units = cast(tuple[int, ...], values["hidden_units"])
    layers = ["--hidden-layers", str(len(units))]
    return [*words, *layers, *(["--hidden-units", _text(units)] if units else [])]


def _convolution_flags(values: Mapping[str, object]) -> list[str]:
    """Return the flags of the layers that the search for images draws unless they are fixed."""
    channels = cast(tuple[int, ...], values["conv_channels"])
    layers = ["--conv-layers", str(len(channels))]
    return [*layers, *(["--conv-channels", _text(channels)] if channels else [])]


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(_text(one) for one in cast(tuple[object, ...], value))
    return _short(value) if isinstance(value, float) else str(value)


def _short(value: float) -> str:
    """Return a number with four digits, of what it differs from 1 by too: 0.99996 is not 1.

    >>> _short(0.00123456), _short(0.99996)
    ('0.001235', '0.99996')
    """
    exact = _EXACT * min(abs(value), abs(1 - value))
    told = (f"{value:.{digits}g}" for digits in range(4, 18))
    return next(text for text in told if abs(float(text) - value) <= exact or float(text) == value)
