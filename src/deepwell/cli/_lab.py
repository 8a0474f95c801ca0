"""`deepwell lab`: the figures of the field guide, from real runs."""

from __future__ import annotations

import time
from pathlib import Path

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._exit_codes import DONE
from ._options import Form, LabFigures
from ._output import print_json, print_lines

EXAMPLES = "deepwell lab --list\ndeepwell lab ravine dropout -o figures\ndeepwell lab all"


def lab(asked: LabFigures, form: Form) -> int:
    """Draw figures of the field guide from real runs.

    Each is measured by our own code, in under a minute on 2 cores, and written as PNG and SVG,
    light and dark. Needs Matplotlib: pip install 'deepwell[lab]'.
    """
    from deepwell.lab._registry import FIGURES

    if asked.list:
        _tell_list(form)
        return DONE
    if not asked.names:
        raise UsageError("name a figure, or all; deepwell lab --list shows them")
    names = list(FIGURES) if asked.names == ("all",) else list(dict.fromkeys(asked.names))
    for name in names:
        FIGURES[name]  # a wrong name is told before the work
    from deepwell.lab._render import draw, require_matplotlib
    from deepwell.report._layout import entry

    require_matplotlib()
    folder = Path(asked.output or "lab")
    drawn = []
    for name in names:
        began = time.perf_counter()
        files = draw(name, folder)
        seconds = time.perf_counter() - began
        drawn.append({"name": name, "files": [str(f) for f in files], "seconds": seconds})
        if not form.json:
            text = f"{safe_text(folder, 300)}/{name}-light, -dark (.png, .svg) in {seconds:.0f} s"
            print_lines(entry("drawn", text))
    if form.json:
        print_json({"figures": drawn})
    return DONE


def _tell_list(form: Form) -> None:
    from deepwell.lab._registry import FIGURES
    from deepwell.report._layout import entry

    if form.json:
        rows = [
            {"name": f.name, "shows": f.shows, "techniques": list(f.techniques)}
            for f in FIGURES.values()
        ]
        print_json({"figures": rows})
        return
    for figure in FIGURES.values():
        print_lines([figure.name])
        print_lines(entry("", f"{figure.shows} ({', '.join(figure.techniques)})"))
