"""The space that a study begins with: as it was given, or chosen by the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import validate
from deepwell.data._data import Data
from deepwell.search.spaces._default import default_space
from deepwell.search.spaces._space import Space, with_fixed


def starting_space(
    data: Data,
    space: Mapping[str, object] | None,
    fixed: Mapping[str, object],
    constraints: Sequence[str],
) -> Space:
    """Return the space that was given, or the default for the data, with what is held fixed.

    Args:
        data: what is trained on.
        space: hyperparameter -> distribution, list or value; None chooses by the data's size.
        fixed: hyperparameters held at one value.
        constraints: what must hold beside the space's own constraints.

    Raises:
        UsageError: when it is no mapping, or the space cannot be.
    """
    if space is not None:
        if not isinstance(space, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(
                "a space must be a mapping such as {'learning_rate': log(1e-4, 1)}, "
                f"got {type(space).__name__}"
            )
        return with_fixed(space, fixed, constraints)
    optimizer = str(validate("optimizer", fixed.get("optimizer", "adam")))
    rows, inputs = data.train.x.shape
    default = default_space(
        *(rows, inputs, data.task.outputs, data.task.kind, optimizer),
        image=bool(data.image),
    )
    return with_fixed(default, fixed, constraints)
