from __future__ import annotations

import dataclasses
import errno
import io
from pathlib import Path

import pytest


def test_show_prints_the_study_once_more(deepwell, library) -> None:
    shown = deepwell("show", "iris", "--store", "place")
    assert shown.code == 0
    assert shown.out.startswith("data      150 rows x 5 columns")
    assert "deepwell test iris --store place" in shown.out
    assert library.calls["open_study"] == {"name": "iris", "store": "place"}
    assert deepwell("show", "iris", "--json").json["networks"] == 8


def test_test_opens_the_vault(deepwell, library) -> None:
    opened = deepwell("test", "iris")
    assert opened.code == 0
    assert opened.out.startswith("test      error 5.0 % [1.0, 20.0] on 30 sealed rows\n")
    assert "this figure is an unbiased" in opened.out
    told = deepwell("test", "iris", "--json").json
    assert told["test"] == {"value": 0.05, "low": 0.01, "high": 0.2}
    assert told["openings"] == 1


def test_report_is_printed_or_saved(deepwell, library, tmp_path: Path) -> None:
    printed = deepwell("report", "iris")
    assert printed.out.startswith("Study iris: classification of label\n")
    saved = deepwell("report", "iris", "-o", "out.txt")
    assert saved.out == "saved     out.txt\n"
    assert (tmp_path / "out.txt").read_text() == printed.out
    assert deepwell("report", "iris", "--json").json == {"name": "iris", "text": printed.out}
    told = deepwell("report", "iris", "--output", "two.txt", "--json").json
    assert told == {"name": "iris", "report": "two.txt"}


def test_a_report_that_cannot_be_written_leaves_nothing(deepwell, library, tmp_path: Path) -> None:
    refused = deepwell("report", "iris", "-o", "no/such/folder.txt")
    assert refused.code == 2
    assert refused.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["show", "test", "report"])
def test_an_unknown_study_is_wrong_usage(deepwell, library, command: str) -> None:
    refused = deepwell(command, "nosuch")
    assert refused.code == 2
    assert refused.err == 'error: no study "nosuch"\n'
    assert deepwell(command, "nosuch", "--json").json == {
        "error": 'no study "nosuch"',
        "exit_code": 2,
    }


def test_predictions_are_printed_as_csv(deepwell, library) -> None:
    done = deepwell("predict", "iris", "new.csv")
    assert done.code == 0
    assert done.out == (
        "prediction,probability_setosa,probability_virginica\n"
        "setosa,0.75,0.25\n"
        "virginica,0.25,0.75\n"
    )
    assert library.calls["load_model"] == {"path": "iris", "store": None}


def test_predictions_are_saved_whole(deepwell, library, tmp_path: Path) -> None:
    saved = deepwell("predict", "iris", "new.csv", "-o", "p.csv")
    assert saved.out == "saved     p.csv (2 predictions)\n"
    assert (tmp_path / "p.csv").read_text() == deepwell("predict", "iris", "new.csv").out
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]
    told = deepwell("predict", "iris", "new.csv", "-o", "p.csv", "--json").json
    assert told == {"rows": 2, "output": "p.csv"}


def test_sets_are_asked_for_by_their_coverage(deepwell, library) -> None:
    assert deepwell("predict", "iris", "new.csv", "--coverage", "0.9", "--adaptive").code == 0
    assert library.calls["predict_frame"] == (0, 0.9, True)
    refused = deepwell("predict", "iris", "new.csv", "--coverage", "1")
    assert refused.code == 2
    assert "(0, 1)" in refused.err


def test_what_may_be_meant_otherwise_is_noted_beside_the_predictions(deepwell, library) -> None:
    plain = deepwell("predict", "iris", "new.csv")
    library.notes_of_file = ["new.csv: 2 blank lines skipped"]
    noted = deepwell("predict", "iris", "new.csv")
    assert (plain.err, noted.err) == ("", "note: new.csv: 2 blank lines skipped\n")
    assert noted.out == plain.out


def test_predictions_as_json(deepwell, library) -> None:
    told = deepwell("predict", "iris", "new.csv", "--json").json
    assert told["rows"] == 2
    assert told["columns"]["prediction"] == ["setosa", "virginica"]
    assert told["columns"]["probability_setosa"] == [0.75, 0.25]


def test_a_label_with_commas_and_quotes_is_quoted(deepwell, library) -> None:
    library.predictions = {"prediction": ['a,"b"\n']}
    assert deepwell("predict", "iris", "new.csv").out == 'prediction\n"a,""b""\n"\n'


def test_predictions_never_replace_their_own_data(deepwell, library, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("a\n1\n")
    refused = deepwell("predict", "iris", "new.csv", "-o", "./new.csv")
    assert refused.code == 2
    assert "would replace the data" in refused.err
    assert (tmp_path / "new.csv").read_text() == "a\n1\n"
    assert library.calls == {}


def test_predictions_go_to_a_pipe_or_device(deepwell, library) -> None:
    assert deepwell("predict", "iris", "new.csv", "-o", "/dev/null").code == 0
    assert not Path("/dev/null").is_file()


def test_a_folder_is_no_file(deepwell, library, tmp_path: Path) -> None:
    refused = deepwell("predict", "iris", "new.csv", "-o", str(tmp_path))
    assert refused.code == 2
    assert refused.err == f'error: "{tmp_path}" is a folder; name a file in it\n'


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_is_one_sentence(
    deepwell, library, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setattr("sys.stdout", FullDisk())
    refused = deepwell("show", "iris", *options)
    assert (refused.code, refused.err) == (2, "error: the disk is full\n")


def test_no_figure_without_its_interval_is_lost_in_json(deepwell, library) -> None:
    library.result = dataclasses.replace(library.result, gemm_share=float("nan"))
    assert deepwell("show", "iris", "--json").json["gemm_share"] is None
