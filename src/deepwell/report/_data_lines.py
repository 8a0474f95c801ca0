"""What was read, assumed and split, as lines."""

from __future__ import annotations

from deepwell._base._safe_text import safe_text
from deepwell.records import DataFacts

from ._figures import count, figure
from ._layout import entry

NOTE_LIMIT = 400


def data_lines(facts: DataFacts) -> list[str]:
    """Return the lines `data` and `split`.

    Args:
        facts: what the loader noticed and assumed.
    """
    size = f"{count(facts.rows, 'row')} x {count(facts.columns, 'column')}"
    told = f"{size}, target {safe_text(facts.target)}: {_target(facts)} -> {facts.task}"
    notes = [safe_text(note, NOTE_LIMIT) for note in facts.notes]
    return [*entry("data", told, *notes), *split_lines(facts)]


def split_lines(facts: DataFacts) -> list[str]:
    """Return the line `split`: shares, way, seed, and what is sealed."""
    train, dev, test = facts.sizes
    total = max(1, sum(facts.sizes))
    shares = " / ".join(f"{100 * part / total:.0f}" for part in facts.sizes)
    seed = f", seed {facts.split_seed}" if facts.split in ("stratified", "random", "group") else ""
    ways = {"files": "as the files are", "column": "as the column says"}
    way = ways.get(facts.split, facts.split)
    rows = f"{train:,} train and {dev:,} dev rows"
    if facts.train_dev_rows:
        rows = f"{train:,} train, {facts.train_dev_rows:,} train-dev and {dev:,} dev rows"
    sealed = f" sealed (sha256 {facts.sealed[:8]}...)" if facts.sealed else ""
    test_rows = f"{count(test, 'test row')}{sealed}" if test else "no test set"
    return entry("split", f"{shares} {way}{seed}: {rows}; {test_rows}")


def _target(facts: DataFacts) -> str:
    if facts.task != "classification":
        return "numbers"
    number = len(facts.classes)
    told = count(number, "class", "classes")
    if len(facts.class_shares) != number or not number:
        return told
    if number == 2:
        return f"{told}, {_share(facts, 1)}"
    places = sorted(range(number), key=facts.class_shares.__getitem__)
    least, most = (figure(facts.class_shares[place], True) for place in (places[0], places[-1]))
    if least == most:
        return f"{told}, {most} each"
    return f"{told}, {_share(facts, places[0])} to {_share(facts, places[-1])}"


def _share(facts: DataFacts, place: int) -> str:
    label = safe_text(facts.classes[place])
    shown = label if label.isalpha() else f'"{label}"'
    return f"{figure(facts.class_shares[place], True)} {shown}"
