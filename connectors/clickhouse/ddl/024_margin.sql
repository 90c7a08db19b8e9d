-- What each tenant pays, less the machine time spent for it, repeats included. Idle machines are not in it.
CREATE OR REPLACE VIEW margin AS
SELECT
    day, tenant,
    sum(words) AS words,
    sum(price) AS total_price,
    sum(direct) AS direct_cost,
    total_price - direct_cost AS margin
FROM
(
    SELECT toDate(at) AS day, tenant, source_words AS words, price, toDecimal128(0, 12) AS direct FROM billed
    UNION ALL
    SELECT toDate(at) AS day, tenant, 0, toDecimal128(0, 12), cost FROM cost
)
GROUP BY day, tenant
