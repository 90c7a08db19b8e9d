"""Every metric of the platform: name, meaning, labels. docs/metrics.md is made from this file.

Labels are bounded: priorities, pools, pairs, outcomes; never a tenant, an id or an address.
"""

from prometheus_client import Counter, Gauge, Histogram

# The service levels (30, 120, 600 s) are buckets, so attainment can be read off exactly.
LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
CYCLE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)

# --- every transactional process ---
CYCLE_SECONDS = Histogram(
    "dragoman_cycle_seconds", "Time of one take-process-commit cycle", ["stage"], buckets=CYCLE_BUCKETS
)
CYCLES_RETRIED = Counter("dragoman_cycles_retried", "Cycles undone by a transient failure", ["stage"])
DEAD_LETTERS = Counter("dragoman_dead_letters", "Records that could not be processed", ["stage", "cause"])

# --- inference_workers ---
WORDS_TRANSLATED = Counter(
    "dragoman_words_translated", "Source words answered by workers", ["pool", "priority", "pair", "origin"]
)
SEGMENTS_TRANSLATED = Counter(
    "dragoman_segments_translated", "Segments answered by workers", ["pool", "priority", "outcome"]
)
ENGINE_BUSY_SECONDS = Counter("dragoman_engine_busy_seconds", "Time spent in the engine", ["pool", "pair"])
ENGINE_WORDS_PER_SECOND = Gauge(
    "dragoman_engine_words_per_second", "Measured speed of this worker while busy", ["pool"]
)
MODEL_LOAD_SECONDS = Gauge("dragoman_model_load_seconds", "Time to load and warm up the models", ["pool"])
