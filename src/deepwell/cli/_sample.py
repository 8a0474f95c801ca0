"""`deepwell sample`: a real table to try things on."""

from __future__ import annotations

from pathlib import Path

from deepwell._base._safe_text import safe_text

from ._exit_codes import DONE
from ._options import Form, SampleFile
from ._output import print_json, print_lines

EXAMPLES = "deepwell sample digits -o digits.csv\ndeepwell sample diabetes -o diabetes.parquet"


def sample(asked: SampleFile, form: Form) -> int:
    """Write a real table to try things on.

    Classes in digits, breast-cancer, wine and iris, numbers in diabetes. The target column is
    `label`, in diabetes `target`.
    """
    from deepwell.data._samples import write_sample

    name = safe_text(asked.sample)
    path = Path(asked.output or f"{name}.csv")
    frame = write_sample(name, path)
    rows, columns = frame.shape
    target = frame.columns[-1]
    if form.json:
        print_json({"path": str(path), "rows": rows, "columns": columns, "target": target})
    else:
        from deepwell.report._layout import entry

        size = f"{rows:,} rows x {columns} columns, target {target}"
        print_lines(entry("saved", f"{safe_text(path, 300)} ({size})"))
    return DONE
