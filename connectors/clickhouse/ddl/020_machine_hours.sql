-- What machines did in each hour, in seconds and money. Idle time is nobody's: ready and not busy.
CREATE OR REPLACE VIEW machine_hours AS
SELECT
    hours.hour AS hour,
    hours.pool AS pool,
    hours.device AS device,
    hours.market AS market,
    hours.starting AS starting_seconds,
    hours.busy AS busy_seconds,
    greatest(hours.ready - hours.busy, 0) AS idle_seconds,
    hours.draining AS draining_seconds,
    price.price_per_hour AS price_per_hour
FROM
(
    SELECT hour, pool, device, market, sum(starting) AS starting, sum(ready) AS ready, sum(draining) AS draining, sum(busy) AS busy
    FROM
    (
        SELECT toStartOfHour(since) AS hour, pool, device, market,
            sumIf(dateDiff('millisecond', since, until), state = 'starting') / 1000 AS starting,
            sumIf(dateDiff('millisecond', since, until), state = 'ready') / 1000 AS ready,
            sumIf(dateDiff('millisecond', since, until), state = 'draining') / 1000 AS draining,
            0. AS busy
        FROM worker_intervals FINAL
        GROUP BY hour, pool, device, market
        UNION ALL
        SELECT toStartOfHour(at) AS hour, pool, device, market, 0., 0., 0., sum(busy_ms) / 1000 AS busy
        FROM usage_events
        WHERE kind = 'compute'
        GROUP BY hour, pool, device, market
    )
    GROUP BY hour, pool, device, market
) AS hours
ASOF LEFT JOIN price_list AS price
    ON hours.device = price.device AND hours.market = price.market AND hours.hour >= price.valid_from
