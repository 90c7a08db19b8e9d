-- Hours in which the rollup does not say what the raw events say: there is none, or `dragoman analytics rebuild`.
-- Raw events older than 400 days are deleted, so the last weeks before that are left out.
CREATE OR REPLACE VIEW rollup_differences AS
SELECT
    hour,
    sum(raw_events) AS events,
    sum(rolled_events) AS events_in_rollup,
    sum(raw_words) AS words,
    sum(rolled_words) AS words_in_rollup
FROM
(
    SELECT toStartOfHour(at) AS hour, count() AS raw_events, sum(source_words) AS raw_words, 0 AS rolled_events, 0 AS rolled_words
    FROM usage_events
    WHERE at >= toStartOfHour(now() - INTERVAL 360 DAY)
    GROUP BY hour
    UNION ALL
    SELECT hour, 0, 0, sum(events), sum(source_words)
    FROM usage_hourly
    WHERE hour >= toStartOfHour(now() - INTERVAL 360 DAY)
    GROUP BY hour
)
GROUP BY hour
HAVING events != events_in_rollup OR words != words_in_rollup
