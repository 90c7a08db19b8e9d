"""Commands that are imported when they run, so that `dragoman --help` answers at once."""

import importlib
from dataclasses import dataclass
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Command:
    """Where a command lives (`module:attribute`, a function or a Typer application) and what it is for."""

    place: str
    help: str


class LazyGroup(TyperGroup):
    """A group whose members stand in a table; subclasses set it."""

    table: ClassVar[dict[str, Command]] = {}

    def list_commands(self, _ctx: Any) -> list[str]:
        """In the order of the table."""
        return list(self.table)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """Enough of the command for a list of commands: its name and its help."""
        command = self.table.get(cmd_name)
        return command and TyperCommand(cmd_name, help=command.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real command, imported now."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load(self.table[name or ""], name or ""), rest


def load(command: Command, name: str) -> Any:
    """The command as Typer runs it."""
    module, _, attribute = command.place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name)(found)
        found = single
    return typer.main.get_command(found)
