"""The console script `dragoman`: the table of its commands. Each is imported only when it runs.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 what it talks to is not running, 130 Ctrl-C.
"""

from typing import Any, ClassVar

import typer

from producers.cli.failures import failure_of
from producers.cli.lazy import Command, LazyGroup


class Commands(LazyGroup):
    """Ordered as one would need them."""

    table: ClassVar[dict[str, Command]] = {
        "demo": Command(
            "producers.cli.demo.main:demo", "Start everything, translate, kill a worker, show the result."
        ),
        "up": Command("producers.cli.stack:up", "Start the whole platform on this machine."),
        "down": Command("producers.cli.stack:down", "Stop it."),
        "status": Command("producers.cli.stack:status", "Show what runs, and where."),
        "scale": Command("producers.cli.stack:scale", "Change the number of workers."),
        "restart": Command("producers.cli.stack:restart", "Restart processes one after the other."),
        "translate": Command("producers.cli.translate:translate", "Translate a text and print it."),
        "submit": Command("producers.cli.translate:submit", "Send the text of a file; follow it with --wait."),
        "result": Command("producers.cli.translate:result", "Show a job, or its translation when finished."),
        "cancel": Command("producers.cli.cancel:cancel", "End a job that is not finished."),
        "replay": Command(
            "producers.cli.replay.main:replay", "Translate past requests on another model and compare."
        ),
        "topics": Command("producers.cli.topics:app", "Create, list and check the Kafka topics."),
        "reconcile": Command(
            "producers.cli.reconcile:reconcile", "Send again every request that was lost without an answer."
        ),
        "backup": Command("producers.cli.backup:app", "Save the stores, check a backup, bring it back."),
        "regions": Command("producers.cli.regions:app", "Copy the topics to a second region; take over there."),
        "models": Command("producers.cli.models:app", "Show the translation models on this machine."),
        "dead-letters": Command(
            "producers.cli.dead_letters.commands:app", "Look at what could not be processed; send it again."
        ),
        "reference": Command(
            "producers.cli.reference.commands:app", "Print what can be set and what can be measured."
        ),
        "usage": Command("producers.cli.usage:usage", "Show words, latency and cost."),
    }

    def invoke(self, ctx: Any) -> Any:
        """The one place where a failure becomes a line on standard error and an exit code."""
        try:
            return super().invoke(ctx)
        except Exception as error:  # an unexpected one goes on with its trace
            failure = failure_of(error)
            if failure is None:
                raise
            typer.echo(f"dragoman: {failure}", err=True)
            raise typer.Exit(failure.exit_code) from None


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
    """Without a callback Typer would make a single command of the group."""


if __name__ == "__main__":
    app()
