"""Worker performance: what do the machines do, and how fast?"""

from stream_apps.dashboard.panel import Column, Kind, Page, Panel, Unit

_NO_FILTER = ("tenant", "pair", "priority", "model")
_FIGURES = Panel(
    id="worker_figures",
    title="At a glance",
    kind=Kind.NUMBERS,
    sql="""
SELECT now_ready, ready / 3600 AS hours, busy / nullIf(ready, 0) AS busy_share, spot / nullIf(ready, 0)
    AS spot_share,
    starting / nullIf(ready + starting + draining, 0) AS starting_share, speed
FROM (SELECT sum(machines.ready) AS ready, sum(machines.busy) AS busy, sum(machines.starting) AS starting,
        sum(machines.draining) AS draining, sumIf(machines.ready, market = 'spot') AS spot FROM $machines
            AS machines) AS sums,
    (SELECT uniqIf(worker, state = 'ready' AND until > toDateTime({until:UInt32},
        'UTC') - INTERVAL 5 MINUTE) AS now_ready
        FROM worker_intervals WHERE since < toDateTime({until:UInt32}, 'UTC')
            AND until > toDateTime({until:UInt32}, 'UTC') - INTERVAL 1 DAY) AS workers,
    (SELECT sum(source_words - least(cached_words, source_words)) * 1000 / nullIf(sum(busy_ms), 0) AS speed
        FROM $usage WHERE kind = 'compute') AS work
""",
    columns=(
        Column("now_ready", "Ready at the end"),
        Column("hours", "Hours ready", Unit.HOURS),
        Column("busy_share", "Busy", Unit.SHARE, better=1),
        Column("starting_share", "Starting", Unit.SHARE, better=-1),
        Column("spot_share", "On the spot market", Unit.SHARE, better=1),
        Column("speed", "Words per busy second", Unit.SPEED, better=1),
    ),
    ignores=_NO_FILTER,
    is_wide=True,
)
_STATES = Panel(
    id="machine_states",
    title="Machines by what they do",
    kind=Kind.BARS,
    unit=Unit.MACHINES,
    about="The mean number in each step. Idle is ready and not busy.",
    sql="""
SELECT t, one.1 AS series, sum(one.2) / $step AS value
FROM (SELECT $t, arrayJoin([('busy', busy), ('idle', idle), ('starting', starting), ('draining',
    draining)]) AS one FROM $machines)
GROUP BY t, series HAVING value > 0 ORDER BY t
""",
    series="machine",
    ignores=_NO_FILTER,
)
_REPLICAS = Panel(
    id="replicas",
    title="Replicas wanted and ready",
    kind=Kind.LINES,
    unit=Unit.MACHINES,
    about="By pool, as the autoscaler decided; the most of each step.",
    sql="""
SELECT t, one.1 AS series, max(one.2) AS value
FROM (SELECT $t, arrayJoin([(concat(pool, ' wanted'), replicas), (concat(pool, ' ready'), ready)])
    AS one FROM $decisions)
GROUP BY t, series ORDER BY t
""",
    series="pool",
    bridges=True,
    ignores=_NO_FILTER,
)
_SPEED = Panel(
    id="speed_by_pool",
    title="Speed by pool",
    kind=Kind.LINES,
    unit=Unit.SPEED,
    about="Words that were translated, by the seconds that engines worked for them.",
    sql="""
SELECT $t, pool AS series, sum(source_words - least(cached_words, source_words)) * 1000 / sum(busy_ms) AS value
FROM $usage WHERE kind = 'compute' AND busy_ms > 0 GROUP BY t, series ORDER BY t
""",
    series="pool",
    jobs="total",
)
_MARKETS = Panel(
    id="machines_by_market",
    title="Machines by device and market",
    kind=Kind.BARS,
    unit=Unit.MACHINES,
    about="The mean number in each step, in whatever state.",
    sql="""
SELECT $t, concat(device, ', ', replaceAll(market, '_', ' ')) AS series, sum(starting + ready
    + draining) / $step AS value
FROM $machines GROUP BY t, series HAVING value > 0 ORDER BY t
""",
    series="market",
    ignores=_NO_FILTER,
)
_WORKERS = Panel(
    id="workers_table",
    title="Workers",
    kind=Kind.TABLE,
    sql="""
SELECT worker, any(pool) AS pools, any(device) AS devices, replaceAll(any(market), '_', ' ') AS markets,
    sumIf(seconds, state = 'ready') / 3600 AS hours,
    sumIf(seconds, state = 'starting') / greatest(countIf(state = 'starting'), 1) AS start_seconds,
    max(toUnixTimestamp(moment) + seconds) AS seen
FROM $states GROUP BY worker ORDER BY seen DESC, hours DESC LIMIT $rows
""",
    columns=(
        Column("worker", "Worker", Unit.TEXT),
        Column("pools", "Pool", Unit.TEXT),
        Column("devices", "Device", Unit.TEXT),
        Column("markets", "Market", Unit.TEXT),
        Column("hours", "Ready", Unit.HOURS),
        Column("start_seconds", "Mean start", Unit.SECONDS),
        Column("seen", "Last heard of", Unit.TIME),
    ),
    ignores=_NO_FILTER,
)
_MODELS = Panel(
    id="models_table",
    title="Models",
    kind=Kind.TABLE,
    sql="""
SELECT model, pool, sum(source_words) AS words, sum(source_words - least(cached_words, source_words))
    AS translated,
    sum(busy_ms) / 3600000 AS hours, translated * 1000 / nullIf(sum(busy_ms), 0) AS speed
FROM $usage WHERE kind = 'compute' GROUP BY model, pool ORDER BY words DESC LIMIT $rows
""",
    columns=(
        Column("model", "Model", Unit.TEXT, filters="model"),
        Column("pool", "Pool", Unit.TEXT),
        Column("translated", "Translated", Unit.WORDS),
        Column("hours", "Busy", Unit.HOURS),
        Column("speed", "Words per busy second", Unit.SPEED),
    ),
)
_DECISIONS = Panel(
    id="scaling_decisions",
    title="Scaling decisions",
    kind=Kind.TABLE,
    about="The newest of the range.",
    sql="""
SELECT toUnixTimestamp(at) AS decided, pool, replaceAll(reason, '_', ' ') AS why, replicas, ready, pending,
    arraySum(mapValues(backlog_words)) AS backlog, arrayStringConcat(out_of_reach, ', ') AS late
FROM $decisions ORDER BY at DESC LIMIT $rows
""",
    columns=(
        Column("decided", "Time", Unit.TIME),
        Column("pool", "Pool", Unit.TEXT),
        Column("why", "Reason", Unit.TEXT),
        Column("replicas", "Wanted", Unit.COUNT),
        Column("ready", "Ready", Unit.COUNT),
        Column("pending", "Starting", Unit.COUNT),
        Column("backlog", "Backlog", Unit.WORDS),
        Column("late", "Will be late", Unit.TEXT),
    ),
    ignores=_NO_FILTER,
    is_wide=True,
)

PAGE = Page(
    "workers",
    "Workers",
    "What do the machines do, and how fast?",
    (_FIGURES, _STATES, _REPLICAS, _SPEED, _MARKETS, _WORKERS, _MODELS, _DECISIONS),
)
