"""Books as a platform of some size would have them, made by SQL in the database itself. The same for a seed."""

from datetime import UTC, datetime

from connectors.clickhouse.database import Database

_TENANTS = "['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark', 'wayne', 'wonka', 'tyrell', 'cyberdyne']"
_PAIRS = "[('en','pt'), ('pt','en'), ('en','de'), ('en','fr'), ('de','en'), ('en','ja')]"
_CAUSES = "['deadline_exceeded', 'text_too_long', 'unsupported_pair', 'repetition_loop']"
# All are before the end, whatever hour of the day that is.
# A busier day than night, busier weekdays, one tenant much larger than the last, one bad hour a week.
_ANSWERS = """
SELECT number,
    cityHash64(number, {seed}) AS h,
    (h % 1000003) / 1000003 AS u, (intDiv(h, 1000003) % 1009) / 1009 AS v, (intDiv(h, 7919) % 10007) / 10007 AS w,
    {tenants}[1 + toUInt8(10 * pow(v, 2.2))] AS tenant,
    {pairs}[1 + toUInt8(6 * pow(w, 1.7))] AS pair,
    multiIf(u < 0.08, 'critical', u < 0.3, 'high', 'standard') AS priority,
    {days} * number / {answers} AS day_number,
    day_number - floor(day_number) AS clock,
    toDateTime64({end} - {days} * 86400 + 86400 * (floor(day_number) + clock
        + 0.06 * (sin(2 * pi() * (clock - {noon})) + sin(2 * pi() * {noon}))), 3, 'UTC') AS at,
    (toUnixTimestamp64Milli(at) / 3600000) AS hours,
    (intDiv(toUInt64(hours), 1) % 167) = 40 AS is_bad,
    toUInt64(12 + 380 * pow(w, 3) + if(u > 0.995, 6000, 0)) AS words,
    if(v < 0.3, toUInt64(words * 0.6), 0) AS known,
    if(pair.2 = 'ja', 'nllb-200-3.3b', if(u > 0.9, 'nllb-200-1.3b', concat('bergamot-', pair.1, pair.2))) AS model,
    if(model LIKE 'nllb%', ('gpu', 't4', if(v < 0.6, 'spot', 'on_demand')), ('default', 'cpu',
        'on_demand')) AS machine,
    multiIf(u > 0.9985, 'FAILED', u > 0.9975, 'EXPIRED', u > 0.994, 'PARTIAL', 'COMPLETED') AS status,
    (words - known) * {pace} * if(machine.1 = 'gpu', 0.6, 1.2) * (0.9 + 0.2 * v) + 3 AS busy,
    multiIf(priority = 'critical', 30000, priority = 'high', 120000, 600000) AS sla,
    sla * (0.002 + 0.03 * pow(w, 2)) * exp(1.6 * (v - 0.5)) * (1 + 1.2 * pow(sin(pi() * clock),
        2)) * if(is_bad, 25, 1) AS wait,
    wait + busy * 1.2 + 40 AS latency,
    concat(['ana', 'ben', 'chen', 'dora', 'emil', 'fatima', 'goran', 'hana'][1
        + toUInt8(8 * pow((u * 13.7) - floor(u * 13.7), 1.5))], '@', tenant, '.example') AS who,
    concat('cpu-', toString(1 + h % 4)) AS cpu_name
FROM numbers({answers})
"""
_USAGE = """
INSERT INTO usage_events (event_id, kind, tenant, request_id, submitted_by, labels, request_kind,
    content_type, priority,
    source_language, target_language, model, pool, worker, device, market, status, batches, units, segments,
    cached_segments, failed_segments, source_words, target_words, cached_words, source_characters,
        target_characters,
    busy_ms, queue_ms, latency_ms, sla_ms, at, kafka_partition, kafka_offset)
SELECT generateUUIDv4(), kind, tenant, concat('r-', toString(number)), who, map('team', 'docs'), 'text',
    'text/plain',
    priority, pair.1, pair.2, model, machine.1, if(machine.1 = 'gpu', concat('gpu-', toString(1 + h % 6)),
        cpu_name),
    machine.2, machine.3, if(kind = 'billed', status, ''), 1, 1, 1 + intDiv(words, 18), intDiv(known, 18),
        status = 'PARTIAL',
    words, words, known, words * 6, words * 6, busy, wait, if(kind = 'billed', latency, 0.), sla, at, 0, number
FROM ({answers_sql}) ARRAY JOIN ['billed', 'compute'] AS kind
"""
_REQUESTS = """
INSERT INTO requests (tenant, request_id, answer, kind, status, cause, priority, pool, source_language,
    detected_language, target_language, content_type, pipeline_version, model, device, market, labels, units,
        segments,
    cached_segments, failed_segments, source_words, cached_words, target_words, source_characters,
        target_characters,
    busy_ms, stage_seconds, queue_seconds, translate_seconds, total_seconds, sla_seconds, submitted_at,
        completed_at,
    kafka_partition, kafka_offset)
SELECT tenant, concat('r-', toString(number)), 1, 'text', status,
    if(status = 'COMPLETED', '', {causes}[1 + h % 4]), priority, machine.1, pair.1, pair.1, pair.2,
        'text/plain', '1',
    model, machine.2, machine.3, map(), 1, 1 + intDiv(words, 18), intDiv(known, 18), status = 'PARTIAL',
        words, known,
    words, words * 6, words * 6, busy, map('queue', wait / 1000), wait / 1000, busy * 1.2 / 1000, latency / 1000,
    intDiv(sla, 1000), at - toIntervalMillisecond(toInt64(latency)), at, 0, number
FROM ({answers_sql})
"""
# Ten machines; those of the night sleep, and each hour begins with a minute of starting for one in five.
_INTERVALS = """
INSERT INTO worker_intervals (worker, pool, device, market, state, since, until)
SELECT if(n < 4, concat('cpu-', toString(n + 1)), concat('gpu-', toString(n - 3))) AS worker,
    if(n < 4, 'default', 'gpu'), if(n < 4, 'cpu', 't4'), if(n < 7, 'on_demand', 'spot'), part.1,
    begun + toIntervalSecond(part.2), begun + toIntervalSecond(part.3)
FROM
(
    SELECT toUInt8(number % 10) AS n, toDateTime64({end} - {end} % 3600 - 3600 * intDiv(number, 10), 3,
        'UTC') AS begun
    FROM numbers({hours} * 10)
)
ARRAY JOIN if(cityHash64(n, begun) % 5 = 0, [('starting', 0, 90), ('ready', 90, 3540), ('draining', 3540, 3600)],
    [('ready', 0, 3600)]) AS part
WHERE n < 3 + 7 * pow(sin(pi() * toHour(begun) / 24), 2)
"""
_DECISIONS = """
INSERT INTO scale_decisions (event_id, pool, autoscaler, reason, replicas, needed, ready, pending,
    replica_words_per_second, startup_seconds, backlog_words, arriving_words_per_second, oldest_seconds,
        out_of_reach, at)
SELECT toString(number), pool, 'autoscaler-1', ['demand', 'deadline', 'steady', 'cooling_down'][1
    + cityHash64(number) % 4],
    wanted, wanted, greatest(wanted - (cityHash64(number) % 3 = 0), 1), cityHash64(number) % 3 = 0, 700, 90,
    map('critical', 300 * load, 'high', 2500 * load, 'standard', 22000 * load * load),
    map('critical', 20 * load, 'high', 90 * load, 'standard', 500 * load),
    map('critical', 1 + 2 * load, 'high', 3 + 12 * load, 'standard', 8 + 90 * load * load), [], at
FROM
(
    SELECT number, if(number % 2 = 0, 'default', 'gpu') AS pool,
        toDateTime64({end} - 150 * intDiv(number, 2), 3, 'UTC') AS at,
        pow(sin(pi() * (toHour(at) * 60 + toMinute(at)) / 1440), 2) + (cityHash64(number) % 100) / 500 AS load,
        toUInt32(1 + 4 * load) AS wanted
    FROM numbers({hours} * 48)
)
"""
_LETTERS = """
INSERT INTO dead_letters (dead_letter_id, event, stage, cause, tenant, request_id, attempt, topic, partition,
    offset, at,
    kafka_partition, kafka_offset)
SELECT concat('d-', toString(number)), event, ['intake', 'worker', 'assembly'][1 + h % 3], {causes}[1 + h % 4],
    {tenants}[1 + h % 10], concat('r-', toString(number)), 1, 'translation.requests.standard', 0, number,
    toDateTime64({end} - {hours} * 3600 * (h % 9973) / 9973, 3, 'UTC'), 0, 2 * number + (event = 'closed')
FROM (SELECT number, cityHash64(number, 3) AS h FROM numbers({hours}))
ARRAY JOIN if(h % 6 = 0, ['opened'], ['opened', 'closed']) AS event
"""


def fill(database: Database, answers: int, days: int, end: datetime | None = None, seed: int = 1) -> None:
    """Insert answers of so many days before `end`: two usage events and a request each; and the machines."""
    until = round((end or datetime.now(UTC)).timestamp())
    known: dict[str, object] = {
        "answers": answers, "days": days, "hours": days * 24, "end": until, "seed": seed,
        "pace": days * 24 * 5 * 3.6e6 * 0.4 / (answers * 112),
        "noon": 0.5 - until % 86400 / 86400,
        "tenants": _TENANTS, "pairs": _PAIRS, "causes": _CAUSES,
    }  # fmt: skip
    known["answers_sql"] = _ANSWERS.format(**known)
    for statement in (_USAGE, _REQUESTS, _INTERVALS, _DECISIONS, _LETTERS):
        database.run(statement.format(**known))
