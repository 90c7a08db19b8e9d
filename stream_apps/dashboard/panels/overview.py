"""The system overview: is everything well?"""

from stream_apps.dashboard.panel import Column, Kind, Page, Panel, Unit
from stream_apps.dashboard.sources import largest

_FIGURES = Panel(
    id="overview_figures",
    title="At a glance",
    kind=Kind.NUMBERS,
    sql="""
SELECT answers, words, p50, p95, if(answers = 0, NULL, 1 - late / answers) AS kept, failed, known, cost
FROM (SELECT sumIf(events, kind = 'billed') AS answers, sumIf(source_words, kind = 'billed') AS words,
        sum(late) AS late, sumIf(cached_words, kind = 'billed') / nullIf(words, 0) AS known FROM $usage) AS usage,
    (SELECT if(sum(answers) = 0, [NULL, NULL, NULL], $percentiles) AS q, q[1] AS p50, q[2] AS p95
        FROM $durations WHERE measure = 'total') AS durations,
    (SELECT sum(users.failed) AS failed FROM $users AS users) AS failures,
    (SELECT sum(spent.cost) AS cost FROM $spent AS spent) AS spending
""",
    columns=(
        Column("answers", "Answers", better=1),
        Column("words", "Words", Unit.WORDS, better=1),
        Column("p50", "Median answer time", Unit.SECONDS, better=-1),
        Column("p95", "95 % within", Unit.SECONDS, better=-1),
        Column("kept", "Within the promise", Unit.SHARE, better=1),
        Column("failed", "Failed or expired", better=-1),
        Column("known", "From memory", Unit.SHARE, better=1),
        Column("cost", "Cost of the work", Unit.MONEY),
    ),
    is_wide=True,
)
_WORDS = Panel(
    id="words_by_priority",
    title="Words by priority",
    kind=Kind.BARS,
    unit=Unit.WORDS,
    about="Source words of finished answers.",
    sql="""
SELECT $t, priority AS series, sum(source_words) AS value
FROM $usage WHERE kind = 'billed' GROUP BY t, series ORDER BY t
""",
    series="priority",
    jobs="words",
)
_ANSWER_TIME = Panel(
    id="answer_time",
    title="Answer time",
    kind=Kind.LINES,
    unit=Unit.SECONDS,
    about="From submission to answer. Read from a histogram, within 5 %.",
    sql="""
SELECT t, one.1 AS series, one.2 AS value
FROM (SELECT $t, arrayJoin(arrayZip(['50 %', '95 %', '99 %'], $percentiles)) AS one FROM $durations
    WHERE measure = 'total' GROUP BY t)
ORDER BY t
""",
    series="percentile",
    jobs="total",
)
_PROMISE = Panel(
    id="promise_kept",
    title="Answers within the promise",
    kind=Kind.LINES,
    unit=Unit.SHARE,
    about="30 s critical, 120 s high, 600 s standard.",
    sql="""
SELECT $t, priority AS series, 1 - sum(late) / sum(events) AS value
FROM $usage WHERE kind = 'billed' GROUP BY t, series ORDER BY t
""",
    series="priority",
    jobs="late",
)
_FAILURES = Panel(
    id="failures",
    title="Failed, expired or with gaps, by cause",
    kind=Kind.BARS,
    about="Answers without a text, or with segments that could not be translated.",
    sql="""
SELECT t, series, uniqExact(kafka_partition, kafka_offset) AS value
FROM (SELECT completed_at AS moment, $t, if(cause = '', lower(status), cause) AS series, kafka_partition,
    kafka_offset
    FROM $jobs WHERE status IN ('FAILED', 'EXPIRED', 'PARTIAL'))
GROUP BY t, series ORDER BY t
""",
    series="cause",
    jobs="failed",
)
_BACKLOG = Panel(
    id="overview_backlog",
    title="Words that wait",
    kind=Kind.LINES,
    unit=Unit.WORDS,
    about="The largest backlog of each step, as the autoscaler measured it when it decided.",
    sql="""
SELECT $t, arrayJoin(mapKeys(backlog_words)) AS series, max(backlog_words[series]) AS value
FROM $decisions WHERE {priority:String} = '' OR series = {priority:String} GROUP BY t, series ORDER BY t
""",
    series="priority",
    jobs="queue",
    bridges=True,
    ignores=("tenant", "pair", "model"),
)
_PAIRS = Panel(
    id="words_by_pair",
    title="Words by pair",
    kind=Kind.BARS,
    unit=Unit.WORDS,
    about="The eight largest pairs.",
    sql=largest(
        "SELECT $t, (source_language, target_language) AS pair, concat(pair.1, '-', pair.2) AS name, "
        "sum(source_words) AS value FROM $usage WHERE kind = 'billed' GROUP BY t, pair"
    ),
    series="pair",
    jobs="words",
)

PAGE = Page(
    "overview",
    "Overview",
    "Is everything well?",
    (_FIGURES, _WORDS, _ANSWER_TIME, _PROMISE, _FAILURES, _BACKLOG, _PAIRS),
)
