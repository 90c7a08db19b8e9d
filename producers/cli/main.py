"""The console script `dragoman`: the table of its commands, each imported only when it runs.

So `dragoman --help` answers at once. A failure becomes one line on standard error and an exit code: 0 done,
1 it failed, 2 wrong usage, 3 what it talks to is not running, 130 Ctrl-C.
"""

import importlib
from dataclasses import dataclass
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

from producers.cli.errors import CommandError, failure_of


@dataclass(frozen=True)
class Command:
    """Where a command is defined (`module:attribute`, a function or a Typer application) and what it does."""

    defined_in: str
    help: str


class LazyGroup(TyperGroup):
    """A group whose commands stand in a table; subclasses set it."""

    table: ClassVar[dict[str, Command]] = {}

    def list_commands(self, _ctx: Any) -> list[str]:
        """Return the names in the order of the table."""
        return list(self.table)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """Return what a list of commands shows: name and help, without an import."""
        command = self.table.get(cmd_name)
        return command and TyperCommand(cmd_name, help=command.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that runs."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load(self.table[name or ""], name or ""), rest


def load(command: Command, name: str) -> Any:
    """Import the command and return it as Typer runs it."""
    module, _, attribute = command.defined_in.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name)(found)
        found = single
    return typer.main.get_command(found)


class Commands(LazyGroup):
    """The commands of `dragoman`, roughly in the order in which a new user needs them."""

    table: ClassVar[dict[str, Command]] = {
        "demo": Command("producers.cli.demo:demo", "Start everything, translate, measure, show the result."),
        "up": Command("producers.cli.stack:up", "Start the whole platform on this machine."),
        "down": Command("producers.cli.stack:down", "Stop it."),
        "status": Command("producers.cli.stack:status", "Show what runs, and where."),
        "logs": Command("producers.cli.logs:logs", "Follow and search what its processes log."),
        "scale": Command("producers.cli.stack:scale", "Change the number of workers."),
        "restart": Command("producers.cli.stack:restart", "Restart processes one after the other."),
        "doctor": Command("producers.cli.doctor:doctor", "Look at everything; name the cure of what is wrong."),
        "translate": Command("producers.cli.translate:translate", "Translate a text and print it."),
        "submit": Command("producers.cli.translate:submit", "Send the text of a file; wait for it with --wait."),
        "document": Command("producers.cli.document:document", "Translate files, folders or patterns of them."),
        "result": Command("producers.cli.translate:result", "Show a job, or its translation when finished."),
        "cancel": Command("producers.cli.translate:cancel", "End a job that is not finished."),
        "erase": Command("producers.cli.translate:erase", "Erase the texts and files of a job."),
        "glossaries": Command("producers.cli.glossaries:app", "Make, show and delete glossaries."),
        "tenants": Command("producers.cli.tenants:app", "Make, show, change and suspend tenants."),
        "users": Command("producers.cli.users:app", "Make, show, change and remove people who log in."),
        "keys": Command("producers.cli.keys:app", "Make, show, change, rotate and revoke API keys."),
        "webhooks": Command(
            "producers.cli.webhooks:app", "Show and repeat webhooks; show and rotate their secrets."
        ),
        "replay": Command("producers.cli.replay:replay", "Translate past requests on another model and compare."),
        "topics": Command("producers.cli.topics:app", "Create, list and check the Kafka topics."),
        "reconcile": Command(
            "producers.cli.reconcile:reconcile", "Send again every request that was lost without an answer."
        ),
        "backup": Command("producers.cli.backup:app", "Save the stores, check a backup, restore it."),
        "regions": Command("producers.cli.regions:app", "Copy the topics to a second region; take over there."),
        "models": Command("producers.cli.models:app", "Show the translation models on this machine."),
        "dead-letters": Command(
            "producers.cli.dead_letters:app", "Look at what could not be processed; send it again."
        ),
        "simulate": Command("producers.cli.simulate:simulate", "Simulate a day of the autoscaler."),
        "reference": Command("producers.cli.reference:app", "Print what can be set and what can be measured."),
        "cost": Command("producers.cli.cost:app", "What it cost; what a volume of words would cost."),
        "usage": Command("producers.cli.usage:usage", "Show words, latency and cost."),
        "dashboard": Command("producers.cli.dashboard:dashboard", "Open the dashboard in a browser, signed in."),
        "analytics": Command(
            "producers.cli.analytics:app", "Reconcile what ClickHouse holds; rebuild its rollups."
        ),
    }

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn an expected failure into a line on standard error and an exit code."""
        try:
            return super().invoke(ctx)
        except Exception as error:  # an unexpected one goes on with its trace
            failure = failure_of(error) or _of_surroundings(error)
            if failure is None:
                raise
            typer.echo(f"dragoman: {failure}", err=True)
            raise typer.Exit(failure.exit_code) from None


def _of_surroundings(error: Exception) -> CommandError | None:
    # What it needs takes longer to load than --help may.
    from producers.cli.surroundings import failure_of_surroundings  # noqa: PLC0415

    return failure_of_surroundings(error)


app = typer.Typer(
    cls=Commands,
    name="dragoman",
    help="Dragoman, a translation platform on Kafka.\n\n"
    "Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 what it talks to is not running, "
    "130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Make `app` a group, which without a callback Typer would not do."""


if __name__ == "__main__":
    app()
