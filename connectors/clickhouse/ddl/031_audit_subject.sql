-- Of changes to accounts: which tenant or credential, as it is from then on.
ALTER TABLE audit
    ADD COLUMN IF NOT EXISTS subject String AFTER request_id,
    ADD COLUMN IF NOT EXISTS detail Map(LowCardinality(String), String) AFTER cause
