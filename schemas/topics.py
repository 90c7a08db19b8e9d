"""The topic catalogue: the only list of topics. Creation, checks and documents come from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from schemas.errors import PermanentError
from schemas.lanes import Lane
from schemas.priorities import Priority

DAY_MS = 24 * 60 * 60 * 1000
FOREVER_MS = -1
NO_LIMIT_BYTES = -1
JOB_KEY = "tenant/request_id"
# Who stamps the records of a topic: Kafka's CreateTime or LogAppendTime.
PRODUCER, BROKER = "CreateTime", "LogAppendTime"

_REQUESTS = "translation.requests."
_DOCUMENTS = "translation.documents."
_BATCHES = "translation.batches."

TRANSLATED = "translation.translated"
TRANSLATED_DOCUMENTS = "translation.translated.documents"
RESULTS = "translation.results"
USAGE = "translation.usage"
DEAD_LETTERS = "translation.dead_letters"
CONTROL = "translation.control"
OPERATIONS = "translation.operations"
TENANTS = "translation.tenants"
CREDENTIALS = "translation.credentials"
GLOSSARIES = "translation.glossaries"
# The newest record of each key is the truth; who writes there decides who may ask (docs/accounts.md).
ACCOUNT_TOPICS = (TENANTS, CREDENTIALS)
ASSEMBLY_TOPICS = (TRANSLATED, CONTROL)

# Consumer groups; those of the workers and of extraction are named by `inference_group` and `extraction_group`.
INTAKE_GROUP = "intake"
ASSEMBLY_GROUP = "assembly"
MERGING_GROUP = "merging"
WEBHOOKS_GROUP = "webhooks"

REQUEST_RETENTION_MS = 7 * DAY_MS
RESULT_RETENTION_MS = 30 * DAY_MS
DEAD_LETTER_BYTES = 250_000_000


@dataclass(frozen=True)
class Topic:
    """One topic: its message, its key, and how long a record is kept (-1: for ever, but for compaction).

    `retention_bytes` limits each partition as well (-1: no limit); whichever limit is reached first counts.
    `stamped_by` is BROKER where anybody may write and the time decides something: deadlines, latency, repair.
    """

    name: str
    message: str
    key: str
    partitions: int
    retention_ms: int
    cleanup: str = "delete"
    retention_bytes: int = NO_LIMIT_BYTES
    stamped_by: str = PRODUCER


@dataclass(frozen=True)
class TopicPlan:
    """What a deployment chooses: partitions, worker pools, and the bytes of each partition of dead letters.

    Each of `tenants` has topics of its own, because it produces and consumes by Kafka itself.
    """

    partitions: int = 6
    batch_partitions: int = 6
    usage_partitions: int = 1
    pools: tuple[str, ...] = ("default",)
    dead_letter_bytes: int = DEAD_LETTER_BYTES
    tenants: tuple[str, ...] = ()


def requests_topic(priority: Priority, tenant: str | None = None) -> str:
    """Name the topic for requests of that priority: the shared one, or a tenant's own."""
    return (own_requests(tenant) if tenant else _REQUESTS) + priority


def own_requests(tenant: str) -> str:
    """Return how the names of a tenant's own request topics begin."""
    return f"{_REQUESTS}{tenant}."


def request_topics(priority: Priority, tenants: Sequence[str]) -> list[str]:
    """Name all topics for requests of that priority: the shared one, and those of these tenants."""
    return [requests_topic(priority), *(requests_topic(priority, tenant) for tenant in tenants)]


def all_request_topics(tenants: Sequence[str]) -> list[str]:
    """Name the topics for requests of all priorities, the most urgent first."""
    return [topic for priority in Priority for topic in request_topics(priority, tenants)]


def control_topic(tenant: str) -> str:
    """Name the topic for a tenant's own orders."""
    return f"{CONTROL}.{tenant}"


def control_topics(tenants: Sequence[str]) -> list[str]:
    """Name all topics for orders: the shared one, and those of these tenants."""
    return [CONTROL, *map(control_topic, tenants)]


def results_topic(tenant: str) -> str:
    """Name the topic for copies of a tenant's results."""
    return f"{RESULTS}.{tenant}"


def assembly_topics(tenants: Sequence[str]) -> list[str]:
    """Name the topics that assembly reads."""
    return [TRANSLATED, *control_topics(tenants)]


def answered_topics(tenants: Sequence[str]) -> list[str]:
    """Name the topics of which each record may lead to an answer, of a text or of a document."""
    return [*assembly_topics(tenants), TRANSLATED_DOCUMENTS]


# Asked several times for each record, of few topics.
@lru_cache(maxsize=256)
def tenant_of_topic(topic: str) -> str | None:
    """Return the tenant whose own topic that is; None for a topic that several tenants share."""
    for shared in (CONTROL, RESULTS):
        if topic.startswith(f"{shared}."):
            return topic.removeprefix(f"{shared}.")
    if topic.startswith(_REQUESTS):
        return topic.removeprefix(_REQUESTS).rpartition(".")[0] or None
    return None


def is_control(topic: str) -> bool:
    """Tell whether orders come by that topic."""
    return topic == CONTROL or topic.startswith(f"{CONTROL}.")


