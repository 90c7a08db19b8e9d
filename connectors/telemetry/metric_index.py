"""Which process counts what, and how a metric is scraped: for docs/reference/metrics.md."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.telemetry import metrics
from connectors.telemetry.metrics import Metric

# As the modules that count them are imported; a test holds this table against the imports.
_SHARED: Mapping[tuple[str, ...], tuple[Metric, ...]] = {
    ("worker", "assembly", "extraction", "merging", "webhooks"): (metrics.CYCLES_RETRIED,),
    ("http", "intake", "worker", "assembly", "extraction", "merging", "repair", "webhooks"): (
        metrics.STATE_EVICTED_KEYS,
    ),
    ("http", "intake", "worker", "assembly", "extraction", "merging", "webhooks"): (metrics.SPANS,),
    ("intake", "extraction", "worker"): (metrics.TRANSLATION_MEMORY_FAILURES,),
    ("intake", "worker", "assembly", "extraction", "merging", "analytics"): (
        metrics.DEAD_LETTERS,
        metrics.DEAD_LETTERS_WITHOUT_ORIGINAL,
    ),
    ("assembly", "extraction", "merging"): (metrics.CYCLE_SECONDS,),
    ("assembly", "merging"): (
        metrics.RESULTS,
        metrics.RESULT_SECONDS,
        metrics.REQUESTS_ERASED,
        metrics.SLOT_VERDICTS,
        metrics.STATE_REBUILDS,
        metrics.STATE_REBUILD_SHARE,
    ),
    ("intake", "extraction"): (
        metrics.REQUESTS,
        metrics.REQUEST_SEGMENTS,
        metrics.REQUEST_WORDS,
        metrics.INTAKE_SECONDS,
    ),
    ("extraction", "merging"): (metrics.DOCUMENT_SECONDS,),
}
_OF_ONE: Mapping[str, tuple[Metric, ...]] = {
    "http": (
        metrics.HTTP_REQUESTS,
        metrics.HTTP_SECONDS,
        metrics.REQUESTS_ACCEPTED,
        metrics.CANCELLATIONS_ORDERED,
        metrics.ERASURES_ORDERED,
        metrics.HTTP_REFUSALS,
        metrics.HTTP_LIMITED,
        metrics.RESULT_WAITERS,
        metrics.OPEN_STREAMS,
        metrics.OPEN_SUBMISSION_BYTES,
        metrics.BACKPRESSURE_BACKLOG_RECORDS,
        metrics.BACKPRESSURE_WAIT_SECONDS,
        metrics.BACKPRESSURE_READING_AGE_SECONDS,
    ),
    "intake": (
        metrics.EVENTS_RETRIED,
        metrics.EVENT_BATCH_SECONDS,
    ),
    "extraction": (metrics.DOCUMENTS,),
    "worker": (
        metrics.WORDS_TRANSLATED,
        metrics.SEGMENTS_TRANSLATED,
        metrics.BATCHES_SKIPPED,
        metrics.PART_SECONDS,
        metrics.ENGINE_BUSY_SECONDS,
        metrics.ENGINE_WORDS_PER_SECOND,
        metrics.OUT_OF_MEMORY,
        metrics.ENGINE_ERRORS,
        metrics.MODEL_LOAD_SECONDS,
    ),
    "webhooks": (
        metrics.WEBHOOKS,
        metrics.WEBHOOK_SECONDS,
        metrics.WEBHOOKS_UNDER_WAY,
        metrics.WEBHOOK_LAG_SECONDS,
    ),
    "repair": (
        metrics.REPAIR_ACTING,
        metrics.REPAIR_SHARE,
        metrics.REPAIR_COMPARISONS,
        metrics.REPAIR_SECONDS,
        metrics.REPAIR_REDRIVEN,
        metrics.REPAIR_OPEN,
        metrics.REPAIR_OLDEST_OPEN_SECONDS,
        metrics.REPAIR_HANGING_TRANSACTIONS,
        metrics.REPAIR_DELETED_TEXTS,
        metrics.DEADLINES_EXPIRED,
    ),
    "analytics": (
        metrics.SINK_ROWS,
        metrics.SINK_INSERT_SECONDS,
        metrics.SINK_LAG_SECONDS,
        metrics.SINK_SKIPPED,
        metrics.USAGE_RANGES_REPEATED,
        metrics.BOOKS_DIFFERENCE,
        metrics.BOOKS_RECONCILED,
        metrics.BUDGETS,
    ),
    "autoscaler": (
        metrics.AUTOSCALER_REPLICAS,
        metrics.AUTOSCALER_BACKLOG_WORDS,
        metrics.AUTOSCALER_OLDEST_SECONDS,
        metrics.AUTOSCALER_ARRIVING_WORDS_PER_SECOND,
        metrics.AUTOSCALER_REPLICA_WORDS_PER_SECOND,
        metrics.AUTOSCALER_DECISIONS,
        metrics.AUTOSCALER_OUT_OF_REACH,
    ),
}
COUNTED: Mapping[tuple[str, ...], tuple[Metric, ...]] = {
    **_SHARED,
    **{(process,): found for process, found in _OF_ONE.items()},
}


@dataclass(frozen=True)
class Description:
    """A metric as it is scraped. A histogram adds `_bucket`, `_sum` and `_count` to its name."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def describe(metric: Metric) -> Description:
    """Describe a metric as it is scraped; a counter has `_total` behind its name."""
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    # The client offers the labels' names nowhere else.
    return Description(name, family.type, tuple(metric._labelnames), family.documentation)
