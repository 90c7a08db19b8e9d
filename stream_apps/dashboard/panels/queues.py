"""Queue metrics: who waits, how long, and what got stuck?"""

from stream_apps.dashboard.panel import Column, Kind, Page, Panel, Unit

_TENANT_ONLY = ("pair", "priority", "model")
_PRIORITY_ONLY = ("tenant", "pair", "model")
_FIGURES = Panel(
    id="queue_figures",
    title="At a glance",
    kind=Kind.NUMBERS,
    sql="""
SELECT p50, p95, waiting, oldest, arriving, opened, still_open
FROM (SELECT if(sum(answers) = 0, [NULL, NULL, NULL], $percentiles) AS q, q[1] AS p50, q[2] AS p95
        FROM $durations WHERE measure = 'queue') AS durations,
    (SELECT sum(words) AS waiting, max(seconds) AS oldest, sum(speed) AS arriving
        FROM (SELECT pool, argMax(arraySum(mapValues(backlog_words)), at) AS words,
                argMax(arrayMax(arrayConcat([0.], mapValues(oldest_seconds))), at) AS seconds,
                argMax(arraySum(mapValues(arriving_words_per_second)), at) AS speed FROM $decisions
            GROUP BY pool)) AS backlog,
    (SELECT uniqExactIf(dead_letter_id, event = 'opened') AS opened FROM $letters) AS letters,
    (SELECT count() AS still_open FROM open_dead_letters WHERE since < toDateTime({until:UInt32}, 'UTC')
        AND ({tenant:String} = '' OR tenant = {tenant:String})) AS left_open
""",
    columns=(
        Column("p50", "Median wait", Unit.SECONDS, better=-1),
        Column("p95", "95 % waited at most", Unit.SECONDS, better=-1),
        Column("waiting", "Backlog at the end", Unit.WORDS, better=-1),
        Column("oldest", "Oldest at the end", Unit.SECONDS, better=-1),
        Column("arriving", "Arriving at the end", Unit.SPEED),
        Column("opened", "Dead letters", better=-1),
        Column("still_open", "Open now", better=-1),
    ),
    is_wide=True,
)
_WAIT = Panel(
    id="queue_wait",
    title="Wait before a worker, 95 %",
    kind=Kind.LINES,
    unit=Unit.SECONDS,
    about="95 of 100 answers waited at most this long. Read from a histogram, within 5 %.",
    sql="""
SELECT $t, priority AS series, $percentiles[2] AS value FROM $durations WHERE measure = 'queue' GROUP BY t,
    series ORDER BY t
""",
    series="priority",
    jobs="queue",
)
_BACKLOG = Panel(
    id="backlog",
    title="Backlog",
    kind=Kind.BARS,
    unit=Unit.WORDS,
    about="Words that wait; the mean of what the autoscaler measured when it decided.",
    sql="""
SELECT t, series, sum(mean) AS value
FROM (SELECT $t, pool, arrayJoin(mapKeys(backlog_words)) AS series, avg(backlog_words[series]) AS mean
    FROM $decisions WHERE {priority:String} = '' OR series = {priority:String} GROUP BY t, pool, series)
GROUP BY t, series ORDER BY t
""",
    series="priority",
    jobs="queue",
    adds=False,
    ignores=_PRIORITY_ONLY,
)
_OLDEST = Panel(
    id="oldest_wait",
    title="Oldest that waits",
    kind=Kind.LINES,
    unit=Unit.SECONDS,
    about="The longest of each step.",
    sql="""
SELECT $t, arrayJoin(mapKeys(oldest_seconds)) AS series, max(oldest_seconds[series]) AS value
FROM $decisions WHERE {priority:String} = '' OR series = {priority:String} GROUP BY t, series ORDER BY t
""",
    series="priority",
    jobs="queue",
    bridges=True,
    ignores=_PRIORITY_ONLY,
)
_ARRIVING = Panel(
    id="arriving",
    title="Arriving",
    kind=Kind.LINES,
    unit=Unit.SPEED,
    about="Words a second, all pools; the mean of each step.",
    sql="""
SELECT t, series, sum(mean) AS value
FROM (SELECT $t, pool, arrayJoin(mapKeys(arriving_words_per_second)) AS series,
    avg(arriving_words_per_second[series]) AS mean
    FROM $decisions WHERE {priority:String} = '' OR series = {priority:String} GROUP BY t, pool, series)
GROUP BY t, series ORDER BY t
""",
    series="priority",
    jobs="words",
    bridges=True,
    ignores=_PRIORITY_ONLY,
)
_LETTERS = Panel(
    id="dead_letters_by_cause",
    title="Dead letters by cause",
    kind=Kind.BARS,
    about="When they were opened.",
    sql="""
SELECT $t, cause AS series, uniqExact(dead_letter_id) AS value
FROM $letters WHERE event = 'opened' GROUP BY t, series ORDER BY t
""",
    series="cause",
    jobs="failed",
    ignores=_TENANT_ONLY,
)
_WAITS = Panel(
    id="waits_table",
    title="Waits by tenant",
    kind=Kind.TABLE,
    sql="""
SELECT tenant, sum(answers) AS all_answers, q[1] AS p50, q[2] AS p95, q[3] AS p99, $percentiles AS q
FROM $durations WHERE measure = 'queue' GROUP BY tenant ORDER BY p95 DESC LIMIT $rows
""",
    columns=(
        Column("tenant", "Tenant", Unit.TEXT, filters="tenant"),
        Column("all_answers", "Answers"),
        Column("p50", "Median", Unit.SECONDS),
        Column("p95", "95 %", Unit.SECONDS),
        Column("p99", "99 %", Unit.SECONDS),
    ),
)
_OPEN = Panel(
    id="open_letters_table",
    title="Open dead letters",
    kind=Kind.TABLE,
    about="Whatever their age, the newest first. Send them again with dragoman dead-letters redrive.",
    sql="""
SELECT toUnixTimestamp(since) AS opened, stage, cause, tenant, request_id, attempt
FROM open_dead_letters WHERE {tenant:String} = '' OR tenant = {tenant:String} ORDER BY since DESC LIMIT $rows
""",
    columns=(
        Column("opened", "Since", Unit.TIME),
        Column("stage", "Stage", Unit.TEXT),
        Column("cause", "Cause", Unit.TEXT),
        Column("tenant", "Tenant", Unit.TEXT, filters="tenant"),
        Column("request_id", "Request", Unit.TEXT),
        Column("attempt", "Attempt"),
    ),
    ignores=_TENANT_ONLY,
    is_wide=True,
)

PAGE = Page(
    "queues",
    "Queues",
    "Who waits, how long, and what got stuck?",
    (_FIGURES, _WAIT, _BACKLOG, _OLDEST, _ARRIVING, _LETTERS, _WAITS, _OPEN),
)
