"""The question of `dragoman cost report` to the books. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

from producers.cli.errors import UsageError


class By(StrEnum):
    """A column of the report."""

    TENANT = "tenant"
    PAIR = "pair"
    PRIORITY = "priority"
    MODEL = "model"
    TAG = "tag"


class Period(StrEnum):
    """How days are put together."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_COLUMNS = {
    By.TENANT: "tenant",
    By.PAIR: "concat(source_language, '-', target_language)",
    By.PRIORITY: "priority",
    By.MODEL: "model",
    By.TAG: "concat(name, '=', value)",
}
_PERIODS = {
    Period.DAY: "toString(day)",
    Period.WEEK: "toString(toMonday(day))",
    Period.MONTH: "formatDateTime(day, '%Y-%m')",
}
# The books know the labels of a request by tenant and day only.
_BESIDE_TAG = {By.TENANT, By.TAG}


def question(
    by: Sequence[By], period: Period | None, since_ms: int, until_ms: int | None
) -> tuple[str, tuple[str, ...]]:
    """Return the SQL and its first columns: the period, then `by` in their order; times are rounded to days.

    A request that was corrected on another day counts on both. Raises UsageError for a column beside `tag` that
    the books do not know by tag.
    """
    keys = tuple(dict.fromkeys(by))
    view = "cost_by_tag" if By.TAG in keys else "cost_by_day"
    if beside := set(keys) - _BESIDE_TAG if By.TAG in keys else set():
        raise UsageError(
            f"--by {min(beside)} does not go with --by tag", "ask for tag with tenant or --period only"
        )
    names = {**({period.value: _PERIODS[period]} if period else {}), **{key.value: _COLUMNS[key] for key in keys}}
    shown = "".join(f"{sql} AS {_alias(name)}, " for name, sql in names.items())
    grouped = f" GROUP BY {', '.join(map(_alias, names))}" if names else ""
    return (
        f"SELECT {_outer(names)}requests, words, toFloat64(cost) AS cost, toFloat64(price) AS price,"
        " toFloat64(price - cost) AS margin,"
        " if(words = 0, NULL, toFloat64(cost) * 1000000 / words) AS cost_per_million_words FROM ("
        f"SELECT {shown}sum(requests) AS requests, sum(words) AS words, sum(total_cost) AS cost,"
        f" sum(total_price) AS price FROM {view} WHERE {_when(since_ms, until_ms)}{grouped}"
        f") WHERE requests > 0 ORDER BY {_order(period)}cost DESC, price DESC{_last(names)}",
        tuple(names),
    )


def _alias(name: str) -> str:
    # `day` is a column of the views: an alias of that name would change what WHERE means.
    return f"by_{name}"


def _outer(names: dict[str, str]) -> str:
    return "".join(f"{_alias(name)} AS {name}, " for name in names)


def _order(period: Period | None) -> str:
    return f"{_alias(period.value)}, " if period else ""


def _last(names: dict[str, str]) -> str:
    return "".join(f", {_alias(name)}" for name in names)


def _when(since_ms: int, until_ms: int | None) -> str:
    bounds = [f"day >= toDate('{_day(since_ms)}')"]
    if until_ms is not None:
        bounds.append(f"day < toDate('{_day(until_ms)}')")
    return " AND ".join(bounds)


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
