"""`deepwell query`: a question in SQL to a store."""

from __future__ import annotations

from ._exit_codes import DONE
from ._kept_options import Question
from ._options import Place
from ._output import print_json, print_lines, write_text

EXAMPLES = """\
deepwell query "select study, dev, metric from studies order by dev"
deepwell query "select trial, min(dev_score) from epochs group by trial" --csv\
"""


def query(question: Question, place: Place) -> int:
    """Ask a store in SQL; nothing can be changed.

    The views studies, trials, epochs, events, findings, openings, notes and tags hold what a
    person asks for in plain columns (docs/query.md). Prints a table, one JSON object or CSV.
    """
    from deepwell._base._errors import UsageError
    from deepwell.report._answer_lines import answer_csv, answer_json, answer_lines
    from deepwell.storage._open import open_store

    if question.csv and place.json:
        raise UsageError("--csv and --json are two forms of the same answer; give one of them")
    with open_store(place.store, create=False) as store:
        answer = store.query(question.sql, question.limit)
    if place.json:
        print_json(answer_json(answer))
    elif question.csv:
        write_text(answer_csv(answer))
    else:
        print_lines(answer_lines(answer))
    return DONE
