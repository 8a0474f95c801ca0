"""What people did to a search, in sentences: from the events of the study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._search_findings import outlook_finding
from deepwell.records import Outlook, from_plain
from deepwell.search.spaces._plain import space_from_plain
from deepwell.search.spaces._space import Space

from ._history import History
from ._more import EXTEND, NARROW
from ._settled import SETTLED
from ._warm import WarmStart, warm_from_plain


def search_notes(history: History) -> tuple[str, ...]:
    """Return one sentence for each thing that was done: a start, proposals, changes on the way."""
    store, record = history.store, history.record
    config: Mapping[str, Any] = store.study(record.name).config
    warm = warm_from_plain(config.get("warm"))
    notes: list[str] = []
    events = store.events(record.id)
    if warm is not None:
        narrowed: list[Any] = [event.details["was"] for event in events if event.kind == NARROW]
        notes.append(_started(warm, space_from_plain([*narrowed, config["space"]][0])))
    for event in events:
        told: Mapping[str, Any] = event.details
        if event.kind == "propose":
            notes += [_proposed(who, numbers) for who, numbers in told.get("by", {}).items()]
        elif event.kind == NARROW:
            notes.append(_narrowed(told))
        elif event.kind == EXTEND:
            notes.append(f"after {told['after']:,} networks it was given {_given(told)}")
        elif event.kind == SETTLED:
            notes.append(_settled(from_plain(Outlook, told), str(config["metric"])))
    return tuple(notes)


def _started(warm: WarmStart, space: Space) -> str:
    """Return what a search started from, and how much of it was of no use in its space."""
    inside = sum(space.place(one.values) is not None for one in warm.observations)
    outside = len(warm.observations) - inside
    less = [*([f"{outside:,} outside of the space"] if outside else []), *warm.left_out]
    left = f" and left out {', '.join(less)}" if less else ""
    differ = ""
    if not warm.same_data:
        sure = "are" if warm.study and warm.given == warm.study else "may be"
        differ = f"; its rows {sure} others, so scores may shift"
    return f"the sampler started from {inside:,} configurations of {warm.words}{left}{differ}"


def _given(told: Mapping[str, Any]) -> str:
    """Return what a study was extended by."""
    epochs = told.get("epochs")
    parts = [] if epochs is None else [f"{epochs:,} more epochs for those that trained to the end"]
    if told["trials"] is not None:
        parts.append(f"{told['trials']:,} more")
    return " and ".join(parts) or "more networks"


def _settled(found: Outlook, metric: str) -> str:
    """Return why a search ended before its time."""
    told = outlook_finding(found, metric)
    return f"the search ended early, since {told.claim}: {told.detail} (DW703)"


def _proposed(who: str, numbers: Iterable[int]) -> str:
    listed = [str(n) for n in numbers]
    word = "trial" if len(listed) == 1 else "trials"
    return f"{word} {', '.join(listed)} proposed by {safe_text(who)}"


def _narrowed(told: Mapping[str, Any]) -> str:
    """Return what changed, as `learning_rate log(0.001, 0.01) (it was log(0.0001, 1))`."""
    old, new = space_from_plain(told["was"]), space_from_plain(told["space"])
    was, now = old.describe(), new.describe()
    parts = [
        f"{name} {text} (it was {was.get(name, 'the default')})"
        for name, text in now.items()
        if was.get(name) != text
    ]
    parts += [f"{name} the default (it was {was[name]})" for name in was if name not in now]
    parts += [text for text in new.constraints if text not in old.constraints]
    parts += [f"no longer {text}" for text in old.constraints if text not in new.constraints]
    if told["search"] != told["searched_by"]:
        parts.append(f"proposals by {told['search']} (they were by {told['searched_by']})")
    return f"changed after trial {told['after'] - 1}: {', '.join(parts)}"