def is_batches(topic: str) -> bool:
    """Tell whether batches wait for workers in that topic."""
    return topic.startswith(_BATCHES)


def documents_topic(priority: Priority) -> str:
    """Name the topic in which requests for documents of that priority wait for extraction."""
    return _DOCUMENTS + priority


def priority_of_topic(topic: str) -> Priority:
    """Return the priority of a topic of requests or of documents. Raises PermanentError for any other topic."""
    tenant, _, name = topic.removeprefix(_REQUESTS).removeprefix(_DOCUMENTS).rpartition(".")
    if name not in tuple(Priority) or (tenant and not topic.startswith(_REQUESTS)):
        raise PermanentError("unknown_topic", f"{topic} is no request topic")
    return Priority(name)


def batches_topic(pool: str, lane: Lane | Priority) -> str:
    """Name the topic in which batches wait; a priority names its lane for short requests."""
    return f"{_BATCHES}{pool}.{lane}"


def inference_group(pool: str, lane: Lane | Priority) -> str:
    """Name the consumer group in which the workers of a pool read that lane; all bulk lanes have one together."""
    return f"inference.{pool}.bulk" if Lane(lane).is_bulk else f"inference.{pool}.{lane}"


def inference_groups(pool: str) -> dict[str, list[str]]:
    """Name the topics that each consumer group of the workers of a pool reads."""
    groups: dict[str, list[str]] = {}
    for lane in Lane:
        groups.setdefault(inference_group(pool, lane), []).append(batches_topic(pool, lane))
    return groups


def extraction_group(priority: Priority) -> str:
    """Name the consumer group that takes the documents of one priority apart."""
    return f"extraction.{priority}"


def catalogue(plan: TopicPlan) -> list[Topic]:
    """List every topic of a deployment."""
    per_priority = [
        _written_by_anybody(requests_topic(priority), "TranslationRequest", plan.partitions)
        for priority in Priority
    ]
    # The requests as they are; a header tells when Kafka accepted them.
    documents = [
        Topic(documents_topic(priority), "TranslationRequest", JOB_KEY, plan.partitions, REQUEST_RETENTION_MS)
        for priority in Priority
    ]
    # Keyed by batch, not by request, so that the batches of one long document spread over all workers
    # (docs/decisions/0003).
    batches = [
        Topic(batches_topic(pool, lane), "SegmentBatch", "batch_id", plan.batch_partitions, 3 * DAY_MS)
        for pool in plan.pools
        for lane in Lane
    ]
    own = [topic for tenant in plan.tenants for topic in own_topics(tenant, plan.partitions)]
    return [*per_priority, *documents, *batches, *_shared(plan), *own]


def own_topics(tenant: str, partitions: int) -> list[Topic]:
    """List the topics that a tenant with Kafka access of its own has; they are kept as the shared ones are."""
    requests = [requests_topic(priority, tenant) for priority in Priority]
    return [
        *(_written_by_anybody(name, "TranslationRequest", partitions) for name in requests),
        _written_by_anybody(control_topic(tenant), "JobControl", partitions),
        _results(results_topic(tenant), partitions),
    ]


def _shared(plan: TopicPlan) -> list[Topic]:
    partitions = plan.partitions
    return [
        Topic(TRANSLATED, "TranslatedBatch", JOB_KEY, partitions, 3 * DAY_MS),
        Topic(TRANSLATED_DOCUMENTS, "TranslatedBatch", JOB_KEY, partitions, 3 * DAY_MS),
        _results(RESULTS, partitions),
        Topic(USAGE, "UsageBatch", "none", plan.usage_partitions, 30 * DAY_MS),
        _dead_letters(plan),
        _written_by_anybody(CONTROL, "JobControl", partitions),
        Topic(OPERATIONS, "OperationEvent", "actor", 1, 30 * DAY_MS),
        # One partition each: a reader knows all accounts, so the order of all changes is worth more than room.
        Topic(TENANTS, "Tenant", "tenant", 1, FOREVER_MS, "compact"),
        Topic(CREDENTIALS, "Credential", "credential_id", 1, FOREVER_MS, "compact"),
        # Stamped by the broker, as requests are: the two times decide which version is the newest of a request.
        Topic(GLOSSARIES, "Glossary", "tenant/name/version", 1, FOREVER_MS, "compact", stamped_by=BROKER),
    ]


def _written_by_anybody(name: str, message: str, partitions: int) -> Topic:
    return Topic(name, message, JOB_KEY, partitions, REQUEST_RETENTION_MS, stamped_by=BROKER)


def _results(name: str, partitions: int) -> Topic:
    return Topic(name, "TranslationResult", JOB_KEY, partitions, RESULT_RETENTION_MS, "compact,delete")


def _dead_letters(plan: TopicPlan) -> Topic:
    # Compacted, because a tombstone closes a dead letter; bounded, because anybody may send rubbish.
    name, key, bound = DEAD_LETTERS, "dead_letter_id", plan.dead_letter_bytes
    return Topic(name, "DeadLetter", key, plan.partitions, 30 * DAY_MS, "compact,delete", bound)
