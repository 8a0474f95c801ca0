"""All studies of a store at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell.diagnosis._metrics import METRICS
from deepwell.records import Estimate, ListedStudy, from_plain
from deepwell.storage._notes import checked_tag
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._standing import runner_of

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


def list_studies(
    store: str | Path | None = None, tags: Sequence[str] = (), *, deleted: bool = False
) -> list[ListedStudy]:
    """Return the studies of a store, the newest first.

    Args:
        store: folder or URL; None means `./deepwell`.
        tags: that a study must have, all of them.
        deleted: whether those are wanted that were deleted and can be brought back, in place of
            those that are there.

    Raises:
        UsageError: when there is no such store, or a tag cannot be one.
    """
    wanted = set(map(checked_tag, tags))
    with open_store(store, create=False) as opened:
        records = opened.removal.deleted() if deleted else opened.studies()
        own_tags, results = opened.notes.tags_of_studies(), opened.results()
        networks, notes = opened.trial_counts(), opened.notes.counts()
        return [
            replace(
                _listed(opened, record, own_tags.get(record.id, []), results.get(record.id)),
                networks=networks.get(record.id, 0),
                notes=notes.get(record.id, 0),
            )
            for record in reversed(records)
            if wanted <= set(own_tags.get(record.id, []))
        ]


def studies(
    store: str | Path | None = None, tags: Sequence[str] = (), *, deleted: bool = False
) -> Any:
    """Return a Polars frame of the studies of a store, one row each, the newest first.

    >>> import deepwell as dw                                    # doctest: +SKIP
    >>> dw.studies(tags=["keep"])                                # doctest: +SKIP

    Columns: `study, created` (seconds since 1970), `state, source, networks, metric, dev, low,
    high, seconds, tags, notes, parent`.

    Args:
        store: folder or URL; None means `./deepwell`.
        tags: that a study must have, all of them.
        deleted: whether those are wanted that were deleted and can be brought back.

    Raises:
        UsageError: when there is no such store, or a tag cannot be one.
    """
    import polars as pl

    rows = [
        {
            "study": one.name,
            "created": one.created,
            "state": one.state,
            "source": one.source,
            "networks": one.networks,
            "metric": one.metric,
            "dev": None if one.dev is None else one.dev.value,
            "low": None if one.dev is None else one.dev.low,
            "high": None if one.dev is None else one.dev.high,
            "seconds": one.seconds,
            "tags": list(one.tags),
            "notes": one.notes,
            "parent": one.parent,
        }
        for one in list_studies(store, tags, deleted=deleted)
    ]
    return pl.DataFrame(rows, schema=_schema(pl))


def state_of(opened: Store, record: StudyRecord) -> str:
    """Return where a study stands, in a word; a run whose process is gone was `killed`."""
    if record.status != "running":
        return record.status
    return "killed" if runner_of(opened, record) is None else "running"


def _listed(
    opened: Store, record: StudyRecord, tags: Sequence[str], result: Mapping[str, Any] | None
) -> ListedStudy:
    config: Mapping[str, Any] = record.config
    metric = METRICS.get(config.get("metric", ""))
    return ListedStudy(
        name=record.name,
        created=record.created,
        state=state_of(opened, record),
        source=str(config.get("data", {}).get("source", "")),
        networks=0,  # is counted for all at once, as notes are
        metric="" if metric is None else metric.name,
        label="" if metric is None else metric.label,
        percent=metric is not None and metric.percent,
        dev=None if result is None else from_plain(Estimate, result["dev"]),
        best={} if result is None else result["best"],
        seconds=record.seconds,
        tags=tuple(tags),
        notes=0,
        parent=str(config.get("parent", "")),
    )


def _schema(pl: Any) -> dict[str, Any]:
    texts = ("study", "state", "source", "metric", "parent")
    numbers = ("created", "dev", "low", "high", "seconds")
    kinds = {**dict.fromkeys(texts, pl.String), **dict.fromkeys(numbers, pl.Float64)}
    kinds |= {"networks": pl.Int64, "notes": pl.Int64, "tags": pl.List(pl.String)}
    order = "study created state source networks metric dev low high seconds tags notes parent"
    return {name: kinds[name] for name in order.split()}
