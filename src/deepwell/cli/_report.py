"""`deepwell report`: what was done, found and assumed, as a text file."""

from __future__ import annotations

from pathlib import Path

from ._exit_codes import DONE
from ._options import Name, Place, ReportFile
from ._output import print_json, print_lines, save_bytes, write_text
from ._studies import find_study

EXAMPLES = "deepwell report churn\ndeepwell report churn -o churn.txt"


def report(which: Name, file: ReportFile, place: Place) -> int:
    """Report what was done, found and assumed, as text."""
    from deepwell._base._safe_text import safe_text
    from deepwell.report._layout import entry
    from deepwell.report._text_report import text_report

    study = find_study(which, place)
    result = study.result
    text = text_report(result, study.trials(), study.probe_records(result.best_trial))
    if file.output is None:
        if place.json:
            print_json({"name": result.name, "text": text})
        else:
            write_text(text)
        return DONE
    save_bytes(Path(file.output), text.encode())
    if place.json:
        print_json({"name": result.name, "report": file.output})
    else:
        print_lines(entry("saved", safe_text(file.output, 300)))
    return DONE
