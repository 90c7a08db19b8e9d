-- What a newer producer of usage sends before this database has a column for it.
ALTER TABLE usage_events ADD COLUMN IF NOT EXISTS other_fields Map(LowCardinality(String), String) AFTER at
