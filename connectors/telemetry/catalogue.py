"""The metrics as a list: what each is called where it is scraped, and which processes count it."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

from connectors.telemetry import metrics

Metric = Counter | Gauge | Histogram

# As the modules that count them are imported; a test holds this table against the imports.
_SHARED: Mapping[tuple[str, ...], tuple[Metric, ...]] = {
    ("worker", "assembly"): (metrics.CYCLE_SECONDS, metrics.CYCLES_RETRIED),
    ("intake", "status"): (metrics.EVENTS_RETRIED, metrics.EVENT_BATCH_SECONDS),
    ("intake", "worker"): (metrics.TRANSLATION_MEMORY_FAILURES,),
    ("intake", "worker", "assembly", "status", "analytics"): (
        metrics.DEAD_LETTERS,
        metrics.DEAD_LETTERS_RATIONED,
    ),
}
_OF_ONE: Mapping[str, tuple[Metric, ...]] = {
    "http": (
        metrics.HTTP_REQUESTS,
        metrics.HTTP_SECONDS,
        metrics.REQUESTS_ACCEPTED,
        metrics.CANCELLATIONS_ORDERED,
        metrics.HTTP_REFUSALS,
        metrics.OPEN_SUBMISSION_BYTES,
        metrics.ADMISSION_BACKLOG_RECORDS,
        metrics.ADMISSION_WAIT_SECONDS,
        metrics.ADMISSION_READING_AGE_SECONDS,
    ),
    "intake": (
        metrics.REQUESTS,
        metrics.REQUEST_SEGMENTS,
        metrics.REQUEST_WORDS,
        metrics.INTAKE_SECONDS,
    ),
    "worker": (
        metrics.WORDS_TRANSLATED,
        metrics.SEGMENTS_TRANSLATED,
        metrics.BATCHES_SKIPPED,
        metrics.ENGINE_BUSY_SECONDS,
        metrics.ENGINE_WORDS_PER_SECOND,
        metrics.OUT_OF_MEMORY,
        metrics.MODEL_LOAD_SECONDS,
    ),
    "assembly": (
        metrics.RESULTS,
        metrics.RESULT_SECONDS,
        metrics.SLOT_VERDICTS,
        metrics.STATE_REBUILDS,
        metrics.STATE_REBUILD_SHARE,
    ),
    "status": (metrics.JOB_EVENTS,),
    "repair": (
        metrics.REPAIR_ACTING,
        metrics.REPAIR_SHARE,
        metrics.REPAIR_COMPARISONS,
        metrics.REPAIR_SECONDS,
        metrics.REPAIR_REDRIVEN,
        metrics.REPAIR_OPEN,
        metrics.REPAIR_OLDEST_OPEN_SECONDS,
        metrics.REPAIR_HANGING_TRANSACTIONS,
        metrics.DEADLINES_EXPIRED,
    ),
    "analytics": (
        metrics.USAGE_ROWS,
        metrics.USAGE_INSERT_SECONDS,
        metrics.USAGE_RANGES_REPEATED,
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
    """A counter is scraped with `_total` behind its name."""
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    # The client offers the labels' names nowhere else.
    return Description(name, family.type, tuple(metric._labelnames), family.documentation)
