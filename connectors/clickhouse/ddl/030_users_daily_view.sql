CREATE MATERIALIZED VIEW IF NOT EXISTS users_daily_view TO users_daily AS
SELECT
    toDate(at) AS day,
    tenant, submitted_by, priority, source_language, target_language, model,
    count() AS answers,
    countIf(status NOT IN ('COMPLETED', 'PARTIAL')) AS failed,
    countIf(latency_ms > sla_ms) AS late,
    sum(source_words) AS source_words,
    sum(cached_words) AS cached_words
FROM usage_events
WHERE kind = 'billed'
GROUP BY day, tenant, submitted_by, priority, source_language, target_language, model
