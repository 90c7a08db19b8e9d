"""Read what a browser asks of a panel: the range of time, its steps, the filters. Pure.

Whatever is not understood is refused by name. What is understood reaches ClickHouse as bound parameters only.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from schemas.errors import PermanentError
from schemas.priorities import SLA_SECONDS
from stream_apps.dashboard.settings import DashboardSection
from stream_apps.dashboard.sources import Reading

STEPS: Final = (60, 300, 900, 3600, 10_800, 21_600, 86_400, 604_800)
ORDERS: Final = ("total", "queue", "words")
STATES: Final = ("", "failed", "late")
_PRIORITIES = ("", *(str(priority) for priority in SLA_SECONDS))
_HOUR, _DAY = 3600, 86_400
_SHORTEST_SECONDS = 60
# Of a chart whose steps nobody chose.
_POINTS = 170
_LONGEST_NAME = 200
_LONGEST_TIME = 40
_RELATIVE = re.compile(r"now(?:-(\d{1,6})([smhdw]))?")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": _HOUR, "d": _DAY, "w": 7 * _DAY}
_PAIR = re.compile(r"[A-Za-z0-9]{2,8}(?:-[A-Za-z0-9]{1,8}){1,6}")
_TIME_CURE = "write now, now-24h, seconds since 1970, or a time such as 2026-01-31T08:00Z"


@dataclass(frozen=True)
class Question:
    """What is asked of a panel. Times are seconds since 1970, `until` excluded; an empty filter lets all in."""

    since: int
    until: int
    step: int
    shift: int
    tenant: str = ""
    pair: str = ""
    priority: str = ""
    model: str = ""
    order: str = "total"
    state: str = ""
    is_compared: bool = False
    is_csv: bool = False
    # The rollup of an hour that is not over holds what there is of it.
    ends_now: bool = False

    @property
    def before(self) -> "Question":
        """Return the same question about the period before: as long, `shift` seconds earlier, in whole steps."""
        since, until = self.since - self.shift, self.until - self.shift
        return replace(self, since=since, until=until, ends_now=False)

    @property
    def reading(self) -> Reading:
        """Return what its hours are read from."""
        begin, end = self._hours
        if begin == self.since and end >= self.until > begin:
            return Reading.ROLLUP
        return Reading.RAW if begin == end else Reading.BOTH

    @property
    def _hours(self) -> tuple[int, int]:
        if self.step % _HOUR:
            return self.until, self.until
        return _whole(self.since, -(-self.until // _HOUR) * _HOUR if self.ends_now else self.until, _HOUR)

    def bound(self, rows: int) -> dict[str, str | int]:
        """Return the parameters of the SQL. Whole hours and days lie inside the range; the rest is its edges.

        What is whole is read from rollups and the edges from raw rows. Steps below an hour are all edge.
        """
        hours = self._hours
        days = _whole(self.since, self.until, _DAY)
        return {
            "since": self.since, "until": self.until, "step": self.step, "rows": rows,
            "hours_since": hours[0], "hours_until": hours[1], "days_since": days[0], "days_until": days[1],
            "tenant": self.tenant, "pair": self.pair, "priority": self.priority, "model": self.model,
            "order": self.order, "state": self.state,
        }  # fmt: skip


def question_of(given: Iterable[tuple[str, str]], now: float, limits: DashboardSection) -> Question:
    """Return the question. `given`: names and values as they came, `now`: seconds since 1970.

    Raises PermanentError (bad_parameter), which names the parameter, the limit and the cure.
    """
    asked = _known(given)
    until = _time(asked, "to", "now", now)
    since = _time(asked, "from", "now-24h", now)
    _check_range(since, until, now, limits)
    step = _step(asked.get("step", ""), until - since, limits.max_points)
    return Question(
        # A chart begins with a whole step.
        since=since - since % step,
        until=until,
        step=step,
        shift=-(-(until - since) // step) * step,
        tenant=_name(asked, "tenant"),
        pair=_pair(asked.get("pair", "")),
        priority=_choice(asked, "priority", _PRIORITIES),
        model=_name(asked, "model"),
        order=_choice(asked, "order", ORDERS),
        state=_choice(asked, "state", STATES),
        is_compared=_choice(asked, "compare", ("", "previous")) == "previous",
        ends_now=until >= int(now),
        is_csv=_choice(asked, "format", ("json", "csv")) == "csv",
    )


_NAMES: Final = (
    *("from", "to", "step", "tenant", "pair", "priority", "model"),
    *("order", "state", "compare", "format"),
)


def _known(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in given:
        if name not in _NAMES:
            raise _bad(name[:_LONGEST_TIME], "there is no such parameter", cure=f"use {', '.join(_NAMES)}")
        if name in found:
            raise _bad(name, "it is there twice", cure="name it once")
        found[name] = value
    return found


def _time(asked: dict[str, str], field: str, default: str, now: float) -> int:
    typed = (asked.get(field) or default).strip()
    if len(typed) > _LONGEST_TIME:
        raise _bad(field, "it is no time", limit=f"{_LONGEST_TIME} characters", cure=_TIME_CURE)
    if relative := _RELATIVE.fullmatch(typed):
        return int(now) - int(relative[1] or 0) * _UNIT_SECONDS[relative[2] or "s"]
    if typed.isascii() and typed.isdigit():
        return int(typed)
    return _read(field, lambda: _moment(typed), f"{typed!r} is no time", _TIME_CURE)


def _moment(typed: str) -> int:
    found = datetime.fromisoformat(typed)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def _check_range(since: int, until: int, now: float, limits: DashboardSection) -> None:
    if until - since < _SHORTEST_SECONDS:
        limit = f"{_SHORTEST_SECONDS} s at least"
        raise _bad("from", "the range is empty or too short", limit=limit, cure="let from be before to")
    longest, newest = limits.max_range_days * _DAY, int(now) + _DAY
    if until - since > longest:
        limit = f"{limits.max_range_days} days"
        raise _bad(
            "from",
            "the range is too long",
            limit=limit,
            cure="ask for less, or raise DRAGOMAN_DASHBOARD_MAX_RANGE_DAYS",
        )
    # One length back begins the period before, in whole steps; ClickHouse's times begin in 1970.
    if until > newest or 2 * since - until < 2 * STEPS[-1]:
        raise _bad(
            "to", "the range lies outside of the books", limit="1970 until tomorrow", cure="ask for past times"
        )


def _step(typed: str, seconds: int, most: int) -> int:
    if not typed:
        return next((step for step in STEPS if seconds / step <= min(_POINTS, most)), STEPS[-1])
    known = ", ".join(map(str, STEPS))
    if typed not in map(str, STEPS):
        raise _bad(
            "step",
            f"{typed[:_LONGEST_TIME]!r} is no step",
            limit=known,
            cure="choose one of these seconds, or leave it out",
        )
    if seconds / int(typed) > most:
        raise _bad(
            "step",
            "too many steps in this range",
            limit=f"{most} steps",
            cure="choose a longer step or a shorter range",
        )
    return int(typed)


def _name(asked: dict[str, str], field: str) -> str:
    name = asked.get(field, "")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise _bad(
            field, "it is no name", limit=f"{_LONGEST_NAME} printable characters", cure="choose one from the list"
        )
    return name


def _pair(typed: str) -> str:
    if typed and not _PAIR.fullmatch(typed):
        raise _bad(
            "pair", f"{typed[:_LONGEST_TIME]!r} is no pair of languages", cure="write source and target: en-pt"
        )
    return typed


def _choice(asked: dict[str, str], field: str, known: tuple[str, ...]) -> str:
    typed = asked.get(field) or known[0]
    if typed not in known:
        names = ", ".join(name for name in known if name)
        raise _bad(
            field,
            f"{typed[:_LONGEST_TIME]!r} is not known",
            limit=names,
            cure=f"choose one of {names}, or leave it out",
        )
    return typed


def _read(field: str, read: Callable[[], int], message: str, cure: str) -> int:
    try:
        return read()
    except (ValueError, OverflowError):
        raise _bad(field, message, cure=cure) from None


def _whole(since: int, until: int, unit: int) -> tuple[int, int]:
    """Return the whole units inside the range; an empty range at its end where there is none."""
    begin, end = -(-since // unit) * unit, until // unit * unit
    return (begin, end) if begin < end else (until, until)


def _bad(field: str, message: str, *, cure: str, limit: str | None = None) -> PermanentError:
    return PermanentError("bad_parameter", f"{field}: {message}", field=field, limit=limit, cure=cure)
