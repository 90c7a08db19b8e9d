-- Cost per label of the caller and day. A request with three labels counts under each of them.
CREATE OR REPLACE VIEW cost_by_tag AS
SELECT
    toDate(at) AS day,
    tenant,
    tag.1 AS name,
    tag.2 AS value,
    uniqExact(request_id) AS requests,
    sum(source_words) AS words,
    sum(cost) AS total_cost,
    sum(price) AS total_price,
    total_price - total_cost AS margin,
    total_cost * 1000 / nullIf(words, 0) AS cost_per_thousand_words,
    total_cost * 1000000 / nullIf(words, 0) AS cost_per_million_words
FROM (SELECT at, tenant, request_id, source_words, cost, price, arrayJoin(arrayZip(mapKeys(labels), mapValues(labels))) AS tag FROM billed)
GROUP BY day, tenant, name, value
