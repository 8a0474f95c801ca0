"""Help texts in plain sections of 80 columns, and commands that are not there refused by name."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text


class SectionedCommand(TyperCommand):
    """A command whose options stand under the headings that their fields name."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write the command with its arguments."""
        names = [str(p.metavar) for p in self.params if p.param_type_name == "argument"]
        formatter.write_usage(ctx.command_path, " ".join([*names, "[OPTIONS]"]))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then each section of options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if parameter.param_type_name == "argument":
                record = (str(parameter.metavar), str(getattr(parameter, "help", "")))
            else:
                record = parameter.get_help_record(ctx)
            if record is not None:
                title = getattr(parameter, "rich_help_panel", None) or "Options"
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, each line as it is."""
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write(f"  {line}\n")


class CommandGroup(TyperGroup):
    """The commands; a name that is none of them is refused with the closest one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the first argument names."""
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            known = ", ".join(self.commands)
            hint = did_you_mean(name, self.commands)
            raise UsageError(f'unknown command "{safe_text(name)}"{hint or ";"} commands: {known}')
        return super().resolve_command(ctx, args)
