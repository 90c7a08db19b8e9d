-- What tenants pay, US dollars per million source words, from configuration. A tenant without a price of its own
-- pays that of the priority, whose rows have no tenant.
CREATE TABLE IF NOT EXISTS word_prices
(
    tenant                  LowCardinality(String),
    priority                LowCardinality(String),
    price_per_million_words Decimal(18, 6),
    valid_from              DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, priority, valid_from)
