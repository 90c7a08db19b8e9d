"""What panels read from: parts of SQL that stand for tables, with the filters and the range of time in them.

A part reads whole hours (or days) from a rollup and the edges of the range from raw rows, so sums
are exact however the range is cut, and fast however long it is. `parameters.py` says where the edges are.
Nothing that somebody typed is ever written into SQL: it stands there as {name:Type} and is bound by ClickHouse.
"""

from enum import StrEnum
from string import Template
from typing import Final

_NAMES: Final = "tenant, priority, source_language, target_language, model"
FILTERS: Final = """
({tenant:String} = '' OR tenant = {tenant:String}) AND ({priority:String} = '' OR priority = {priority:String})
AND ({model:String} = '' OR model = {model:String})
AND ({pair:String} = '' OR concat(source_language, '-', target_language) = {pair:String})"""


def _at(name: str) -> str:
    return f"toDateTime({{{name}:UInt32}}, 'UTC')"


def _inside(column: str, since: str = "since", until: str = "until") -> str:
    return f"{column} >= {_at(since)} AND {column} < {_at(until)}"


_EDGES_OF_HOURS: Final = f"({_inside('at', 'since', 'hours_since')} OR {_inside('at', 'hours_until', 'until')})"
_EDGES_OF_DAYS: Final = f"({_inside('at', 'since', 'days_since')} OR {_inside('at', 'days_until', 'until')})"


class Reading(StrEnum):
    """What the hours of a range are read from. ClickHouse plans half as long where one of the two is left out."""

    BOTH = "both"
    ROLLUP = "rollup"  # the range ends with whole hours, or now
    RAW = "raw"  # the steps are shorter than an hour


def _read(reading: Reading, rollup: str, raw: str) -> str:
    parts = {Reading.ROLLUP: rollup, Reading.RAW: raw, Reading.BOTH: f"{rollup}\nUNION ALL\n{raw}"}
    return f"(\n{parts[reading]}\n)"


def _usage(filters: str, reading: Reading) -> str:
    rollup = f"""
SELECT hour AS moment, kind, {_NAMES}, pool, device, market, events, source_words, cached_words, busy_ms, late
FROM usage_hourly
WHERE {_inside("hour", "hours_since", "hours_until")} AND {filters}"""
    raw = f"""
SELECT toDateTime(at, 'UTC') AS moment, kind, {_NAMES}, pool, device, market, 1 AS events, source_words,
    cached_words, busy_ms, toUInt64(kind = 'billed' AND latency_ms > sla_ms) AS late
FROM usage_events
WHERE {_EDGES_OF_HOURS} AND {filters}"""
    return _read(reading, rollup, raw)


def _durations(reading: Reading) -> str:
    rollup = f"""
SELECT hour AS moment, measure, {_NAMES}, bucket, answers
FROM durations_hourly
WHERE {_inside("hour", "hours_since", "hours_until")} AND {FILTERS}"""
    # The buckets of ddl/028.
    raw = f"""
SELECT toDateTime(at, 'UTC') AS moment, duration.1 AS measure, {_NAMES},
    toUInt8(least(255, floor(8 * log2(1 + duration.2)))) AS bucket, 1 AS answers
FROM (SELECT at, {_NAMES}, arrayJoin([('total', latency_ms), ('queue', queue_ms)]) AS duration FROM usage_events
    WHERE {_EDGES_OF_HOURS} AND kind = 'billed' AND {FILTERS})"""
    return _read(reading, rollup, raw)


_USERS: Final = f"""(
SELECT toDateTime(day, 'UTC') AS moment, submitted_by, {_NAMES}, answers, failed, late, source_words, cached_words
FROM users_daily
WHERE day >= toDate({_at("days_since")}) AND day < toDate({_at("days_until")}) AND {FILTERS}
UNION ALL
SELECT toDateTime(at, 'UTC') AS moment, submitted_by, {_NAMES}, 1,
    toUInt64(status NOT IN ('COMPLETED', 'PARTIAL')), toUInt64(latency_ms > sla_ms), source_words, cached_words
FROM usage_events
WHERE {_EDGES_OF_DAYS} AND kind = 'billed' AND {FILTERS}
)"""
_SINCE: Final = "toInt64(toUnixTimestamp(moment)) - {since:UInt32}"
# The beginning of the step in which something happened, in seconds since 1970.
_T: Final = f"{{since:UInt32}} + intDiv({_SINCE}, {{step:UInt32}}) * {{step:UInt32}} AS t"


def _spent(usage: str) -> str:
    """Return work with its cost. A price counts from the first whole hour on."""
    return f"""(
SELECT moment, {_NAMES}, pool, source_words AS words,
    source_words - least(cached_words, source_words) AS translated,
    busy_ms * toFloat64(price.price_per_hour) / 3600000 AS cost
FROM (SELECT *, toStartOfHour(moment) AS hour FROM {usage} WHERE kind = 'compute') AS spent
ASOF LEFT JOIN price_list AS price
    ON spent.device = price.device AND spent.market = price.market AND spent.hour >= price.valid_from
)"""


