-- For dashboards. The window must stand here too: without it a repeated insert doubles the sums.
CREATE TABLE IF NOT EXISTS usage_hourly
(
    hour            DateTime('UTC'),
    kind            LowCardinality(String),
    tenant          LowCardinality(String),
    priority        LowCardinality(String),
    source_language LowCardinality(String),
    target_language LowCardinality(String),
    model           LowCardinality(String),
    pool            LowCardinality(String),
    events          UInt64,
    source_words    UInt64,
    target_words    UInt64,
    segments        UInt64,
    cached_segments UInt64,
    failed_segments UInt64,
    busy_ms         Float64,
    late            UInt64
)
ENGINE = SummingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (tenant, hour, kind, priority, source_language, target_language, model, pool)
SETTINGS non_replicated_deduplication_window = 10000
