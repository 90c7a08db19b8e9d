ALTER TABLE usage_hourly_view MODIFY QUERY
SELECT
    toStartOfHour(at) AS hour,
    kind, tenant, priority, source_language, target_language, model, pool, device, market,
    count() AS events,
    sum(source_words) AS source_words,
    sum(target_words) AS target_words,
    sum(cached_words) AS cached_words,
    sum(source_characters) AS source_characters,
    sum(target_characters) AS target_characters,
    sum(segments) AS segments,
    sum(cached_segments) AS cached_segments,
    sum(failed_segments) AS failed_segments,
    sum(busy_ms) AS busy_ms,
    countIf(kind = 'billed' AND latency_ms > sla_ms) AS late
FROM usage_events
GROUP BY hour, kind, tenant, priority, source_language, target_language, model, pool, device, market
