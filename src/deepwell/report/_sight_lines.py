"""What is seen of a study that trains in another process, as a line or as plain values."""

from __future__ import annotations

from typing import Any

from deepwell._base._shell import store_flag

from ._act_lines import event_lines
from ._figures import figure
from ._layout import entry


def sight_lines(sight: Any, store: str | None) -> list[str]:
    """Return what is said of a sight: the changes by hand since the last one, and where it stands.

    Args:
        sight: with the fields that `follow` gives it.
        store: where the study is kept, as it was given.
    """
    return [*acts_lines(sight, store), *entry(_word(sight), _told(sight)), *_next(sight, store)]


def acts_lines(sight: Any, store: str | None) -> list[str]:
    """Return what is said of the changes by hand since the last sight."""
    return [line for act in sight.acts for line in event_lines(act, sight.study, store)]


def sight_json(sight: Any) -> dict[str, object]:
    """Return a sight as plain values."""
    plain: dict[str, object] = {
        name: getattr(sight, name)
        for name in (
            *("status", "runner", "paused", "networks", "training", "epoch", "epochs"),
            *("last", "cost", "best", "best_trial", "metric", "seconds"),
        )
    }
    acts = [{"kind": a.kind, "trial": a.trial, "details": dict(a.details)} for a in sight.acts]
    return {"name": sight.study, **plain, "acts": acts}


def _word(sight: Any) -> str:
    if sight.over:
        return "ended" if sight.status in ("finished", "stopped") else "left"
    return "paused" if sight.paused else "training"


def _told(sight: Any) -> str:
    best = "no score yet"
    if sight.best is not None:
        best = f"best dev {figure(sight.best, sight.percent)} (network {sight.best_trial})"
    if sight.over:
        how = {"finished": "is finished", "stopped": "was stopped"}
        return f"{sight.study} {how.get(sight.status, 'is run by nobody')}: {best}"
    where = f"epoch {sight.epoch:,}/{sight.epochs:,}, " if sight.epochs else ""
    last = "" if sight.last is None else f"dev {figure(sight.last, sight.percent)}, "
    best = best.replace("best dev", "best") if last else best
    return f"{where}{sight.training:,} of {sight.networks:,} train, {last}{best}"


def _next(sight: Any, store: str | None) -> list[str]:
    if not sight.over:
        return []
    verb = "show" if sight.status == "finished" else "resume"
    return entry("next", f"deepwell {verb} {sight.study}{store_flag(store)}")
