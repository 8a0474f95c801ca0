"""The configuration that an improvement ended with, trained and saved as a study of its own."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deepwell._base._hyperparameters import Value
from deepwell.data._data import Data
from deepwell.data._folds import Folds
from deepwell.diagnosis._metrics import METRICS
from deepwell.execution._backends import choose_backend
from deepwell.records import Estimate, StudyResult
from deepwell.search.spaces._fixed import Fixed
from deepwell.search.spaces._space import Space
from deepwell.storage._names import MAX_LENGTH

from ._arrays import engine_of
from ._asked import Asked
from ._course import Job, Past, carry_out
from ._evaluate import difference_on_dev
from ._finished import open_study
from ._observer import Observer
from ._recording import recorded
from ._said import said

NETWORKS = 8  # of the one configuration, with seeds of their own; the best on the dev rows is kept
_SUFFIX = "-improved"
_SUFFIXED = re.compile(rf"{_SUFFIX}(-\d+)?$")


@dataclass(frozen=True)
class Improved:
    """A new study.

    Attributes:
        name: its name, or an empty string where there is none.
        new: its network's dev score.
        versus: new network minus old on the dev rows, paired; None where no dev row is free of the
            networks' training, as in a cross-validated study.
    """

    name: str = ""
    new: Estimate | None = None
    versus: Estimate | None = None


def save_improved(
    data: Data,
    folds: Folds | None,
    asked: Asked,
    values: Mapping[str, Value],
    parent: str,
    old: StudyResult,
    store: str | Path | None,
) -> Improved:
    """Return a new study of one configuration, on the rows and with the sealed test set of the old.

    Args:
        data: rows of the old study, with folds those of all.
        folds: of a cross-validated study.
        asked: what the old study was asked to do.
        values: all hyperparameters of the configuration.
        parent: the old study and what was changed, in words.
        old: its outcome.
        store: where both are kept.
    """
    space = Space({name: Fixed(value) for name, value in said(values).items()})
    settings = replace(asked.settings, space=space, search="random", scheduler="none")
    wanted = replace(asked, settings=settings, trials=NETWORKS, budget=None, parent=parent)
    backend = choose_backend(asked.program, [str(values["optimizer"])])
    engine = engine_of(data, folds, settings.metric, backend, asked.memory)
    with (
        contextlib.closing(engine),
        recorded(data, wanted, improved_name(old.name), store) as history,
    ):
        job = Job(data, wanted, engine, Observer(), folds)
        name = carry_out(job, history, Past()).name
    new = open_study(name, store)
    new.write_report()
    versus = None
    if folds is None:
        said_by = [one.model().outputs(data.dev.x) for one in (new, open_study(old.name, store))]
        metric = METRICS[old.metric]
        versus = difference_on_dev(data, metric, said_by[0], said_by[1], settings.seed)
    return Improved(name, new.result.dev, versus)


def improved_name(name: str) -> str:
    """Return the wanted name of a study improved from another.

    >>> improved_name("churn"), improved_name("churn-improved-2")
    ('churn-improved', 'churn-improved')
    """
    return _SUFFIXED.sub("", name)[: MAX_LENGTH - len(_SUFFIX)] + _SUFFIX
