-- Which backups were brought back here: a restore that was cut short goes on, a finished one is not repeated.
CREATE TABLE IF NOT EXISTS restores
(
    backup_id String,
    state     LowCardinality(String),
    at        DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (backup_id, at)
