"""Ask ClickHouse what a panel wants to know, and write the answer as JSON or CSV."""

import csv
import io
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import PermanentError
from stream_apps.dashboard.panel import Kind, Panel
from stream_apps.dashboard.parameters import Question

Ask = Callable[[str, Mapping[str, str | int]], Awaitable[bytes]]
"""Run a SELECT with bound parameters and return ClickHouse's JSONCompact. Raises PermanentError."""

_SERIES = ("t", "series", "value")
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Rows:
    """The rows of a panel for one question, in the order of `names`."""

    names: Sequence[str]
    rows: list[list[Any]]


async def panel_rows(panel: Panel, question: Question, ask: Ask, most_rows: int) -> Rows:
    """Return what the panel shows. Raises PermanentError: busy, unavailable, panel_failed."""
    try:
        found = json.loads(await ask(panel.asked(question.reading), question.bound(most_rows)))
    except PermanentError as error:
        if error.cause != "query_failed":
            raise
        cure = "choose a shorter range, or raise DRAGOMAN_ANALYTICS_MAX_QUERY_SECONDS or _MAX_QUERY_MEGABYTES"
        raise PermanentError("panel_failed", f"{panel.id}: {error.message}", cure=cure) from error
    given = [column["name"] for column in found["meta"]]
    names = names_of(panel)
    places = [given.index(name) for name in names]
    return Rows(names, [[row[place] for place in places] for row in found["data"]])


def names_of(panel: Panel) -> tuple[str, ...]:
    """Return the names of what each row has."""
    return tuple(column.name for column in panel.columns) if panel.kind in (Kind.NUMBERS, Kind.TABLE) else _SERIES


def shown(panel: Panel, question: Question, now: Rows, before: Rows | None) -> bytes:
    """Write JSON: the range as it was understood, the rows, and those of the period before, moved to this one."""
    earlier = (
        before and [_moved(row, question.shift) for row in before.rows]
        if _has_time(panel)
        else before and before.rows
    )
    body = {
        "panel": panel.id,
        "from": question.since - question.since % (panel.step or 1),
        "to": question.until,
        "step": panel.step or question.step,
        "names": now.names,
        "rows": now.rows,
        "before": earlier,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def csv_of(now: Rows, before: Rows | None) -> bytes:
    """Write CSV with a heading; times are seconds since 1970. With two periods, a first column says which."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*(["period"] if before else []), *now.names])
    for period, rows in (("now", now.rows), ("before", before.rows if before else [])):
        writer.writerows([*([period] if before else []), *map(_cell, row)] for row in rows)
    return text.getvalue().encode()


def _has_time(panel: Panel) -> bool:
    return panel.kind in (Kind.LINES, Kind.BARS)


def _moved(row: list[Any], seconds: int) -> list[Any]:
    return [row[0] + seconds, *row[1:]]


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
