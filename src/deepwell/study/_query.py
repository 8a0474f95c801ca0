"""A question in SQL to a store, answered as a frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deepwell.storage._open import open_store

MOST_ROWS = 1_000_000


def query(sql: str, store: str | Path | None = None, *, limit: int = MOST_ROWS) -> Any:
    """Return what a query gives as a Polars frame; it can read and nothing else.

    >>> import deepwell as dw                                            # doctest: +SKIP
    >>> dw.query("select study, dev from studies order by dev")          # doctest: +SKIP

    Args:
        sql: one SELECT; `docs/query.md` describes the views that are made for it.
        store: folder or URL; None means `./deepwell`.
        limit: rows at most; later ones are left out.

    Raises:
        UsageError: when it is not understood, or would do more than read.
    """
    import polars as pl

    with open_store(store, create=False) as opened:
        answer = opened.query(sql, limit)
    names = list(dict.fromkeys(answer.columns))
    if len(names) < len(answer.columns):  # a frame has each name once
        names = [f"{name}_{n}" for n, name in enumerate(answer.columns, start=1)]
    return pl.DataFrame(list(answer.rows), schema=names, orient="row", infer_schema_length=None)
