from __future__ import annotations

import io

import pytest

from deepwell.cli._observer import TerminalObserver
from deepwell.records import Progress

STEP = Progress("training", 1, 2, 8, 8, 0.5, 0.2, 1.0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    observer = TerminalObserver()
    observer.on_baselines((), "error", percent=True)
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
