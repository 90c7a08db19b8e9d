-- ClickHouse reads translation.usage by itself, without the analytics process. At least once: after a rebalance or a
-- restart rows may come twice, so bill from the analytics process or deduplicate by event_id. It needs a schema
-- registry (DRAGOMAN_KAFKA_SCHEMA_REGISTRY_URL), as ClickHouse reads no single-object encoding. Put in the addresses.
-- Beside the analytics process every row would be there twice: run one of the two.
CREATE TABLE IF NOT EXISTS usage_topic
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
ENGINE = Kafka
SETTINGS
    kafka_broker_list = 'kafka:9092',
    kafka_topic_list = 'translation.usage',
    kafka_group_name = 'clickhouse_usage',
    kafka_format = 'AvroConfluent',
    kafka_num_consumers = 1,
    kafka_max_block_size = 20000,
    kafka_flush_interval_ms = 1500,
    format_avro_schema_registry_url = 'http://schema-registry:8081';

-- An array that an older writer did not know is empty: its rows hold nothing there.
CREATE MATERIALIZED VIEW IF NOT EXISTS usage_topic_view TO usage_events AS
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
    batch.at[row] AS at,
    _partition AS kafka_partition,
    _offset AS kafka_offset
FROM usage_topic AS batch
ARRAY JOIN arrayEnumerate(batch.event_id) AS row;
