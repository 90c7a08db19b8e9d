-- Where ClickHouse's own sink for Kafka Connect writes (kafka_connect.json): whole batches, which the view unfolds.
-- Exactly once where the server has a Keeper and keeper_map_path_prefix is set: the connector keeps its state in a
-- KeeperMap table. Beside the analytics process every row would be there twice: run one of the two.
CREATE TABLE IF NOT EXISTS usage_batches
(
    event_id          Array(String),
    kind              Array(String),
    tenant            Array(String),
    request_id        Array(String),
    submitted_by      Array(String),
    labels            Array(Map(String, String)),
    request_kind      Array(String),
    content_type      Array(String),
    priority          Array(String),
    source_language   Array(String),
    target_language   Array(String),
    model             Array(String),
    pool              Array(String),
    worker            Array(String),
    device            Array(String),
    market            Array(String),
    status            Array(String),
    batches           Array(Int64),
    units             Array(Int64),
    segments          Array(Int64),
    cached_segments   Array(Int64),
    failed_segments   Array(Int64),
    source_words      Array(Int64),
    target_words      Array(Int64),
    cached_words      Array(Int64),
    source_characters Array(Int64),
    target_characters Array(Int64),
    busy_ms           Array(Float64),
    queue_ms          Array(Float64),
    latency_ms        Array(Float64),
    sla_ms            Array(Int64),
    at                Array(DateTime64(3, 'UTC'))
)
ENGINE = MergeTree
ORDER BY tuple()
TTL toDateTime(at[1]) + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Where the batches lay in Kafka is not kept.
CREATE MATERIALIZED VIEW IF NOT EXISTS usage_batches_view TO usage_events AS
SELECT
    toUUID(batch.event_id[row]) AS event_id,
    batch.kind[row] AS kind,
    batch.tenant[row] AS tenant,
    batch.request_id[row] AS request_id,
    batch.submitted_by[row] AS submitted_by,
    batch.labels[row] AS labels,
    batch.request_kind[row] AS request_kind,
    batch.content_type[row] AS content_type,
    batch.priority[row] AS priority,
    batch.source_language[row] AS source_language,
    batch.target_language[row] AS target_language,
    batch.model[row] AS model,
    batch.pool[row] AS pool,
    batch.worker[row] AS worker,
    batch.device[row] AS device,
    batch.market[row] AS market,
    batch.status[row] AS status,
    batch.batches[row] AS batches,
    batch.units[row] AS units,
    batch.segments[row] AS segments,
    batch.cached_segments[row] AS cached_segments,
    batch.failed_segments[row] AS failed_segments,
    batch.source_words[row] AS source_words,
    batch.target_words[row] AS target_words,
    batch.cached_words[row] AS cached_words,
    batch.source_characters[row] AS source_characters,
    batch.target_characters[row] AS target_characters,
    batch.busy_ms[row] AS busy_ms,
    batch.queue_ms[row] AS queue_ms,
    batch.latency_ms[row] AS latency_ms,
    batch.sla_ms[row] AS sla_ms,
    batch.at[row] AS at
FROM usage_batches AS batch
ARRAY JOIN arrayEnumerate(batch.event_id) AS row;
