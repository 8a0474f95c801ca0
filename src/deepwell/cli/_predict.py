"""`deepwell predict`: predictions of a saved model, one row a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._exit_codes import DONE
from ._options import Place, Prediction, WhichModel
from ._output import complain, print_json, print_lines, save_bytes, write_text

EXAMPLES = """\
deepwell predict churn new.csv -o predictions.csv
deepwell predict churn new.csv
deepwell predict churn new.csv --samples 50
deepwell predict churn new.csv --coverage 0.95"""


def predict(asked: Prediction, used: WhichModel, place: Place) -> int:
    """Predict the rows of a table.

    Writes a CSV with the column `prediction` and, for classes, one `probability_<class>` column
    each. Columns of the table may come in any order, and further ones are ignored. With --samples
    the prediction is the mean of as many networks with units dropped at random (Monte Carlo
    dropout), and `spread` columns say how much they disagree. With --coverage the columns
    `set_<class>` say which classes are likely enough, or `low` and `high` between what a number
    lies, for that share of rows. Where a file may be meant otherwise, as with blank lines, a
    note goes to stderr.
    """
    if asked.output is not None:
        _spare_the_input(Path(asked.output), Path(asked.source))
    from deepwell.study._model import load_model

    model = load_model(asked.name, store=place.store, which=used.model)
    notes: list[str] = []
    columns = {
        name: _plain(values)
        for name, values in model.predict_frame(
            asked.source, asked.samples, asked.coverage, asked.adaptive, notes
        ).items()
    }
    for note in notes:
        complain(f"note: {note}")
    rows = len(next(iter(columns.values()), []))
    if asked.output is not None:
        save_bytes(Path(asked.output), _csv(columns).encode())
    if place.json:
        print_json(_json(asked, rows, columns))
    elif asked.output is None:
        write_text(_csv(columns))
    else:
        from deepwell.report._layout import entry

        noun = "prediction" if rows == 1 else "predictions"
        print_lines(entry("saved", f"{safe_text(asked.output, 300)} ({rows:,} {noun})"))
    return DONE


def _spare_the_input(output: Path, source: Path) -> None:
    if output.exists() and source.exists() and output.samefile(source):
        raise UsageError(
            "the predictions would replace the data they are made for; name another -o"
        )


def _plain(values: object) -> list[object]:
    """Return a column as a list of Python values."""
    listed = getattr(values, "tolist", None)
    return listed() if callable(listed) else list(values)  # type: ignore[call-overload]


def _csv(columns: Mapping[str, Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def _json(
    asked: Prediction, rows: int, columns: Mapping[str, Sequence[object]]
) -> dict[str, object]:
    from deepwell.report._json import strict

    content: dict[str, object] = {"rows": rows, "output": asked.output}
    return strict(content if asked.output is not None else content | {"columns": columns})
