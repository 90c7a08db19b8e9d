CREATE MATERIALIZED VIEW IF NOT EXISTS usage_hourly_view TO usage_hourly AS
SELECT
    toStartOfHour(at) AS hour,
    kind, tenant, priority, source_language, target_language, model, pool,
    count() AS events,
    sum(source_words) AS source_words,
    sum(target_words) AS target_words,
    sum(segments) AS segments,
    sum(cached_segments) AS cached_segments,
    sum(failed_segments) AS failed_segments,
    sum(busy_ms) AS busy_ms,
    countIf(kind = 'billed' AND latency_ms > sla_ms) AS late
FROM usage_events
GROUP BY hour, kind, tenant, priority, source_language, target_language, model, pool
