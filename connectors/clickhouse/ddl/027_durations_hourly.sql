-- How long answers took, for dashboards: a histogram by hour. A bucket begins at 2^(bucket / 8) - 1 ms, so what is
-- read at the middle of it is at most 5 % off. Rows from before this step come by `dragoman analytics rebuild`.
CREATE TABLE IF NOT EXISTS durations_hourly
(
    hour            DateTime('UTC'),
    measure         LowCardinality(String), -- total: from submission to answer; queue: the wait before a worker
    tenant          LowCardinality(String),
    priority        LowCardinality(String),
    source_language LowCardinality(String),
    target_language LowCardinality(String),
    model           LowCardinality(String),
    bucket          UInt8,
    answers         UInt64
)
ENGINE = SummingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (measure, hour, tenant, priority, source_language, target_language, model, bucket)
SETTINGS non_replicated_deduplication_window = 10000
