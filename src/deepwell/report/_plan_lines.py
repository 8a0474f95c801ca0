"""What a run is going to do, as lines."""

from __future__ import annotations

from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell._base._safe_text import safe_text
from deepwell.records import PlanFacts

from ._figures import count, duration, memory_size
from ._layout import entry

_WORDS_LIMIT = 200


def plan_lines(plan: PlanFacts) -> list[str]:
    """Return the line `plan`: networks, program, rungs, honest time, and the space searched."""
    cores = f"on {count(plan.cores, 'core')}"
    time = f"about {duration(plan.seconds)} {cores}" if plan.seconds is not None else cores
    told = [f"for {safe_text(plan.why, _WORDS_LIMIT)}"] if plan.why else []
    told += [f"{plan.programs} to compile"] if plan.program == "jax" else []
    compiled = f" ({', '.join(told)})" if told else ""
    networks = count(plan.networks, "network")
    if plan.folds:
        each = count(plan.networks // plan.folds, "configuration")
        networks = f"{networks} ({each} x {plan.folds} folds)"
    if len(plan.rounds) > 1:
        networks += f" in {count(len(plan.rounds), 'round')}"
    if plan.budget is not None:
        networks += f" first, then more while time is left of {duration(plan.budget)}"
        time = f"the first {time}" if plan.seconds is not None else time
    parts = [
        networks,
        f"{plan.program} program{compiled}",
        *_rungs(plan),
        time,
        *_within(plan),
    ]
    paragraphs = [", ".join(parts)]
    if plan.space:
        paragraphs.append(space_words(plan))
    if plan.proposed:
        paragraphs.append(safe_text(plan.proposed, _WORDS_LIMIT))
    for_jax = ["convolutions"] * plan.convolutions + ["augmented images"] * plan.augmentation
    if for_jax:
        paragraphs.append(f"{' and '.join(for_jax)} train in the JAX program")
    if plan.advice:
        paragraphs.append(plan.advice)
    return entry("plan", *paragraphs)


def space_words(plan: PlanFacts) -> str:
    """Return the ranges that are searched, the values that are held, and what changes them."""
    place = {name: i for i, name in enumerate(HYPERPARAMETERS)}
    names = sorted(plan.space, key=lambda name: (place.get(name, len(place)), name))
    told = {n: f"{safe_text(n)} {safe_text(plan.space[n], _WORDS_LIMIT)}" for n in names}
    searched = ", ".join(told[n] for n in names if _is_range(plan.space[n]))
    held = ", ".join(told[n] for n in names if not _is_range(plan.space[n]))
    limits = " and ".join(safe_text(text, _WORDS_LIMIT) for text in plan.constraints)
    parts = [
        f"over {searched}" if searched else "",
        f"where {limits}" if limits else "",
        f"with {held}" if held else "",
    ]
    return f"{'; '.join(part for part in parts if part)} (--space changes it)"


def _is_range(words: str) -> bool:
    """Whether a distribution in words leaves something to search, as `log(0.1, 1)` does."""
    return "(" in words


def _within(plan: PlanFacts) -> list[str]:
    if plan.memory_bytes is None:
        return []
    return [f"within {memory_size(plan.memory_bytes)} of memory"]


def _rungs(plan: PlanFacts) -> list[str]:
    if not plan.rungs:
        return []
    if len(plan.rungs) == 1:
        return [count(plan.rungs[0].epochs, "epoch")]
    epochs = ", ".join(str(rung.epochs) for rung in plan.rungs)
    return [f"{len(plan.rungs)} rungs at epochs {epochs}"]