def _earned(usage: str) -> str:
    """Return answers with what tenants pay for them. A price counts from the first whole hour on."""
    return f"""(
SELECT moment, earned.tenant AS tenant, earned.priority AS priority, source_language, target_language,
    source_words AS words, cached_words AS known,
    words * toFloat64(if(own.tenant != '', own.price_per_million_words, general.price_per_million_words)) / 1000000
        AS price
FROM (SELECT *, toStartOfHour(moment) AS hour, '' AS nobody FROM {usage} WHERE kind = 'billed') AS earned
ASOF LEFT JOIN word_prices AS own
    ON earned.tenant = own.tenant AND earned.priority = own.priority AND earned.hour >= own.valid_from
ASOF LEFT JOIN word_prices AS general
    ON earned.nobody = general.tenant AND earned.priority = general.priority AND earned.hour >= general.valid_from
)"""


_PAIR: Final = "concat(source_language, '-', target_language)"
_STEP: Final = "{step:UInt32}"
# Intervals cut at the range and at each step of it; each begins at `moment` and lasts `seconds`.
_STATES: Final = f"""(
SELECT pool, device, market, worker, state, greatest(since, slot) AS moment,
    least(until, slot + toIntervalSecond({_STEP}), {_at("until")}) AS ended,
    dateDiff('millisecond', moment, ended) / 1000 AS seconds
FROM (SELECT pool, device, market, worker, state, since, until,
        intDiv(dateDiff('second', {_at("since")}, since), {_STEP}) AS first_step,
        intDiv(dateDiff('second', {_at("since")}, least(until, {_at("until")})), {_STEP}) AS last_step,
        arrayJoin(range(toUInt64(greatest(0, first_step)), toUInt64(last_step + 1))) AS number,
        {_at("since")} + toIntervalSecond(number * {_STEP}) AS slot
    FROM worker_intervals FINAL
    WHERE until > {_at("since")} AND since < {_at("until")})
WHERE ended > moment
)"""


def _machines(usage: str) -> str:
    """Return seconds of machines in each step and hour, by what they did. Machines are everybody's: no filters."""
    return f"""(
SELECT moment, pool, machines.device AS device, machines.market AS market, starting, busy, draining,
    greatest(ready - busy, 0) AS idle, ready, toFloat64(price.price_per_hour) / 3600 AS price_per_second
FROM (SELECT greatest(toStartOfHour(during), slot) AS moment, pool, device, market,
        intDiv(dateDiff('second', {_at("since")}, during), {_STEP}) AS number,
        {_at("since")} + toIntervalSecond(number * {_STEP}) AS slot,
        sumIf(seconds, state = 'starting') AS starting, sumIf(seconds, state = 'ready') AS ready,
        sumIf(seconds, state = 'draining') AS draining, sumIf(seconds, state = 'busy') AS busy
    FROM (SELECT moment AS during, pool, device, market, state, seconds FROM {_STATES}
        UNION ALL
        SELECT moment, pool, device, market, 'busy', busy_ms / 1000 FROM {usage} WHERE kind = 'compute')
    GROUP BY moment, number, slot, pool, device, market) AS machines
ASOF LEFT JOIN price_list AS price
    ON machines.device = price.device AND machines.market = price.market AND machines.moment >= price.valid_from
)"""


_JOBS: Final = f"""(
SELECT * FROM requests WHERE {_inside("completed_at")} AND {FILTERS}
)"""
_OF_TENANT: Final = "({tenant:String} = '' OR tenant = {tenant:String})"
_QUANTILES: Final = "quantilesExactWeighted(0.5, 0.95, 0.99)(bucket, answers)"
_BY_WORDS: Final = "{order:String} = 'words', toFloat64(source_words)"


def _parts(reading: Reading) -> dict[str, str]:
    usage = _usage(FILTERS, reading)
    return {
        "usage": usage,
        "durations": _durations(reading),
        "users": _USERS,
        "spent": _spent(usage),
        "earned": _earned(usage),
        "states": _STATES,
        "machines": _machines(_usage("1", reading)),
        "jobs": _JOBS,
        "decisions": f"(SELECT *, at AS moment FROM scale_decisions WHERE {_inside('at')})",
        "letters": f"(SELECT *, at AS moment FROM dead_letters WHERE {_inside('at')} AND {_OF_TENANT})",
        "t": _T,
        # The middle of a bucket of a histogram, in seconds.
        "percentiles": f"arrayMap(b -> (pow(2, (b + 0.5) / 8) - 1) / 1000, {_QUANTILES})",
        "pair": _PAIR,
        "rows": "{rows:UInt32}",
        "order": f"multiIf({{order:String}} = 'queue', queue_seconds, {_BY_WORDS}, total_seconds)",
        "state": "{state:String}",
        "step": "{step:UInt32}",
    }


_PARTS: Final = {reading: _parts(reading) for reading in Reading}


def largest(sql: str) -> str:
    """Return rows of (t, series, value) of the eight series with the largest sums, and of the others together.

    `sql` gives t, name and value, once for a name and step.
    """
    return f"""
SELECT t, if(place <= 8, toString(name), 'others') AS series, sum(value) AS value
FROM (SELECT t, name, value, dense_rank() OVER (ORDER BY total DESC, name) AS place
    FROM (SELECT t, name, value, sum(value) OVER (PARTITION BY name) AS total FROM ({sql})))
GROUP BY t, series ORDER BY t
"""


def written(sql: str, reading: Reading) -> str:
    """Return the SQL with each $part in its place."""
    return Template(sql).substitute(_PARTS[reading])
