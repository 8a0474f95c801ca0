"""The commands, in the order of the help text. Adding one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from . import (
    _calibrate,
    _check,
    _compare,
    _copy,
    _curve,
    _delete,
    _diagnose,
    _doctor,
    _ensemble,
    _extend,
    _fit,
    _fork,
    _gc,
    _improve,
    _lab,
    _list,
    _narrow,
    _note,
    _nudge,
    _pause,
    _predict,
    _query,
    _rates,
    _refit,
    _rename,
    _replay,
    _report,
    _restore,
    _resume,
    _rollback,
    _run,
    _sample,
    _show,
    _snapshot,
    _stop,
    _tag,
    _test,
    _verify,
    _work,
)
from ._exit_codes import STOPPED
from ._flags import with_options
from ._help import CommandGroup, SectionedCommand
from ._output import print_lines


class Command(NamedTuple):
    """A command: its name, what it does, and examples for its help text."""

    name: str
    function: Callable[..., int]
    examples: str


COMMANDS = (
    Command("fit", _fit.fit, _fit.EXAMPLES),
    Command("run", _run.run, _run.EXAMPLES),
    Command("resume", _resume.resume, _resume.EXAMPLES),
    Command("work", _work.work, _work.EXAMPLES),
    Command("show", _show.show, _show.EXAMPLES),
    Command("list", _list.list_, _list.EXAMPLES),
    Command("nudge", _nudge.nudge, _nudge.EXAMPLES),
    Command("pause", _pause.pause, _pause.EXAMPLES),
    Command("snapshot", _snapshot.snapshot, _snapshot.EXAMPLES),
    Command("rollback", _rollback.rollback, _rollback.EXAMPLES),
    Command("fork", _fork.fork, _fork.EXAMPLES),
    Command("stop", _stop.stop, _stop.EXAMPLES),
    Command("extend", _extend.extend, _extend.EXAMPLES),
    Command("narrow", _narrow.narrow, _narrow.EXAMPLES),
    Command("diagnose", _diagnose.diagnose, _diagnose.EXAMPLES),
    Command("curve", _curve.curve, _curve.EXAMPLES),
    Command("improve", _improve.improve, _improve.EXAMPLES),
    Command("test", _test.test, _test.EXAMPLES),
    Command("verify", _verify.verify, _verify.EXAMPLES),
    Command("refit", _refit.refit, _refit.EXAMPLES),
    Command("ensemble", _ensemble.ensemble, _ensemble.EXAMPLES),
    Command("predict", _predict.predict, _predict.EXAMPLES),
    Command("calibrate", _calibrate.calibrate, _calibrate.EXAMPLES),
    Command("report", _report.report, _report.EXAMPLES),
    Command("compare", _compare.compare, _compare.EXAMPLES),
    Command("query", _query.query, _query.EXAMPLES),
    Command("note", _note.note, _note.EXAMPLES),
    Command("tag", _tag.tag, _tag.EXAMPLES),
    Command("rename", _rename.rename, _rename.EXAMPLES),
    Command("delete", _delete.delete, _delete.EXAMPLES),
    Command("replay", _replay.replay, _replay.EXAMPLES),
    Command("copy", _copy.copy, _copy.EXAMPLES),
    Command("gc", _gc.gc, _gc.EXAMPLES),
    Command("rates", _rates.rates, _rates.EXAMPLES),
    Command("check", _check.check, _check.EXAMPLES),
    Command("sample", _sample.sample, _sample.EXAMPLES),
    Command("lab", _lab.lab, _lab.EXAMPLES),
    Command("restore", _restore.restore, _restore.EXAMPLES),
    Command("doctor", _doctor.doctor, _doctor.EXAMPLES),
)

HELP = "Makes deep neural networks better: give it a table, get a tested network."
EPILOG = "Exit codes: 0 done, 1 failed, 2 wrong usage or data, 130 stopped with the best kept."


def parse(arguments: Sequence[str]) -> Callable[[], int]:
    """Return what the arguments ask for, ready to run; help and version texts are printed.

    Raises:
        UsageError, typer.TyperException: when the arguments are wrong.
    """
    program: Any = typer.main.get_command(_app())
    asked: Callable[[], int] | int | None = program.main(
        args=list(arguments), prog_name="deepwell", standalone_mode=False
    )
    if asked is None or isinstance(asked, int):
        if asked == STOPPED:  # Typer turns Ctrl-C into this
            raise KeyboardInterrupt
        return lambda: asked or 0
    return asked


def _app() -> typer.Typer:
    app = typer.Typer(
        cls=CommandGroup,
        help=HELP,
        epilog=EPILOG,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_top)
    for command in COMMANDS:
        register = app.command(command.name, cls=SectionedCommand, epilog=command.examples)
        register(with_options(command.function))
    return app


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print_lines([f"deepwell {version('deepwell')}"])
        raise typer.Exit


def _top(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Options without a command."""
