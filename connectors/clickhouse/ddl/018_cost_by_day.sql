-- Cost per tenant, pair, priority, model and day; group by fewer for less. A correction adds words to its request.
CREATE OR REPLACE VIEW cost_by_day AS
SELECT
    toDate(at) AS day,
    tenant, source_language, target_language, priority, model,
    uniqExact(request_id) AS requests,
    sum(source_words) AS words,
    sum(cached_words) AS cached,
    sum(cost) AS total_cost,
    sum(price) AS total_price,
    total_price - total_cost AS margin,
    total_cost * 1000 / nullIf(words, 0) AS cost_per_thousand_words,
    total_cost * 1000000 / nullIf(words, 0) AS cost_per_million_words
FROM billed
GROUP BY day, tenant, source_language, target_language, priority, model
