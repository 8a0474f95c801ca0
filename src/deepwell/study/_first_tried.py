"""What a study tries before its sampler's proposals: your own configurations, a warm start's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepwell._base._errors import UsageError

from ._given import YOU, Given, settled
from ._settings import Settings
from ._warm import WarmStart, best_first


def first_tried(
    settings: Settings,
    enqueued: Sequence[Mapping[str, object]],
    trials: int | None,
    warm: WarmStart | None,
) -> tuple[Given, ...]:
    """Return the configurations in the order in which they are tried, as many as there is room for.

    Args:
        settings: of the study.
        enqueued: your own.
        trials: networks in all; None for no bound.
        warm: what is known from an earlier study; None for nothing.

    Raises:
        UsageError: when your own do not fit in.
    """
    if trials is not None and len(enqueued) > trials:
        raise UsageError(
            f"`trials` must have room for the {len(enqueued)} configurations that were "
            f"enqueued, got {trials}; train more networks"
        )
    own = [
        Given(settled(settings.space, values, settings.seed, number), YOU)
        for number, values in enumerate(enqueued)
    ]
    found = () if warm is None else best_first(warm, settings.space, trials)
    return (*own, *found)[:trials]
