"""Search spaces and configurations from the options `--space` and `--try`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from deepwell._base._errors import UsageError

if TYPE_CHECKING:
    from deepwell.search.spaces._distribution import Distribution


def parsed_space(entries: Sequence[str]) -> dict[str, Distribution]:
    """Return what the entries say, by the hyperparameter's name.

    Raises:
        UsageError: when one cannot be read, or comes twice.
    """
    if not entries:
        return {}
    from deepwell.search.spaces._parse import parse_entry

    parsed: dict[str, Distribution] = {}
    for text in entries:
        name, distribution = parse_entry(text)
        if name in parsed:
            raise UsageError(f"`--space {name}=...` is given twice; give it once")
        parsed[name] = distribution
    return parsed


def parsed_tries(texts: Sequence[str]) -> list[Mapping[str, object]]:
    """Return the configurations that the user wants tried.

    Raises:
        UsageError: when one cannot be read.
    """
    if not texts:
        return []
    from deepwell.search.spaces._parse import parse_values

    return [parse_values(text) for text in texts]
