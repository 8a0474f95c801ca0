"""The report of a study as a text file: what was done, found and assumed, and the test ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.records import Probe, Section, StudyResult, Trial
from deepwell.search.schedulers._across_folds import configurations

from ._box_lines import box_lines
from ._check_lines import check_details, check_lines
from ._data_lines import NOTE_LIMIT, split_lines
from ._engine_lines import engine_lines
from ._figures import count, interval
from ._finding_lines import check_table, finding_lines, reading_lines
from ._layout import COLUMNS, entry, heading, pad, table, wrap
from ._network import effective, network_words, value_words
from ._opening_lines import (
    LEDGER_LIMIT,
    ledger_lines,
    opened_by_others,
    opening_score,
    opening_time,
    opening_verdict,
    own_openings,
)
from ._plan_lines import plan_lines
from ._probe_lines import probe_lines
from ._result_lines import (
    dev_words,
    folds_words,
    luck_words,
    parent_words,
    search_lines,
    stopped_lines,
    versus_words,
)
from ._section_lines import section_lines
from ._trial_table import failure_lines, ranked, trial_table


def text_report(
    result: StudyResult,
    trials: Sequence[Trial],
    probes: Sequence[Probe] = (),
    sections: Sequence[Section] = (),
    proposed: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the report of a study as text of 80 columns, ending with a line break.

    Args:
        result: the outcome, with the ledger of the test set.
        trials: all trials of the study.
        probes: of the best network, first to last.
        sections: what was worked out since, told before what was assumed.
        proposed: what was noted of each round of proposals, first to last.
    """
    if result.folds:
        trials = configurations(trials, len(result.folds))
    title = f"Study {safe_text(result.name)}: {result.data.task} of {safe_text(result.data.target)}"
    parts = (
        [title, "=" * min(COLUMNS, len(title))],
        _in_short(result),
        _done(result, proposed),
        _found(result),
        *(section_lines(section) for section in sections),
        _assumed(result),
        _networks(result, trials, probes),
        _test_set(result),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _in_short(result: StudyResult) -> list[str]:
    label = safe_text(result.metric_label)
    score = interval(result.dev, result.percent)
    told = [f"{dev_words(result)} {label} {score}: {network_words(result.best)}"]
    told += luck_words(result)
    verdict = versus_words(result)
    if verdict:
        told.append(verdict)
    told += parent_words(result)
    own = own_openings(result, result.openings)
    if own:
        at_the_end = "the notes at the end of this report"
        verdict = opening_verdict(own[-1], at_the_end, broken=bool(result.ledger))
        told += [f"test {opening_score(own[-1])}", verdict]
    elif result.openings:
        told.append(opened_by_others(result.openings))
    head = [*heading("In short"), *entry("result", *told)]
    return [*head, *ledger_lines(result), *stopped_lines(result)]


def _done(result: StudyResult, proposed: Sequence[Mapping[str, Any]]) -> list[str]:
    facts = result.data
    read = (
        f"{safe_text(facts.source, 200)}: {count(facts.rows, 'row')} x "
        f"{count(facts.columns, 'column')}, encoded as {count(facts.features, 'input feature')}"
    )
    return [
        *heading("What was done"),
        *entry("read", read),
        *split_lines(facts),
        *check_lines(result.checks, rows=result.data_checks),
        *check_details(result.checks),
        *plan_lines(result.plan),
        *box_lines(proposed),
        *search_lines(result),
        *engine_lines(result),
    ]


def _found(result: StudyResult) -> list[str]:
    dev = dev_words(result)
    rows = [
        (f"network (trial {result.best_trial})", dev, interval(result.dev, result.percent)),
        (f"network (trial {result.best_trial})", "train", interval(result.train, result.percent)),
        *(
            [(f"network (trial {result.best_trial})", "train-dev", between)]
            if (between := _train_dev(result))
            else []
        ),
        *((safe_text(b.name), dev, interval(b.estimate, result.percent)) for b in result.baselines),
    ]
    verdict, folds = versus_words(result), folds_words(result)
    return [
        *heading("What was found"),
        *table(("model", "rows", f"{safe_text(result.metric_label)} [95 % interval]"), rows, 0),
        *(["", *wrap(verdict, COLUMNS)] if verdict else []),
        *(["", *(line for told in folds for line in _bullet(told))] if folds else []),
        *(["", *finding_lines(result.findings)] if result.findings else []),
        *reading_lines(result.findings),
        *(["", *checks] if (checks := check_table(result.findings)) else []),
    ]


def _train_dev(result: StudyResult) -> str:
    return "" if result.train_dev is None else interval(result.train_dev, result.percent)


def _assumed(result: StudyResult) -> list[str]:
    facts = result.data
    label = safe_text(result.metric_label)
    chosen = f"their mean {label} over folds" if result.folds else f"dev {label}"
    luck = "so the dev figure is somewhat too good"
    if result.overtuning is not None:
        luck += ", and what is to be expected on fresh rows says by how much"
    tell = "; the sealed test rows tell how much" if facts.sizes[2] else ""
    notes = [
        *(safe_text(note, NOTE_LIMIT) for note in facts.notes),
        f"the target {safe_text(facts.target)} makes this {facts.task} (--task changes it)",
        f"networks are chosen by {chosen}, lower is better (--metric changes it)",
        _split_assumption(facts.split),
        "intervals hold with 95 % probability for the rows of each set alone; they do not "
        f"cover that the best of {count(result.networks, 'network')} was chosen on the dev rows, "
        f"{luck}{tell}",
    ]
    bullets = [line for note in notes for line in _bullet(note)]
    return [*heading("What was assumed"), *bullets]


def _split_assumption(split: str) -> str:
    if split == "files":
        return "the dev and test files hold rows like those to come"
    if split == "column":
        return "the rows that the split column calls dev and test are like those to come"
    return f"rows to come are like a {split} choice of these rows (--split changes it)"


def _networks(result: StudyResult, trials: Sequence[Trial], probes: Sequence[Probe]) -> list[str]:
    best = [
        f"{pad(name, 16)}{value_words(value)}" for name, value in effective(result.best).items()
    ]
    shown = min(10, len(ranked(trials)))
    failed = failure_lines(trials)
    return [
        *heading(f"The best network (trial {result.best_trial})"),
        *best,
        *probe_lines(probes),
        *heading(f"The {shown} best of {count(len(trials), 'trial')}"),
        *trial_table(trials, result.percent),
        *(heading("Networks that diverged") + failed if failed else []),
    ]


def _test_set(result: StudyResult) -> list[str]:
    rows = result.data.sizes[2]
    lines = heading("The test set")
    if not rows:
        return [*lines, *wrap("No test set was set apart, so no figure here is unbiased.", COLUMNS)]
    sealed = f", sha256 {result.data.sealed}" if result.data.sealed else ""
    lines += wrap(f"{count(rows, 'row')} sealed before training{sealed}.", COLUMNS)
    if result.ledger:
        lines += wrap(_sentence(safe_text(result.ledger, LEDGER_LIMIT)), COLUMNS)
    if not result.openings:
        return [*lines, *wrap("It has not been opened.", COLUMNS)]
    cells = [
        (
            str(opening.number),
            opening_time(opening),
            f"{safe_text(opening.study)} {opening.trial}",
            opening_score(opening),
        )
        for opening in result.openings
    ]
    lines += ["", *table(("opening", "time", "study and trial", "test score"), cells, 1), ""]
    own = own_openings(result, result.openings)
    broken = bool(result.ledger)
    told = opening_verdict(own[-1], broken=broken) if own else opened_by_others(result.openings)
    lines += wrap(_sentence(told), COLUMNS)
    for opening in result.openings:
        for note in opening.notes:
            lines += _bullet(f"opening {opening.number}: {safe_text(note, NOTE_LIMIT)}")
    return lines


def _bullet(text: str) -> list[str]:
    first, *others = wrap(text, COLUMNS - 2)
    return [f"- {first}", *(f"  {line}" for line in others)]


def _sentence(text: str) -> str:
    start = text[:1].upper() + text[1:]
    return start if start.endswith((".", ":")) else start + "."
