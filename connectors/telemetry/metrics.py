"""Every metric of the platform: name, meaning, labels. Which processes count it: metric_index.py.

docs/reference/metrics.md is made from both. Labels are bounded: priorities, pools, pairs, outcomes; never a
tenant, an id or an address.
"""

from functools import cache
from typing import TypeVar, cast

from prometheus_client import Counter, Gauge, Histogram

# The service levels (30, 120, 600 s) are buckets, so attainment can be read off exactly.
LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
CYCLE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)

# --- every process that turns in a loop of its own ---
CYCLE_SECONDS = Histogram(
    "dragoman_cycle_seconds",
    "From taking records to their committed outputs",
    ["stage"],
    buckets=CYCLE_BUCKETS,
)
CYCLES_RETRIED = Counter("dragoman_cycles_retried", "Turns undone by a transient failure", ["stage"])
DEAD_LETTERS = Counter("dragoman_dead_letters", "Records that could not be processed", ["stage", "cause"])
DEAD_LETTERS_WITHOUT_ORIGINAL = Counter(
    "dragoman_dead_letters_without_original", "Dead letters beyond the rate limit: coordinates only", ["stage"]
)

# --- inference_workers ---
WORDS_TRANSLATED = Counter(
    "dragoman_words_translated", "Source words answered by workers", ["pool", "priority", "pair"]
)
SEGMENTS_TRANSLATED = Counter(
    "dragoman_segments_translated",
    "Segments answered by workers: translated, cached, failed",
    ["pool", "priority", "outcome"],
)
BATCHES_SKIPPED = Counter(
    "dragoman_batches_skipped",
    "Batches not translated, because meanwhile the request was answered or expired",
    ["pool", "priority", "reason"],
)
PART_SECONDS = Histogram(
    "dragoman_part_seconds",
    "Engine time of one part of the work; more urgent work waits for one",
    ["pool"],
    buckets=CYCLE_BUCKETS,
)
ENGINE_BUSY_SECONDS = Counter("dragoman_engine_busy_seconds", "Time spent in the engine", ["pool"])
ENGINE_WORDS_PER_SECOND = Gauge(
    "dragoman_engine_words_per_second", "Measured speed of this worker while busy", ["pool"]
)
OUT_OF_MEMORY = Counter("dragoman_out_of_memory", "Parts of a cycle that did not fit into the device's memory")
ENGINE_ERRORS = Counter(
    "dragoman_engine_errors", "Segments on which the engine failed, each alone; they are holes"
)
MODEL_LOAD_SECONDS = Gauge("dragoman_model_load_seconds", "Time to load and warm up the models", ["pool"])

# --- producers/http ---
HTTP_REQUESTS = Counter("dragoman_http_requests", "HTTP requests answered", ["method", "route", "status"])
HTTP_SECONDS = Histogram("dragoman_http_seconds", "Time of one HTTP request", ["route"], buckets=LATENCY_BUCKETS)
REQUESTS_ACCEPTED = Counter(
    "dragoman_http_requests_accepted", "Requests that Kafka has stored for HTTP callers", ["priority"]
)
CANCELLATIONS_ORDERED = Counter("dragoman_http_cancellations_ordered", "Cancellations that Kafka has stored")
ERASURES_ORDERED = Counter("dragoman_http_erasures_ordered", "Orders to erase a job that Kafka has stored")
REQUESTS_ERASED = Counter("dragoman_requests_erased", "Results that were written again without their texts")

RESULT_WAITERS = Gauge("dragoman_http_result_waiters", "Callers that wait for a result in this process")
OPEN_STREAMS = Gauge("dragoman_http_open_streams", "Streams of events that this process serves")
HTTP_REFUSALS = Counter(
    "dragoman_http_refusals",
    "Requests answered 503, because of the wait, the backlog or open_requests",
    ["cause", "priority"],
)
HTTP_LIMITED = Counter(
    "dragoman_http_limited",
    "Submissions answered 429, by the limit of the tenant: rate, day, requests_in_flight, characters_in_flight",
    ["limit"],
)
OPEN_SUBMISSION_BYTES = Gauge("dragoman_http_open_submission_bytes", "Bodies of the submissions under way")
BACKPRESSURE_BACKLOG_RECORDS = Gauge(
    "dragoman_http_backlog_records", "Batches ahead of a new request of the lane, as last measured", ["lane"]
)
BACKPRESSURE_WAIT_SECONDS = Gauge(
    "dragoman_http_estimated_wait_seconds", "Estimated wait of a new request of the lane for a worker", ["lane"]
)
BACKPRESSURE_READING_AGE_SECONDS = Gauge(
    "dragoman_http_backlog_age_seconds", "Age of the measurement by which the last request was accepted or refused"
)

