"""Whether a search has settled: asked between rounds by a run that is to end then (DW703)."""

from __future__ import annotations

import math
from dataclasses import replace

from deepwell.data._data import Data
from deepwell.data._folds import Folds
from deepwell.diagnosis._intervals import estimate
from deepwell.diagnosis._metrics import Metric
from deepwell.records import Outlook
from deepwell.search._stopping import paying
from deepwell.search.spaces._domain import Domain

from ._arrays import score_scale
from ._comparable import comparable
from ._contenders import Contenders, predicted
from ._evaluate import targets
from ._history import History
from ._on_the_way import on_the_way

SETTLED = "settled"
"""Kind of the event with the outlook by which a search ended."""

ROUND = 64
"""Networks, at least, whose expected gain is asked about."""

NORMAL = 1.959964
"""Deviations between the middle of a 95 % interval and its end."""


def outlook(
    data: Data,
    metric: Metric,
    domain: Domain,
    history: History,
    contenders: Contenders,
    folds: Folds | None,
    networks: int,
) -> Outlook:
    """Return what a round of so many networks more is expected to bring.

    It follows from what is recorded and from the best network's dev predictions, so that a run
    that was killed ends at the same round.

    Args:
        data: of the study; with folds all its rows.
        metric: that networks are chosen by.
        domain: what is searched.
        history: of the study.
        contenders: what the best networks said.
        folds: of a cross-validated study.
        networks: of the round, or configurations.
    """
    scale = score_scale(data, metric.name)
    trials = [
        replace(
            t,
            score=t.score * scale,
            curves={n: c * scale if n == "dev_score" else c for n, c in t.curves.items()},
        )
        for t in history.store.trials(history.record.id, curves=True)
    ]
    parts = 1 if folds is None else len(folds.parts)
    tried = comparable(trials, on_the_way(history), 0 if folds is None else parts)[0]
    spread = _spread(data, folds, metric, contenders)
    return paying(domain, tried, spread, networks, floor=0.0)


def _spread(data: Data, folds: Folds | None, metric: Metric, contenders: Contenders) -> float:
    """Return the standard error of the best dev score; with folds, of a mean over them."""
    rows = [data.dev] if folds is None else [held_out for _, held_out in folds.parts]
    best = {place.trial % len(rows): place for place in reversed(contenders.places())}
    errors: list[float] = []
    for part, place in best.items():
        said = predicted(data, contenders.said(place))
        held = rows[part]
        dev = estimate(metric, targets(data, held), said, held.weight, group=held.group)
        errors.append(max(0.0, (dev.high - dev.low) / (2.0 * NORMAL)))
    return math.hypot(*errors) / max(1, len(errors))
