-- What happened to dead letters, from translation.dead_letters: opened, closed by a tombstone. No text, no message.
CREATE TABLE IF NOT EXISTS dead_letters
(
    dead_letter_id  String,
    event           LowCardinality(String),
    stage           LowCardinality(String),
    cause           LowCardinality(String),
    field           LowCardinality(String),
    tenant          LowCardinality(String),
    request_id      String,
    batch_number    Int32 DEFAULT -1,
    segment         Int32 DEFAULT -1,
    attempt         UInt32,
    topic           LowCardinality(String),
    partition       UInt16,
    offset          UInt64,
    at              DateTime64(3, 'UTC'),
    kafka_partition UInt16,
    kafka_offset    UInt64,
    ingested_at     DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (dead_letter_id, kafka_partition, kafka_offset)
TTL toDateTime(at) + INTERVAL 400 DAY
