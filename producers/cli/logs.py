"""`logs`: follow and search what the processes of the one-machine stack log."""

import re
import sys
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import typer

from deploy.local.log_files import Follower, log_files, read_lines
from deploy.local.log_lines import LEVELS, LogFilter, LogLine
from producers.cli.arguments import AsJson, parse_time_ms
from producers.cli.errors import INTERRUPTED, UsageError
from producers.cli.target import Root, root_of
from stream_apps.runtime.process import now_ms

_FOLLOWED_TAIL = 20
_COLORS = {"debug": "bright_black", "info": "green", "warning": "yellow", "error": "red", "critical": "magenta"}
_PROCESS_COLORS = ("cyan", "blue", "bright_cyan", "bright_blue", "bright_green", "bright_magenta")
# What every line of a process repeats.
_UNTOLD = ("instance",)


def logs(  # noqa: PLR0913, PLR0917  # one parameter per option
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is added; Ctrl-C ends.")] = False,
    since: Annotated[str | None, typer.Option(help="From then on: 90s, 30m, 2h ago, or ISO 8601.")] = None,
    process: Annotated[
        list[str] | None, typer.Option(help="A process (worker-1) or a kind (worker); may be repeated.")
    ] = None,
    level: Annotated[str | None, typer.Option(help=f"The lowest: {', '.join(LEVELS)}.")] = None,
    request: Annotated[str | None, typer.Option(help="Lines about one request, by its id.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Lines about one tenant's requests.")] = None,
    trace: Annotated[str | None, typer.Option(help="Lines of one trace, by its id.")] = None,
    grep: Annotated[str | None, typer.Option(help="A regular expression that the line has.")] = None,
    tail: Annotated[int | None, typer.Option(min=0, help="Only the last lines: so many.")] = None,
    as_json: AsJson = False,
    root: Root = None,
) -> None:
    """Show what the processes of the local platform log, in the order of time; JSON lines where it is piped."""
    wanted = LogFilter(
        since_ms=parse_time_ms(since, "--since", now_ms()) if since else 0,
        processes=tuple(process or ()),
        level=_checked_level(level),
        request=request,
        tenant=tenant,
        trace=trace,
        grep=_pattern(grep),
    )
    show_logs(wanted, follow=follow, tail=tail, as_json=as_json or not sys.stdout.isatty(), root=root)


def show_logs(wanted: LogFilter, *, follow: bool, tail: int | None, as_json: bool, root: Root = None) -> None:
    """Print the lines. With `follow` it goes on until Ctrl-C; it begins with the last 20 unless told otherwise."""
    folder = root_of(root) / "logs"
    files = log_files(folder, wanted)
    follower = Follower(folder, wanted)
    until = follower.start() if follow else None
    last = _FOLLOWED_TAIL if follow and tail is None and not wanted.since_ms else tail
    lines = read_lines(files, wanted, until)
    shown = _print(lines if last is None else deque(lines, maxlen=last), as_json=as_json)
    if follow:
        try:
            _print(follower.lines(), as_json=as_json)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
    elif not shown and last != 0:
        typer.echo(f"no line in {folder} is like that", err=True)


def readable(line: LogLine) -> str:
    """Return a line for people, coloured: time, process, level, event, fields."""
    at = datetime.fromtimestamp(line.at_ms / 1000).astimezone().strftime("%H:%M:%S.%f")[:-3]
    color = _PROCESS_COLORS[sum(line.process.encode()) % len(_PROCESS_COLORS)]
    fields = [f"{name}={value}" for name, value in line.fields.items() if name not in _UNTOLD]
    shown = " ".join(
        [
            typer.style(at, dim=True),
            typer.style(_harmless(line.process).ljust(10), fg=color),
            typer.style(line.level.ljust(8), fg=_COLORS[line.level]),
            typer.style(_harmless(line.event), bold=line.level in {"error", "critical"}),
            typer.style(_harmless(" ".join(fields)), dim=True),
        ]
    )
    return shown.rstrip()


def _harmless(text: str) -> str:
    """Return a text that does nothing to a terminal: what strangers sent may stand in it."""
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)


def _print(lines: Iterable[LogLine], *, as_json: bool) -> int:
    count = 0
    for line in lines:
        typer.echo(line.as_json() if as_json else readable(line))
        count += 1
    return count


def _checked_level(level: str | None) -> str | None:
    if level is not None and level.lower() not in LEVELS:
        raise UsageError(f"--level is {level!r}, which is none", f"give one of: {', '.join(LEVELS)}")
    return level and level.lower()


def _pattern(grep: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(grep) if grep else None
    except re.error as error:
        raise UsageError(
            f"--grep is no regular expression: {error}", "put a \\ before signs that mean something"
        ) from None
