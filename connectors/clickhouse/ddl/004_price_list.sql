-- US dollars per device hour, from configuration; the newest valid price counts.
CREATE TABLE IF NOT EXISTS price_list
(
    device         LowCardinality(String),
    market         LowCardinality(String),
    price_per_hour Decimal(18, 6),
    valid_from     DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (device, market, valid_from)
