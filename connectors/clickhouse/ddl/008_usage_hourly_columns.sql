-- Rows from before this step have zeros here until `dragoman analytics rebuild`.
ALTER TABLE usage_hourly
    ADD COLUMN IF NOT EXISTS device LowCardinality(String) AFTER pool,
    ADD COLUMN IF NOT EXISTS market LowCardinality(String) AFTER device,
    ADD COLUMN IF NOT EXISTS cached_words UInt64 AFTER target_words,
    ADD COLUMN IF NOT EXISTS source_characters UInt64 AFTER cached_words,
    ADD COLUMN IF NOT EXISTS target_characters UInt64 AFTER source_characters,
    MODIFY ORDER BY (tenant, hour, kind, priority, source_language, target_language, model, pool, device, market)
