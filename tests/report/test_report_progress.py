from __future__ import annotations

import io

import pytest

from deepwell.records import Progress
from deepwell.report import PlainProgress, TerminalProgress
from deepwell.report._progress import progress_line, rung_line

HALFWAY = Progress(
    phase="training",
    rung=2,
    rungs=3,
    alive=64,
    networks=256,
    share=0.6,
    best=0.191,
    seconds_left=11.2,
    percent=True,
)
RUNG = Progress("training", 2, 3, 64, 256, 0.6, 0.191, 11.2, rung_ended=True, percent=True)


def test_the_line_reads_as_documented() -> None:
    assert progress_line(HALFWAY) == (
        "training  ##########------ rung 2/3  64 of 256 alive  best dev 19.1 %  11 s left"
    )


def test_nothing_is_claimed_that_is_not_known() -> None:
    first = Progress("compiling", 1, 3, 256, 256, 0.0, None, None)
    assert progress_line(first) == "compiling ---------------- rung 1/3  256 of 256 alive"


def test_a_share_beyond_its_range_does_not_break_the_bar() -> None:
    assert "#" * 16 + " " in progress_line(Progress("training", 1, 1, 1, 1, 1.2, None, None))


def test_plain_progress_writes_one_line_a_rung_without_control_codes() -> None:
    stream = io.StringIO()
    plain = PlainProgress(stream)
    for progress in (HALFWAY, RUNG, HALFWAY):
        plain.update(progress)
    plain.close()
    assert stream.getvalue() == (
        "training  rung 2/3 done, 64 of 256 alive, best dev 19.1 %, 11 s left\n"
    )
    assert rung_line(Progress("training", 1, 1, 1, 1, 1.0, 2.5, 0.0)) == (
        "training  rung 1/1 done, 1 of 1 alive, best dev 2.500"
    )
    wide = Progress("training", 3, 3, 1_024, 1_024, 0.5, 0.123, 3_599.0, percent=True)
    assert len(rung_line(wide)) <= 80


def test_terminal_progress_rewrites_one_line_and_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter([0.0, 0.01, 0.02, 0.5])
    monkeypatch.setattr("deepwell.report._progress.time.monotonic", lambda: next(now))
    monkeypatch.setenv("COLUMNS", "60")
    stream = io.StringIO()
    line = TerminalProgress(stream)
    for progress in (HALFWAY, HALFWAY, RUNG, HALFWAY):  # the second comes too soon
        line.update(progress)
    line.close()
    line.close()
    pieces = stream.getvalue().split("\r\x1b[K")
    assert pieces[0] == ""
    assert pieces[-1] == ""
    shown = pieces[1:-1]
    assert len(shown) == 3
    assert all(len(one) == 59 and "\n" not in one for one in shown)


def test_closing_without_an_update_writes_nothing() -> None:
    stream = io.StringIO()
    TerminalProgress(stream).close()
    assert stream.getvalue() == ""
