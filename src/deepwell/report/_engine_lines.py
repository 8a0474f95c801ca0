"""How the machine was used, as lines."""

from __future__ import annotations

from deepwell._base._safe_text import safe_text
from deepwell.records import Status, StudyResult

from ._figures import count, duration, memory_size
from ._layout import entry

_NOTE_LIMIT = 300
_ENDS = (
    (Status.FINISHED, "trained to the end"),
    (Status.EARLY_STOPPED, "stopped early"),
    (Status.PRUNED, "pruned at a rung"),
    (Status.INTERRUPTED, "interrupted"),
    (Status.DIVERGED, "diverged"),
    (Status.FAILED, "failed for lack of memory"),
)
_NOT_TRAINED = ("not_trained", "not trained")


def engine_lines(result: StudyResult) -> list[str]:
    """Return the line `engine`: programs, speed, share of the machine, how the trials ended."""
    told = [engine_words(result), ends_words(result), resumed_words(result)]
    return entry("engine", *filter(None, told), *memory_words(result))


def engine_words(result: StudyResult) -> str:
    """Return programs, compile time, networks a second and the share of the matrix rate."""
    used = f"{result.program} program"
    if result.program == "jax":
        compiled = count(result.programs, "program")
        used = f"{used}, {compiled} compiled in {result.compile_seconds:.1f} s"
    rate = _rate(result.networks_per_second)
    parts = [used, f"{rate} {'network' if rate == '1' else 'networks'} a second"]
    if result.gemm_share is not None:
        parts.append(f"{_per_cent(result.gemm_share)} of the machine's matrix rate")
    return "; ".join(parts)


def memory_words(result: StudyResult) -> list[str]:
    """Return what was done to stay within the memory, and the peak; nothing where unknown."""
    notes = [safe_text(note, _NOTE_LIMIT) for note in result.memory_notes]
    if result.peak_memory_bytes is None:
        return notes
    return [*notes, f"peak memory {memory_size(result.peak_memory_bytes)}"]


def ends_words(result: StudyResult) -> str:
    """Return how many networks were trained, in what time, and how they ended."""
    known = [*((status.value, words) for status, words in _ENDS), _NOT_TRAINED]
    ends = [f"{result.statuses[key]:,} {words}" for key, words in known if result.statuses.get(key)]
    told = f"{count(result.networks, 'network')} in {duration(result.seconds)}"
    return f"{told}: {', '.join(ends)}" if ends else told


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"


def resumed_words(result: StudyResult) -> str:
    """Return how often a study was resumed and what that cost, or an empty text."""
    if not result.resumed:
        return ""
    times = {1: "once", 2: "twice"}.get(result.resumed, f"{result.resumed:,} times")
    lost = result.repeated_seconds
    cost = f"{duration(lost)} of training repeated" if lost > 0 else "no training repeated"
    return f"resumed {times}, {cost}"


def _rate(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"
