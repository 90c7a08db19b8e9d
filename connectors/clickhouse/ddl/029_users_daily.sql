-- Who asked for how much, for dashboards. Rows from before this step come by `dragoman analytics rebuild`.
CREATE TABLE IF NOT EXISTS users_daily
(
    day             Date,
    tenant          LowCardinality(String),
    submitted_by    LowCardinality(String),
    priority        LowCardinality(String),
    source_language LowCardinality(String),
    target_language LowCardinality(String),
    model           LowCardinality(String),
    answers         UInt64,
    failed          UInt64,
    late            UInt64,
    source_words    UInt64,
    cached_words    UInt64
)
ENGINE = SummingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (day, tenant, submitted_by, priority, source_language, target_language, model)
SETTINGS non_replicated_deduplication_window = 10000
