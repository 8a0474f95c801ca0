"""After the tests: the sizes that are above what is meant, and below what fails."""

from __future__ import annotations

import craft
import house
import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    large = craft.sizes(house.read_modules())
    if large:
        terminalreporter.section("larger than meant")
        for size in large:
            terminalreporter.line(str(size))
