"""What came of a change by hand, in lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell._base._shell import store_flag

from ._figures import count, duration
from ._layout import entry


def act_lines(answer: Any, store: str | None) -> list[str]:
    """Return what is said of an answer of a run.

    Args:
        answer: with `study`, `act`, `trial`, `done`, `details` and `runner`.
        store: where the study is kept, as it was given.
    """
    name, place = safe_text(answer.study), store_flag(store)
    if not answer.done:
        return _waiting(answer, name, place)
    word, told = _DONE[answer.act](answer, name, place)
    return entry(word, told)


def act_json(answer: Any) -> dict[str, object]:
    """Return the same as plain values."""
    details = {name: value for name, value in answer.details.items() if name != "request"}
    return {
        "name": answer.study,
        "act": answer.act,
        "trial": answer.trial,
        "done": answer.done,
        "epoch": answer.epoch,
        "runner": answer.runner,
        "details": details,
    }


def event_lines(event: Any, study: str, store: str | None) -> list[str]:
    """Return what is said of an event of such a change, empty for another kind of event.

    Args:
        event: with `kind`, `trial` and `details`.
        study: its name.
        store: where the study is kept, as it was given.
    """
    word = _OF_EVENT.get(event.kind)
    if word is None:
        return _other(event.kind, event.details)
    answer = _Told(word, event.trial, event.details)
    return entry(*_DONE[word](answer, safe_text(study), store_flag(store)))


class _Told:
    """An event seen as an answer."""

    def __init__(self, act: str, trial: int | None, details: Mapping[str, Any]) -> None:
        self.act, self.trial, self.details = act, trial, details
        self.epoch = details.get("epoch")


def _other(kind: str, details: Mapping[str, Any]) -> list[str]:
    if kind == "refuse":
        return entry("refused", f"{details['kind']}: {details['why']}")
    if kind == "race_won":
        best = details["best"]
        told = "none of them can go on" if best is None else f"network {best} goes on"
        copies = ", ".join(map(str, details["copies"]))
        return entry("race", f"of {copies} decided after epoch {details['epoch']}: {told}")
    return []


def _waiting(answer: Any, name: str, place: str) -> list[str]:
    if answer.runner is None:
        return [
            *entry("waits", f"no run of {name} is live: the {answer.act} is done when it goes on"),
            *entry("next", f"deepwell resume {name}{place}"),
        ]
    return entry(
        "asked",
        f"the run of {name} ({answer.runner}) has the {answer.act} before it, and does it at the "
        f"end of the epoch at work; deepwell show {name}{place} --follow tells when",
    )


def _nudged(answer: Any, name: str, place: str) -> tuple[str, str]:
    networks: Mapping[str, Any] = answer.details["networks"]
    if len(networks) == 1:
        ((number, told),) = networks.items()
        return "nudged", f"network {number} from epoch {told['epoch'] + 1} on: {_values(told)}"
    first = next(iter(networks.values()))
    names = ", ".join(first["changes"])
    planned = sum("instead_of" in told for told in networks.values())
    instead = f"; in {planned:,} of them instead of what was to come then" if planned else ""
    return "nudged", (
        f"{count(len(networks), 'network')} from epoch {answer.details['epoch'] + 1} on: "
        f"{names}{instead}"
    )


def _paused(answer: Any, name: str, place: str) -> tuple[str, str]:
    return "paused", (
        f"{name} after epoch {answer.epoch}; deepwell resume {name}{place} lets it go on"
    )


def _resumed(answer: Any, name: str, place: str) -> tuple[str, str]:
    return "resumed", f"{name} goes on after epoch {answer.epoch}"


def _kept(answer: Any, name: str, place: str) -> tuple[str, str]:
    networks: Mapping[str, Any] = answer.details["networks"]
    if len(networks) == 1:
        ((number, told),) = networks.items()
        return "kept", (
            f"network {number} as it is after epoch {told['epoch']} "
            f"(sha256 {told['sha256'][:8]}...)"
        )
    return "kept", f"{count(len(networks), 'network')} as they are after epoch {answer.epoch}"


def _back(answer: Any, name: str, place: str) -> tuple[str, str]:
    told = answer.details
    with_ = f" with {_values(told)}" if told["changes"] else ""
    return "back", (
        f"network {answer.trial} was at epoch {told['epoch']}; network {told['copy']} goes on in "
        f"its place from epoch {told['to']}{with_}"
    )


def _forked(answer: Any, name: str, place: str) -> tuple[str, str]:
    told = answer.details
    gone = told.get("instead_of", [{}] * len(told["copies"]))
    each = [
        f"{number} ({_values({'changes': changes, 'instead_of': old})})"
        for number, changes, old in zip(told["copies"], told["changes"], gone, strict=True)
    ]
    return "forked", (
        f"network {answer.trial} after epoch {told['epoch']} into {', '.join(each)}: they race "
        f"until epoch {told['until']}, and the best one goes on"
    )


def _stopped(answer: Any, name: str, place: str) -> tuple[str, str]:
    if answer.trial is None:
        return "stopping", f"{name} after epoch {answer.epoch}; its best network is kept"
    numbers = ", ".join(map(str, answer.details["networks"]))
    return "stopped", f"network {numbers} after epoch {answer.epoch}"


def _extended(answer: Any, name: str, place: str) -> tuple[str, str]:
    told = answer.details
    parts = []
    if told["trials"]:
        parts.append(f"{count(told['trials'], 'further network')} when the others are done")
    if told["epochs"]:
        parts.append(f"{count(told['epochs'], 'epoch')} more for those that train")
    if told["budget"]:
        parts.append(f"{duration(told['budget'])} from now on")
    return "extended", f"{name}: {', '.join(parts)}"


def _narrowed(answer: Any, name: str, place: str) -> tuple[str, str]:
    to_come = answer.details.get("to_come")
    if to_come is None:  # a study that had ended goes on by it
        return "narrowed", f"{name}: it holds for the networks to come"
    if to_come:
        return "narrowed", f"{name}: {count(to_come, 'network')} still to be proposed by it"
    return "narrowed", (
        f"{name}, but all its networks are proposed already; deepwell extend {name}{place} "
        "--trials N asks for more"
    )


def _values(told: Mapping[str, Any]) -> str:
    changes: Mapping[str, Any] = told["changes"]
    gone: Mapping[str, Any] = told.get("instead_of", {})
    instead = {name: f" instead of {_value(value)}" for name, value in gone.items()}
    parts = (f"{name} {_value(value)}{instead.get(name, '')}" for name, value in changes.items())
    return ", ".join(parts)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_value(v) for v in value) + "]"  # pyright: ignore[reportUnknownVariableType]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


_DONE = {
    "nudge": _nudged,
    "pause": _paused,
    "resume": _resumed,
    "snapshot": _kept,
    "rollback": _back,
    "fork": _forked,
    "stop": _stopped,
    "extend": _extended,
    "narrow": _narrowed,
}
_OF_EVENT = {
    "nudge": "nudge",
    "pause_by_hand": "pause",
    "resume_by_hand": "resume",
    "snapshot": "snapshot",
    "rollback": "rollback",
    "race": "fork",
    "stop_by_hand": "stop",
    "extend_by_hand": "extend",
    "narrow": "narrow",
}
