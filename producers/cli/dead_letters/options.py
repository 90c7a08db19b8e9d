"""The options that choose letters, the same for every command."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Any

import typer

from producers.cli.dead_letters.filters import DeadLetterFilter, moment_ms
from producers.cli.failures import UsageError

_Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Letters by id.")]
_OPTIONS: dict[str, Any] = {
    "stage": Annotated[str | None, typer.Option(help="intake, inference, assembly, status or usage_sink.")],
    "cause": Annotated[str | None, typer.Option(help="The stable code of what was wrong.")],
    "tenant": Annotated[str | None, typer.Option(help="Whose requests.")],
    "request": Annotated[str | None, typer.Option(help="Of one request, by its id.")],
    "topic": Annotated[str | None, typer.Option(help="Where the records stood.")],
    "since": Annotated[str | None, typer.Option(help="Failed then or later: 90m, 12h, 7d ago, or ISO 8601.")],
    "until": Annotated[str | None, typer.Option(help="Failed before then.")],
    "limit": Annotated[int | None, typer.Option(min=1, help="The oldest so many of them.")],
}

All = Annotated[bool, typer.Option("--all", help="Every open letter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]


def with_filter(command: Callable[..., None]) -> Callable[..., None]:
    """The command with ids and options in the place of its parameter `chosen`."""

    @wraps(command)
    def run(**given: Any) -> None:
        named = {name: given.pop(name) for name in ("ids", *_OPTIONS)}
        command(chosen=_filter(**named), **given)

    own = inspect.signature(command).parameters.values()
    kinds = {"ids": _Ids, **_OPTIONS, **{one.name: one.annotation for one in own if one.name != "chosen"}}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_default(command, name), annotation=kind)
        for name, kind in kinds.items()
    ]
    # Typer reads both.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # any function takes one
    run.__annotations__ = kinds
    return run


def check_is_narrow(chosen: DeadLetterFilter, everything: bool) -> None:
    """All letters are meant only where that is said. Raises UsageError."""
    if chosen.is_open and not everything:
        raise UsageError("no letters are named", "name their ids, give a filter, or say --all")


def _filter(ids: list[str] | None, since: str | None, until: str | None, **others: Any) -> DeadLetterFilter:
    now = datetime.now(UTC)
    return DeadLetterFilter(
        ids=tuple(ids or ()),
        since_ms=None if since is None else moment_ms(since, now),
        until_ms=None if until is None else moment_ms(until, now),
        **others,
    )


def _default(command: Callable[..., None], name: str) -> Any:
    parameter = inspect.signature(command).parameters.get(name)
    return parameter.default if parameter else None
