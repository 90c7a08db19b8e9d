-- What each worker was doing when, cut at full hours. A worker that is killed was there until it was last heard of.
CREATE TABLE IF NOT EXISTS worker_intervals
(
    worker      LowCardinality(String),
    pool        LowCardinality(String),
    device      LowCardinality(String),
    market      LowCardinality(String),
    state       LowCardinality(String),
    since       DateTime64(3, 'UTC'),
    until       DateTime64(3, 'UTC'),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(until)
PARTITION BY toYYYYMM(since)
ORDER BY (worker, since, state)
TTL toDateTime(since) + INTERVAL 400 DAY
