-- The truth: every usage event once. Rollups can be rebuilt from it.
CREATE TABLE IF NOT EXISTS usage_events
(
    event_id          UUID,
    kind              LowCardinality(String),
    tenant            LowCardinality(String),
    request_id        String,
    submitted_by      LowCardinality(String),
    labels            Map(LowCardinality(String), String),
    request_kind      LowCardinality(String),
    content_type      LowCardinality(String),
    priority          LowCardinality(String),
    source_language   LowCardinality(String),
    target_language   LowCardinality(String),
    model             LowCardinality(String),
    pool              LowCardinality(String),
    worker            LowCardinality(String),
    device            LowCardinality(String),
    market            LowCardinality(String),
    status            LowCardinality(String),
    batches           UInt64,
    units             UInt64,
    segments          UInt64,
    cached_segments   UInt64,
    failed_segments   UInt64,
    source_words      UInt64,
    target_words      UInt64,
    cached_words      UInt64,
    source_characters UInt64,
    target_characters UInt64,
    busy_ms           Float64,
    queue_ms          Float64,
    latency_ms        Float64,
    sla_ms            UInt64,
    at                DateTime64(3, 'UTC'),
    kafka_partition   UInt16,
    kafka_offset      UInt64,
    ingested_at       DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, toDate(at), kind, source_language, target_language, at)
TTL toDateTime(at) + INTERVAL 400 DAY
-- Off by default on tables without replicas; the sink's tokens need it.
SETTINGS non_replicated_deduplication_window = 10000
