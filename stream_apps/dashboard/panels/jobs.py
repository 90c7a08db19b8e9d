"""What every page asks: the jobs behind a peak, and what the filters can be."""

from stream_apps.dashboard.panel import Column, Kind, Panel, Unit

JOBS = Panel(
    id="jobs",
    title="Jobs",
    kind=Kind.TABLE,
    # A repeat of a record is a row until ClickHouse has merged it; the first of them is enough.
    sql="""
SELECT toUnixTimestamp(completed_at) AS completed, tenant, request_id, $pair AS pair, priority,
    lower(status) AS outcome, cause,
    source_words, queue_seconds, translate_seconds, total_seconds, total_seconds > sla_seconds AS is_late
FROM (SELECT * FROM $jobs
    WHERE multiIf($state = 'failed', status NOT IN ('COMPLETED', 'CANCELLED'), $state = 'late',
        total_seconds > sla_seconds, 1)
    ORDER BY $order DESC LIMIT 5 * $rows)
ORDER BY $order DESC, tenant, request_id, answer LIMIT 1 BY tenant, request_id, answer LIMIT $rows
""",
    columns=(
        Column("completed", "Answered", Unit.TIME),
        Column("tenant", "Tenant", Unit.TEXT, filters="tenant"),
        Column("request_id", "Request", Unit.TEXT),
        Column("pair", "Pair", Unit.TEXT, filters="pair"),
        Column("priority", "Priority", Unit.TEXT, filters="priority"),
        Column("outcome", "Status", Unit.TEXT),
        Column("cause", "Cause", Unit.TEXT),
        Column("source_words", "Words", Unit.WORDS),
        Column("queue_seconds", "Waited", Unit.SECONDS),
        Column("translate_seconds", "Translated in", Unit.SECONDS),
        Column("total_seconds", "In all", Unit.SECONDS),
    ),
)
CHOICES = Panel(
    id="choices",
    title="Filters",
    kind=Kind.TABLE,
    sql="""
SELECT one.1 AS filter, one.2 AS name, sum(words) AS words
FROM (SELECT arrayJoin([('tenant', toString(tenant)), ('pair', $pair), ('model', toString(model))]) AS one,
    source_words AS words
    FROM usage_hourly
    WHERE hour >= toStartOfHour(toDateTime({since:UInt32}, 'UTC')) AND hour < toDateTime({until:UInt32},
        'UTC') AND kind = 'billed')
WHERE name != '' GROUP BY filter, name ORDER BY filter, words DESC LIMIT $rows BY filter
""",
    columns=(
        Column("filter", "Filter", Unit.TEXT),
        Column("name", "Name", Unit.TEXT),
        Column("words", "Words", Unit.WORDS),
    ),
)
