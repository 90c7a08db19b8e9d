-- Direct, idle, starting and draining as lines of their own, by day, device and market; spot is a market.
CREATE OR REPLACE VIEW cost_lines AS
SELECT
    toDate(hour) AS day,
    pool, device, market,
    part.1 AS line,
    sum(part.2) AS seconds,
    sum(toDecimal128(part.2, 6) * price_per_hour / 3600) AS total_cost
FROM
(
    SELECT hour, pool, device, market, price_per_hour,
        arrayJoin([('direct', busy_seconds), ('idle', idle_seconds), ('starting', starting_seconds), ('draining', draining_seconds)]) AS part
    FROM machine_hours
)
GROUP BY day, pool, device, market, line
