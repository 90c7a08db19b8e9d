-- Every answer with what its tenant pays (price) and what the engine's time for it cost (cost). Where several kinds
-- of machines worked on one request, all its time costs what the first of them does.
CREATE OR REPLACE VIEW billed AS
SELECT
    usage.event_id AS event_id,
    usage.at AS at,
    usage.tenant AS tenant,
    usage.request_id AS request_id,
    usage.submitted_by AS submitted_by,
    usage.labels AS labels,
    usage.priority AS priority,
    usage.source_language AS source_language,
    usage.target_language AS target_language,
    usage.model AS model,
    usage.pool AS pool,
    usage.first_device AS device,
    usage.first_market AS market,
    usage.status AS status,
    usage.segments AS segments,
    usage.cached_segments AS cached_segments,
    usage.failed_segments AS failed_segments,
    usage.source_words AS source_words,
    usage.target_words AS target_words,
    usage.cached_words AS cached_words,
    usage.busy_ms AS busy_ms,
    usage.latency_ms AS latency_ms,
    usage.sla_ms AS sla_ms,
    if(own.tenant != '', own.price_per_million_words, general.price_per_million_words) AS price_per_million_words,
    toDecimal128(usage.source_words, 6) * price_per_million_words / 1000000 AS price,
    toDecimal128(usage.busy_ms, 6) * machine.price_per_hour / 3600000 AS cost
FROM
(
    SELECT *, splitByString(', ', device)[1] AS first_device, splitByString(', ', market)[1] AS first_market, '' AS nobody
    FROM usage_events
    WHERE kind = 'billed'
) AS usage
ASOF LEFT JOIN word_prices AS own
    ON usage.tenant = own.tenant AND usage.priority = own.priority AND usage.at >= own.valid_from
ASOF LEFT JOIN word_prices AS general
    ON usage.nobody = general.tenant AND usage.priority = general.priority AND usage.at >= general.valid_from
ASOF LEFT JOIN price_list AS machine
    ON usage.first_device = machine.device AND usage.first_market = machine.market AND usage.at >= machine.valid_from