# --- connectors/redis ---
TRANSLATION_MEMORY_FAILURES = Counter(
    "dragoman_translation_memory_failures", "Reads and writes that the cache did not answer", ["operation"]
)

# --- connectors/tracing ---
SPANS = Counter(
    "dragoman_spans",
    "Spans that ended: exported, failed (the collector did not take them), dropped (the queue was full)",
    ["outcome"],
)

# --- stream_apps (Faust) ---
EVENTS_RETRIED = Counter("dragoman_events_retried", "Events tried again after a transient failure", ["stage"])
EVENT_BATCH_SECONDS = Histogram(
    "dragoman_event_batch_seconds",
    "From taking events to their acknowledged outputs",
    ["stage"],
    buckets=CYCLE_BUCKETS,
)

# --- stream_apps/intake ---
REQUESTS = Counter(
    "dragoman_requests",
    "Requests read by intake or extraction: accepted, handed_on (to extraction), repeated, refused, expired",
    ["priority", "outcome"],
)
REQUEST_SEGMENTS = Counter(
    "dragoman_request_segments", "Segments of accepted requests: from the memory, or new", ["priority", "origin"]
)
REQUEST_WORDS = Counter("dragoman_request_words", "Source words of accepted requests", ["priority"])
INTAKE_SECONDS = Histogram(
    "dragoman_intake_seconds",
    "From Kafka's time stamp of a request to its batches",
    ["priority"],
    buckets=LATENCY_BUCKETS,
)

# --- stream_apps/documents ---
DOCUMENTS = Counter(
    "dragoman_documents", "Documents taken: extracted, refused, expired, skipped (answered already)", ["outcome"]
)
DOCUMENT_SECONDS = Histogram(
    "dragoman_document_seconds",
    "To copy and take apart a file (extraction), or to put it together and store it (merging)",
    ["stage"],
    buckets=CYCLE_BUCKETS,
)

# --- stream_apps/assembly ---
RESULTS = Counter("dragoman_results", "Committed answers, one per request", ["priority", "status"])
RESULT_SECONDS = Histogram(
    "dragoman_result_seconds",
    "From Kafka's time stamp of a request to its answer",
    ["priority"],
    buckets=LATENCY_BUCKETS,
)
SLOT_VERDICTS = Counter(
    "dragoman_slot_verdicts",
    "What records meant for their requests, repeats included: WAITING, COMPLETE, ANSWERED",
    ["verdict"],
)
STATE_REBUILDS = Counter(
    "dragoman_state_rebuilds",
    "Rebuilds after a loss of the state Redis: settled, by another, lost again, failed",
    ["end"],
)
STATE_EVICTED_KEYS = Gauge(
    "dragoman_state_evicted_keys", "Keys that the state Redis evicted since it started; anything above 0 is a loss"
)
STATE_REBUILD_SHARE = Gauge("dragoman_state_rebuild_share", "How far the rebuild under way is, 0 to 1; 1 is done")

# --- stream_apps/webhooks ---
WEBHOOKS = Counter(
    "dragoman_webhooks",
    "Attempts to deliver a webhook: delivered, failed (tried again), given_up (the last one failed)",
    ["outcome"],
)
WEBHOOK_SECONDS = Histogram(
    "dragoman_webhook_seconds", "From a result to its delivered webhook", buckets=LATENCY_BUCKETS
)
WEBHOOKS_UNDER_WAY = Gauge("dragoman_webhooks_under_way", "Attempts that this process makes at the moment")
WEBHOOK_LAG_SECONDS = Gauge(
    "dragoman_webhook_lag_seconds", "For how long the first due delivery has waited for an attempt; 0 for none"
)

