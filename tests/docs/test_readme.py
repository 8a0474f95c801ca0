"""The README's example runs, and its commands exist."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    exec(compile(code, "README.md", "exec"), {})
    told = capsys.readouterr().out
    assert "Estimate(" in told
    assert "Opening(" in told


def test_the_table_of_commands_is_complete():
    from deepwell.cli._app import COMMANDS

    rows = re.findall(r"^\| (`deepwell [^|]+) \|", README, flags=re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(?:deepwell )?(\w+)[^`]*`", row)]
    assert sorted(listed) == sorted(command.name for command in COMMANDS)


@pytest.mark.parametrize("path", re.findall(r"\]\(([\w./-]+)\)", README))
def test_links_lead_somewhere(path):
    assert (Path(__file__).parents[2] / path).exists()
