"""Where a trial that diverged broke, as a record."""

from __future__ import annotations

from dataclasses import fields

from deepwell.checking._diverged import Broken, first_non_finite
from deepwell.records import NonFinite, TrialSpec

from ._local import LocalEngine


def origin_of_divergence(engine: LocalEngine, number: int, spec: TrialSpec) -> NonFinite | None:
    """Return what broke a trial, which is trained again; None when it does not diverge again.

    Args:
        engine: that trained it.
        number: of the trial.
        spec: its configuration.
    """
    found = first_non_finite(engine.rerun(number, spec), may_compile=False)
    if found is None:
        return None
    return NonFinite(trial=number, **{f.name: getattr(found, f.name) for f in fields(Broken)})
