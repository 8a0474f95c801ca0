"""The option `class_weight`: a factor for the weights of each class's rows."""

from __future__ import annotations

from collections.abc import Mapping

from deepwell._base._errors import UsageError, did_you_mean

from ._names import quoted

BALANCED = "balanced"
LARGEST_WEIGHT = 1e30  # sums of squares of larger ones could leave float64's range


def class_weight_option(given: object) -> str | dict[str, float] | None:
    """Return the option `class_weight` in its checked form.

    A text names classes, as in `yes=5,no=1`, which is what the command line passes on.

    >>> class_weight_option("yes=5,no=1")
    {'yes': 5.0, 'no': 1.0}

    Raises:
        UsageError: when it is none of `balanced`, a mapping, and a text of pairs.
    """
    if given is None or given == BALANCED:
        return given  # type: ignore[return-value]
    if isinstance(given, str):
        pairs = [pair.rpartition("=") for pair in given.split(",")]
        if not all(mark and label for label, mark, _ in pairs):
            raise UsageError(
                "`class_weight` must be balanced or pairs such as yes=5,no=1, got "
                f"{quoted(given)}{did_you_mean(given, [BALANCED])}"
            )
        given = {label.strip(): number for label, _, number in pairs}
    if not isinstance(given, Mapping):
        raise UsageError(
            "`class_weight` must be balanced or a factor for each class, as in "
            f"{{'yes': 5}}, got {quoted(given)}"
        )
    return {str(label): _factor(str(label), number) for label, number in given.items()}


def _factor(label: str, given: object) -> float:
    try:
        value = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 <= value <= LARGEST_WEIGHT:
        raise UsageError(
            f"`class_weight` of {quoted(label)} must be a number from 0 to {LARGEST_WEIGHT:g}, got "
            f"{quoted(given)}"
        )
    return value
