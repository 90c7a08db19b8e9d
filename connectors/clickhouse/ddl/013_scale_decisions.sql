-- Each time the autoscaler wanted another number, or for another reason: what it knew, what it wants, why.
CREATE TABLE IF NOT EXISTS scale_decisions
(
    event_id                  String,
    pool                      LowCardinality(String),
    autoscaler                LowCardinality(String),
    reason                    LowCardinality(String),
    replicas                  UInt32,
    needed                    UInt32,
    ready                     UInt32,
    pending                   UInt32,
    replica_words_per_second  Float64,
    startup_seconds           Float64,
    backlog_words             Map(LowCardinality(String), Float64),
    arriving_words_per_second Map(LowCardinality(String), Float64),
    oldest_seconds            Map(LowCardinality(String), Float64),
    out_of_reach              Array(LowCardinality(String)),
    at                        DateTime64(3, 'UTC'),
    ingested_at               DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (pool, at, event_id)
TTL toDateTime(at) + INTERVAL 400 DAY
