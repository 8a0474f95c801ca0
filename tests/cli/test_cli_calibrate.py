"""`deepwell calibrate` on a small study, from the first command to the last."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

LABELS = ("no", "yes")


@pytest.fixture
def shop(deepwell, tmp_path: Path, monkeypatch) -> Path:
    """A study of a rare class, for whose error rate nobody is said to buy."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(900, 4))
    said = generator.random(900) < 1 / (1 + np.exp(2.2 - 1.5 * x[:, 0]))
    lines = [
        ",".join([*(f"{v:.5f}" for v in row), LABELS[int(s)]])
        for row, s in zip(x, said, strict=True)
    ]
    (tmp_path / "shop.csv").write_text("\n".join(["a,b,c,d,bought", *lines]) + "\n")
    done = deepwell(
        *("fit", "shop.csv", "--target", "bought", "--trials", "2", "--epochs", "15"),
        *(
            "--hidden-units",
            "64",
            "--learning-rate",
            "0.01",
            "--metric",
            "error",
            "--patience",
            "0",
        ),
    )
    assert done.code == 0
    return tmp_path


def test_a_temperature_and_a_threshold_are_stored_told_and_taken_away(deepwell, shop: Path) -> None:
    plain = deepwell("predict", "shop", "shop.csv").out
    told = deepwell("calibrate", "shop", "--threshold", "cost=5")
    assert told.code == 0
    assert told.out.startswith("scale     ")
    assert "decide    for yes above 0." in told.out
    assert max(len(line) for line in told.out.splitlines()) <= 80
    changed = deepwell("predict", "shop", "shop.csv").out
    assert changed.count("\nyes,") > plain.count("\nyes,")
    off = deepwell("calibrate", "shop", "--off")
    assert off.out == (
        "scale     no temperature: probabilities are those of the network\n"
        "decide    for the likelier class\n"
    )
    assert deepwell("predict", "shop", "shop.csv").out == plain


def test_it_tells_in_json(deepwell, shop: Path) -> None:
    told = deepwell("calibrate", "shop", "--threshold", "f1", "--json").json
    assert told["rows"] == 180
    assert told["positive"] == "yes"
    assert told["threshold"]["objective"] == "f1"
    assert {"temperature", "change", "error_before", "error_after"} <= set(told["temperature"])


def test_wrong_goals_and_studies_are_wrong_usage(deepwell, shop: Path) -> None:
    refused = deepwell("calibrate", "shop", "--threshold", "best")
    assert refused.code == 2
    assert "f1, balanced_error or cost=R" in refused.err
    assert deepwell("calibrate", "nosuch").code == 2


def test_sets_are_columns(deepwell, shop: Path) -> None:
    printed = deepwell("predict", "shop", "shop.csv", "--coverage", "0.9").out.splitlines()
    assert printed[0] == "prediction,probability_no,probability_yes,set_no,set_yes"
    assert all("True" in line for line in printed[1:])
    refused = deepwell("predict", "shop", "shop.csv", "--coverage", "0.9999")
    assert refused.code == 2
    assert "180 dev rows" in refused.err
