"""Trials as a frame."""

import polars as pl

from deepwell.records import Status, Trial, TrialSpec
from deepwell.study._trial_frame import trial_frame


def test_values_a_layer_beside_one_for_all_make_a_column_of_lists() -> None:
    given = [{"dropout": 0.5}, {"dropout": (0.1, 0.2), "hidden_layers": 2}]
    trials = [
        Trial(n, TrialSpec(values, 0), Status.FINISHED, 1, 1, 0.1 * n, 0.0)
        for n, values in enumerate(given, start=1)
    ]
    found = trial_frame(trials)
    assert found["dropout"].to_list() == [[0.5], [0.1, 0.2]]
    assert trial_frame(trials[:1])["dropout"].to_list() == [0.5]
    assert found.schema["learning_rate"] == pl.Float64
