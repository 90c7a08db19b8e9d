-- Direct cost of machine time: each second of work at the price of its device and market when it ran, repeats
-- included. A device without a price costs 0 and shows price_per_hour = 0.
CREATE OR REPLACE VIEW cost AS
SELECT
    usage.request_id AS request_id,
    usage.tenant AS tenant,
    usage.priority AS priority,
    usage.source_language AS source_language,
    usage.target_language AS target_language,
    usage.model AS model,
    usage.pool AS pool,
    usage.worker AS worker,
    usage.device AS device,
    usage.market AS market,
    usage.at AS at,
    usage.source_words AS source_words,
    usage.source_words - least(usage.cached_words, usage.source_words) AS translated_words,
    usage.busy_ms AS busy_ms,
    price.price_per_hour AS price_per_hour,
    toDecimal128(usage.busy_ms, 6) * price.price_per_hour / 3600000 AS cost
FROM (SELECT * FROM usage_events WHERE kind = 'compute') AS usage
ASOF LEFT JOIN price_list AS price
    ON usage.device = price.device AND usage.market = price.market AND usage.at >= price.valid_from