# --- deploy/autoscaler ---
AUTOSCALER_REPLICAS = Gauge(
    "dragoman_autoscaler_replicas", "Replicas of the pool: ready, asked (of the fleet), wanted", ["pool", "state"]
)
AUTOSCALER_BACKLOG_WORDS = Gauge(
    "dragoman_autoscaler_backlog_words", "Words that wait or are in a worker's hands", ["pool", "priority"]
)
AUTOSCALER_OLDEST_SECONDS = Gauge(
    "dragoman_autoscaler_oldest_seconds", "Age of the first uncommitted batch", ["pool", "priority"]
)
AUTOSCALER_ARRIVING_WORDS_PER_SECOND = Gauge(
    "dragoman_autoscaler_arriving_words_per_second", "Mean rate of arrival", ["pool", "priority"]
)
AUTOSCALER_REPLICA_WORDS_PER_SECOND = Gauge(
    "dragoman_autoscaler_replica_words_per_second", "Measured speed of one busy replica", ["pool"]
)
AUTOSCALER_DECISIONS = Counter(
    "dragoman_autoscaler_decisions",
    "Decisions: steady, deadline, arrivals, scale_in, window, bounds, blind",
    ["pool", "reason"],
)
AUTOSCALER_OUT_OF_REACH = Counter(
    "dragoman_autoscaler_out_of_reach",
    "Decisions that met a deadline which no new replica starts early enough to keep",
    ["pool", "priority"],
)

# --- stream_apps/usage_sink ---
SINK_ROWS = Counter("dragoman_sink_rows", "Rows written to ClickHouse", ["table"])
SINK_INSERT_SECONDS = Histogram(
    "dragoman_sink_insert_seconds", "Time until ClickHouse had one insert", ["table"], buckets=CYCLE_BUCKETS
)
SINK_LAG_SECONDS = Gauge(
    "dragoman_sink_lag_seconds", "Age of the first usage record that was read and is not in ClickHouse; 0 for none"
)
SINK_SKIPPED = Counter(
    "dragoman_sink_skipped",
    "Records of which no row can be made; of usage they become dead letters",
    ["topic"],
)
BOOKS_DIFFERENCE = Gauge(
    "dragoman_books_difference",
    "At the last reconciliation: requests and words by which these books differ from the results topic; "
    "of usage_hourly the hours in which it differs from usage_events",
    ["books"],
)
BOOKS_RECONCILED = Gauge(
    "dragoman_books_reconciled_timestamp_seconds",
    "When the books were reconciled last, or since when it is tried; 0: never",
)
BUDGETS = Gauge(
    "dragoman_budgets", "Tenants whose budget of the month has reached a warning share: warned, used_up", ["state"]
)
USAGE_RANGES_REPEATED = Counter(
    "dragoman_usage_ranges_repeated", "Ranges that an earlier process had announced and not finished"
)

# --- stream_apps/repair ---
REPAIR_ACTING = Gauge("dragoman_repair_acting", "1 for the one instance that acts")
REPAIR_SHARE = Gauge("dragoman_repair_share", "How far the reading of a part of the log is, 0 to 1", ["part"])
REPAIR_COMPARISONS = Counter("dragoman_repair_comparisons", "Comparisons of requests with results")
REPAIR_SECONDS = Histogram("dragoman_repair_seconds", "Time of one comparison", buckets=LATENCY_BUCKETS)
REPAIR_REDRIVEN = Counter("dragoman_repair_redriven", "Requests sent again because they were lost")
REPAIR_OPEN = Gauge(
    "dragoman_repair_open",
    "Requests without an answer at the last comparison: on_their_way, lost, given_up",
    ["fate"],
)
REPAIR_OLDEST_OPEN_SECONDS = Gauge(
    "dragoman_repair_oldest_open_seconds", "Age of the oldest request that is lost or on its way; 0 for none"
)
REPAIR_HANGING_TRANSACTIONS = Counter(
    "dragoman_repair_hanging_transactions", "Transactions ended that Kafka had forgotten"
)
REPAIR_DELETED_TEXTS = Counter("dragoman_repair_deleted_texts", "Stored texts deleted because of their age")
DEADLINES_EXPIRED = Counter("dragoman_deadlines_expired", "Orders to end requests whose deadline passed")

Metric = Counter | Gauge | Histogram


M = TypeVar("M", Counter, Gauge, Histogram)


@cache
def _labelled(metric: Metric, labels: tuple[str, ...]) -> Metric:
    return metric.labels(*labels)


def labelled(metric: M, *labels: str) -> M:
    """Return the metric with these labels. Looking it up anew would cost more than counting."""
    return cast(M, _labelled(metric, labels))
