"""The test score in a model's own description, with all that takes from its worth."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from deepwell.records import Opening
from deepwell.storage._files import write_atomic

from ._model import DESCRIPTION

TEST = "test"
"""Where it stands in `Model.about`."""


def mark_model(folder: Path, opening: Opening) -> None:
    """Write an opening into the description of the model that was scored.

    Args:
        folder: of the model.
        opening: as the ledger has it.

    Raises:
        UsageError: when the folder cannot be written.
    """
    file = folder / DESCRIPTION
    described: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    described["about"][TEST] = {
        "metric": opening.metric,
        **{name: _finite(value) for name, value in opening.test.to_plain().items()},
        "opened": opening.time,
        "number": opening.number,
        "unbiased": opening.unbiased,
        "notes": list(opening.notes),
    }
    write_atomic(file, json.dumps(described, indent=1, allow_nan=False).encode())


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
