-- Orders that end a request, from translation.control: who, what, why, when.
CREATE TABLE IF NOT EXISTS audit
(
    actor           LowCardinality(String),
    action          LowCardinality(String),
    tenant          LowCardinality(String),
    request_id      String,
    cause           LowCardinality(String),
    at              DateTime64(3, 'UTC'),
    kafka_partition UInt16,
    kafka_offset    UInt64,
    ingested_at     DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, at, kafka_partition, kafka_offset)
TTL toDateTime(at) + INTERVAL 1200 DAY
