from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from deepwell.cli import _main, main, run
from deepwell.cli._app import COMMANDS

HEAVY = ("jax", "numpy", "polars", "sqlalchemy", "alembic", "sklearn", "scipy")


def process(code: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        **options,
    )


def test_help_loads_none_of_the_machinery() -> None:
    code = (
        "import sys\n"
        "from deepwell.cli import run\n"
        "codes = [run(['--help']), run(['fit', '--help'])]\n"
        f"print(codes, [name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )
    done = process(code)
    assert done.stderr == "[0, 0] []\n"
    assert "Hyperparameters" in done.stdout


def test_help_lists_exactly_the_commands_that_work(deepwell) -> None:
    shown = deepwell("--help")
    assert shown.code == 0
    listed = shown.out.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    names = [line.split()[0] for line in listed]
    assert names == [command.name for command in COMMANDS]
    assert names == [
        "fit",
        "run",
        "resume",
        "work",
        "show",
        "list",
        "nudge",
        "pause",
        "snapshot",
        "rollback",
        "fork",
        "stop",
        "extend",
        "narrow",
        "diagnose",
        "curve",
        "improve",
        "test",
        "verify",
        "refit",
        "ensemble",
        "predict",
        "calibrate",
        "report",
        "compare",
        "query",
        "note",
        "tag",
        "rename",
        "delete",
        "replay",
        "copy",
        "gc",
        "rates",
        "check",
        "sample",
        "lab",
        "restore",
        "doctor",
    ]
    assert "..." not in "\n".join(listed)  # no summary is cut


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_each_command_explains_itself_within_80_columns(deepwell, name: str) -> None:
    shown = deepwell(name, "--help")
    assert shown.code == 0
    assert max(map(len, shown.out.splitlines())) <= 80
    assert shown.out.startswith(f"Usage: deepwell {name} ")
    assert f"  deepwell {name}" in shown.out.split("Examples:")[1]
    assert "--json" in shown.out
    assert set(shown.out.splitlines()[0]).isdisjoint("╭─│")


def test_nothing_asked_shows_the_help(deepwell) -> None:
    assert deepwell().out == deepwell("--help").out


def test_the_version(deepwell) -> None:
    shown = deepwell("--version")
    assert (shown.code, shown.out) == (0, f"deepwell {version('deepwell')}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("fitt",), 'unknown command "fitt"; did you mean "fit"?'),
        (("zzz", "x"), 'unknown command "zzz"; commands: fit, run, resume'),
        (("fit",), 'missing argument "DATA"'),
        (("show", "a", "b"), "got unexpected extra argument(s) (b)"),
        (("fit", "x", "--trails", "3"), 'unknown option "--trails"; did you mean "--trials"?'),
        (("--jsn",), 'unknown option "--jsn"'),
        (("fit", "x", "--trials"), 'option "--trials" requires an argument'),
        (("fit", "x", "--json=3"), 'option "--json" does not take a value'),
        (("sample", "irs"), 'unknown sample "irs"; did you mean "iris"?'),
        (("show", "a\x1b[2J", "b\x1b[2J"), "got unexpected extra argument(s)"),
    ],
)
def test_wrong_usage_is_one_sentence(deepwell, arguments: tuple[str, ...], sentence: str) -> None:
    refused = deepwell(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"error: {sentence}")
    assert refused.err.count("\n") == 1
    assert "\x1b" not in refused.err
    told = deepwell(*arguments, "--json")
    if not arguments[0].startswith("-"):
        assert told.json["exit_code"] == 2
        assert told.err == ""


def test_a_reader_that_leaves_early_is_no_error() -> None:
    code = (
        "import sys\n"
        "from deepwell.cli._output import print_lines, flush\n"
        "for i in range(20_000): print_lines(['line'])\n"
        "flush()\n"
        "print('done', file=sys.stderr)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == "line\n"
        running.stdout.close()
        assert running.stderr.read() == "done\n"
        assert running.wait(timeout=60) == 0


def test_python_dash_m(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deepwell", "nosuch"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert done.stderr.startswith('error: unknown command "nosuch"')


def test_a_terminal_without_the_characters_gets_their_numbers() -> None:
    done = process(
        "import sys; from deepwell.cli import main; sys.argv[1:] = ['Größe']; sys.exit(main())",
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 2
    assert 'unknown command "Gr\\xf6\\xdfe"' in done.stderr


def test_an_interrupt_that_a_library_disguised_is_still_a_stop(
    deepwell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disguise(arguments: list[str]) -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("initialization failed") from None
        return 0

    monkeypatch.setattr(_main, "_perform", disguise)
    stopped = deepwell("fit")
    assert (stopped.code, stopped.err) == (130, "error: stopped by the user\n")


def test_an_interrupt_inside_a_callback_arrives_later() -> None:
    code = (
        "import signal, sys, time\n"
        "import deepwell.cli._main as m\n"
        "class Trap:\n"
        "    def __del__(self): signal.raise_signal(signal.SIGINT)\n"
        "def perform(arguments):\n"
        "    trap = Trap()\n"
        "    del trap\n"
        "    time.sleep(60)\n"
        "m._perform = perform\n"
        "sys.exit(m.main())\n"
    )
    stopped = process(code)
    assert stopped.returncode == 130
    assert stopped.stderr == "error: stopped by the user\n"


def test_signal_handlers_are_left_as_they_were(deepwell) -> None:
    before = signal.getsignal(signal.SIGINT), sys.unraisablehook
    deepwell("--version")
    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == before


def test_the_exit_code_is_the_return_value(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    before = signal.getsignal(signal.SIGINT), gc.get_threshold()
    try:
        monkeypatch.setattr(sys, "argv", ["deepwell", "nosuch"])
        assert main() == 2
        assert gc.get_freeze_count() > 0  # else the interpreter's end takes a quarter of a second
    finally:
        gc.unfreeze()
        gc.set_threshold(*before[1])
        signal.signal(signal.SIGINT, before[0])
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("deepwell ")
