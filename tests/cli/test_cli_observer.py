from __future__ import annotations

import io

import pytest

from deepwell.cli._observer import TerminalObserver
from deepwell.records import Baseline, Estimate, Progress

STEP = Progress("training", 1, 2, 8, 8, 0.5, 0.2, 1.0, percent=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    observer = TerminalObserver()
    observer.on_progress(STEP)
    assert "best dev 20.0 %" in terminal.getvalue()
    observer.close()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "dumb")
    observer = TerminalObserver()
    observer.on_progress(STEP)
    observer.close()
    assert terminal.getvalue() == ""


def test_a_line_that_comes_late_stands_on_a_clean_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    observer = TerminalObserver()
    observer.on_progress(STEP)
    simple = Baseline("logistic regression", Estimate(0.1, 0.05, 0.15))
    observer.on_baselines((simple,), "error", percent=True)
    before, _, after = terminal.getvalue().partition("baseline")
    assert before.endswith("\r\x1b[K")
    assert after.endswith("\n")
