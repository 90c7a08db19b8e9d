-- One row per answer, from translation.results; no text. An answer that is read again replaces its row: read it FINAL.
CREATE TABLE IF NOT EXISTS requests
(
    tenant            LowCardinality(String),
    request_id        String,
    answer            UInt32, -- 1, and one more for each correction
    kind              LowCardinality(String),
    status            LowCardinality(String),
    cause             LowCardinality(String),
    priority          LowCardinality(String),
    pool              LowCardinality(String),
    source_language   LowCardinality(String),
    detected_language LowCardinality(String),
    target_language   LowCardinality(String),
    content_type      LowCardinality(String),
    pipeline_version  LowCardinality(String),
    model             LowCardinality(String),
    device            LowCardinality(String),
    market            LowCardinality(String),
    labels            Map(LowCardinality(String), String),
    units             UInt32,
    segments          UInt32,
    cached_segments   UInt32,
    failed_segments   UInt32,
    warnings          UInt32,
    source_words      UInt64,
    cached_words      UInt64,
    target_words      UInt64,
    source_characters UInt64,
    target_characters UInt64,
    confidence        Nullable(Float64),
    busy_ms           Float64,
    -- All that the result tells, and the most asked for as columns.
    stage_seconds     Map(LowCardinality(String), Float64),
    queue_seconds     Float64,
    translate_seconds Float64,
    total_seconds     Float64,
    sla_seconds       UInt32,
    submitted_at      DateTime64(3, 'UTC'),
    completed_at      DateTime64(3, 'UTC'),
    kafka_partition   UInt16,
    kafka_offset      UInt64,
    ingested_at       DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(kafka_offset)
PARTITION BY toYYYYMM(completed_at)
ORDER BY (tenant, toDate(completed_at), request_id, answer)
TTL toDateTime(completed_at) + INTERVAL 400 DAY
