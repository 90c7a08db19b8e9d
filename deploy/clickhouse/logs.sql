-- Lines of the logs, as deploy/vector writes them. Not one of the books: nothing is lost with it, and it is made by
-- hand, in the database of the books or in another (docs/tracing.md).
CREATE TABLE IF NOT EXISTS logs
(
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    process LowCardinality(String),
    instance LowCardinality(String),
    level LowCardinality(String),
    event LowCardinality(String),
    tenant LowCardinality(String),
    request_id String CODEC(ZSTD),
    trace_id String CODEC(ZSTD),
    fields String CODEC(ZSTD) COMMENT 'What else the line says, as JSON: JSONExtractString(fields, ''cause'')',
    INDEX by_request request_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(timestamp)
ORDER BY (process, timestamp)
TTL toDateTime(timestamp) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1;
