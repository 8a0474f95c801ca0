"""Figures about predictions fit into 80 columns, whatever the number of classes."""

import numpy as np
import pytest

from deepwell.diagnosis._prediction_sections import (
    Predicted,
    labels_section,
    prediction_sections,
    probabilities_section,
)
from deepwell.report._section_lines import section_lines


def predicted(classes: int, n: int = 600, seed: int = 0) -> Predicted:
    generator = np.random.default_rng(seed)
    p = generator.dirichlet(np.full(classes, 0.3), n)
    y = (generator.random((n, 1)) > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
    labels = tuple(f"a rather long label {i}" for i in range(classes))
    return Predicted(y, p, labels)


@pytest.mark.parametrize("classes", [2, 3, 9, 40])
def test_lines_fit_into_80_columns(classes):
    for section in [*prediction_sections(predicted(classes)), labels_section(predicted(classes))]:
        assert max(len(line) for line in section_lines(section)) <= 80


def test_the_matrix_is_shown_where_it_fits():
    few, many = (section_lines(probabilities_section(predicted(classes))) for classes in (4, 40))
    assert any(line.startswith("true, said") for line in few)
    assert not any(line.startswith("true, said") for line in many)
    assert "and 10 classes that are found more often" in many


def test_labels_are_made_safe():
    rows = predicted(2)
    evil = Predicted(rows.y, rows.prediction, ("\x1b[31mred", "b\nc"))
    text = "\n".join(section_lines(probabilities_section(evil)))
    assert "\x1b" not in text
    assert "b\nc" not in text
