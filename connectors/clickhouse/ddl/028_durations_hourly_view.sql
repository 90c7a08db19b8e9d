CREATE MATERIALIZED VIEW IF NOT EXISTS durations_hourly_view TO durations_hourly AS
SELECT
    toStartOfHour(at) AS hour,
    duration.1 AS measure,
    tenant, priority, source_language, target_language, model,
    toUInt8(least(255, floor(8 * log2(1 + duration.2)))) AS bucket,
    count() AS answers
FROM
(
    SELECT *, arrayJoin([('total', latency_ms), ('queue', queue_ms)]) AS duration
    FROM usage_events
    WHERE kind = 'billed'
)
GROUP BY hour, measure, tenant, priority, source_language, target_language, model, bucket
