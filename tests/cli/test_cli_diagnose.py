from __future__ import annotations

from pathlib import Path

import pytest

TABLE = "truth,prediction,part\n" + "a,a,train\nb,b,train\na,b,dev\nb,a,dev\n" * 40


def test_predictions_are_diagnosed(deepwell, tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text(TABLE)
    shown = deepwell("diagnose", "--predictions", str(file))
    assert shown.code == 0
    assert shown.out.startswith("What kind of error is left\n")
    assert "DW101     high variance: train 0.0 %, dev 100.0 %" in shown.out
    told = deepwell("diagnose", "--predictions", str(file), "--best-possible", "0.1", "--json").json
    assert told["name"] is None
    assert "DW101" in [f["code"] for f in told["findings"]]
    assert told["sections"][0]["facts"]["scores"]["dev"]["rows"] == 80


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "needs the name of one study, or --predictions FILE, got neither"),
        (["one", "two"], "needs the name of one study"),
        (["one", "--metric", "error"], "`--metric` is for --predictions"),
        (["--predictions", "p.csv", "--store", "x"], "leave out --store"),
        (["one", "--predictions", "p.csv"], "leave out the study one"),
        (["--predictions", "nosuch.csv"], "nosuch.csv"),
        (["--predictions", "p.csv", "--best-possible", "-1"], "`--best-possible` must be"),
        (["nosuch", "--store", "nowhere"], "nowhere"),
    ],
)
def test_wrong_usage_is_told_in_a_line(deepwell, tmp_path, monkeypatch, arguments, words) -> None:
    monkeypatch.chdir(tmp_path)
    refused = deepwell("diagnose", *arguments)
    assert refused.code == 2
    assert words in refused.err
    assert refused.err.count("\n") == 1
