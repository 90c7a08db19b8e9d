"""Copy topics to a second region: the settings of MirrorMaker 2, and how far the copy is behind.

Topics have the same names on both sides (docs/decisions/0011): a client moves by changing one address.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import read_spans
from connectors.kafka.settings import KafkaSettings
from connectors.settings import Section
from deploy.local.kafka_broker import java_command
from schemas import topics

POM = Path(__file__).parent / "pom.xml"

# What the other region must know. Documents that wait for extraction, batches and translated batches are not
# copied: work that is in progress when a region is lost is started again from its request.
_OTHERS = (topics.USAGE, topics.DEAD_LETTERS, topics.OPERATIONS, *topics.ACCOUNT_TOPICS, topics.GLOSSARIES)
# The platform's own groups start in the other region where the take-over puts them, not at their old offsets.
OWN_GROUPS = (
    "intake",
    "assembly",
    "merging",
    "webhooks",
    "usage_sink",
    r"extraction\..*",
    r"inference\..*",
    r"dragoman\..*",
)
_TOOL_GROUPS = ("console-consumer-.*", "connect-.*", "__.*")
_TRANSACTION_MS = 10_000
_MAIN = "org.apache.kafka.connect.mirror.MirrorMaker"
# How many records at the end of a partition are read; a transaction has at least one before its marker.
_LAST_RECORDS = 10


class RegionSettings(Section):
    """DRAGOMAN_REGIONS_*. One direction: from the region that serves to the one on standby."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_REGIONS_", frozen=True, extra="forbid")

    source: str = Field(default="a", pattern=r"^[a-z0-9-]+$", description="Name of the region that serves.")
    target: str = Field(default="b", pattern=r"^[a-z0-9-]+$", description="Name of the region on standby.")
    source_bootstrap: str = Field(default="127.0.0.1:9092", description="host:port of its brokers.")
    target_bootstrap: str = Field(default="127.0.0.1:9192", description="host:port of its brokers.")
    only_requests: bool = Field(
        default=False,
        description="After a take-over: copy the requests that were never copied, but no late answers.",
    )
    groups: str = Field(
        default=".*",
        description="Regular expression of consumer groups whose offsets are copied; never ours (mirror.py).",
    )
    replication: int = Field(
        default=1, ge=1, description="Replication factor of MirrorMaker's own topics; 3 in production."
    )
    tasks: int = Field(default=2, ge=1, description="Copying tasks that run in parallel.")
    offset_lag_max: int = Field(
        default=100, ge=0, description="About how many records per partition a moved group reads twice at most."
    )
    checkpoint_seconds: int = Field(default=5, ge=1, description="How often the offsets of groups are translated.")
    rest_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port by which MirrorMaker's nodes talk to each other; 0 takes any free port.",
    )
    heap_megabytes: int = Field(default=256, ge=64, description="Heap of MirrorMaker's JVM.")
    extra: dict[str, str] = Field(
        default_factory=dict, description="JSON; more entries of mm2.properties, such as a.security.protocol."
    )


def mirror_command(settings: RegionSettings, libraries: Path, properties: Path) -> tuple[str, ...]:
    """Return the command, which runs until SIGTERM. Run it near the target: less is lost when the link is cut."""
    memory = (f"-Xmx{settings.heap_megabytes}m", "-Xms64m")
    return (*java_command(libraries, *memory), _MAIN, str(properties), "--clusters", settings.target)


def copied_topics(tenants: Sequence[str]) -> list[str]:
    """Name the topics that are copied; these tenants have topics of their own."""
    results = [topics.RESULTS, *map(topics.results_topic, tenants)]
    return [*topics.all_request_topics(tenants), *topics.control_topics(tenants), *results, *_OTHERS]


def mirror_properties(settings: RegionSettings, tenants: Sequence[str] = ()) -> str:
    """Return the whole mm2.properties; these tenants have topics of their own."""
    names = topics.all_request_topics(tenants) if settings.only_requests else copied_topics(tenants)
    entries = {
        **_clusters(settings),
        **_flow(settings, names),
        **_exactly_once(settings),
        **_factors(settings),
        **settings.extra,
    }
    return "".join(f"{key} = {value}\n" for key, value in entries.items())


@dataclass(frozen=True)
class Freshness:
    """The newest record of a topic in both regions, in milliseconds since the epoch.

    None for a topic without records, or a region that is unreachable.
    """

    topic: str
    source_ms: int | None
    target_ms: int | None

    @property
    def behind_seconds(self) -> float | None:
        """Return how far the target is behind, None where a side has no record. An idle topic is 0 behind."""
        if self.source_ms is None or self.target_ms is None:
            return None
        return max(self.source_ms - self.target_ms, 0) / 1000


def freshness(source: KafkaSettings | None, target: KafkaSettings) -> list[Freshness]:
    """Compare each topic that is copied; without `source` only the target is read."""
    return [
        Freshness(topic, _newest_ms(source, topic) if source else None, _newest_ms(target, topic))
        for topic in copied_topics(target.tenants)
    ]


def _clusters(settings: RegionSettings) -> dict[str, object]:
    return {
        "clusters": f"{settings.source}, {settings.target}",
        f"{settings.source}.bootstrap.servers": settings.source_bootstrap,
        f"{settings.target}.bootstrap.servers": settings.target_bootstrap,
        "tasks.max": settings.tasks,
        # MirrorMaker starts with the tasks it ran last, whatever its configuration says now. For other topics it
        # must find none; the offsets it has copied are kept in another topic.
        f"{settings.target}.config.storage.topic": _tasks_topic(settings),
    }


def _tasks_topic(settings: RegionSettings) -> str:
    kind = "mm2-requests-configs" if settings.only_requests else "mm2-configs"
    return f"{kind}.{settings.source}.internal"


def _flow(settings: RegionSettings, names: Sequence[str]) -> dict[str, object]:
    flow = f"{settings.source}->{settings.target}"
    return {
        f"{flow}.enabled": "true",
        f"{settings.target}->{settings.source}.enabled": "false",
        "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        f"{flow}.topics": _listed(map(re.escape, names)),
        f"{flow}.groups": _listed([settings.groups]),
        f"{flow}.groups.exclude": _listed((*OWN_GROUPS, *_TOOL_GROUPS)),
        f"{flow}.sync.group.offsets.enabled": "true",
        f"{flow}.sync.group.offsets.interval.seconds": settings.checkpoint_seconds,
        f"{flow}.emit.checkpoints.interval.seconds": settings.checkpoint_seconds,
        f"{flow}.refresh.groups.interval.seconds": settings.checkpoint_seconds,
        f"{flow}.offset.lag.max": settings.offset_lag_max,
        # Each region creates its topics with `dragoman topics create`, from the same catalogue.
        f"{flow}.sync.topic.configs.enabled": "false",
        f"{flow}.sync.topic.acls.enabled": "false",
    }


def _exactly_once(settings: RegionSettings) -> dict[str, object]:
    return {
        # Without it the results of aborted transactions would be copied as real ones.
        f"{settings.source}.consumer.isolation.level": "read_committed",
        f"{settings.target}.exactly.once.source.support": "enabled",
        # A killed mirror leaves a transaction open; readers of committed records wait this long for it.
        f"{settings.target}.producer.transaction.timeout.ms": _TRANSACTION_MS,
        # Exactly once in dedicated mode requires the nodes to talk to each other.
        "dedicated.mode.enable.internal.rest": "true",
        "listeners": f"http://127.0.0.1:{settings.rest_port}",
    }


def _factors(settings: RegionSettings) -> dict[str, object]:
    names = ("checkpoints.topic", "heartbeats.topic", "offset-syncs.topic")
    storage = ("offset.storage", "status.storage", "config.storage")
    keys = ["replication.factor", *(f"{name}.replication.factor" for name in (*names, *storage))]
    return dict.fromkeys(keys, settings.replication)


def _listed(patterns: Iterable[str]) -> str:
    # A backslash must be escaped in a .properties file.
    return ", ".join(patterns).replace("\\", "\\\\")


def _newest_ms(kafka: KafkaSettings, topic: str) -> int | None:
    # From the records: the last entry of a log is the marker of a transaction, which is as new as the copy.
    spans = KafkaAdmin(kafka).spans([topic])
    tails = [replace(span, first=max(span.first, span.end - _LAST_RECORDS)) for span in spans]
    times = [record.timestamp_ms for records in read_spans(kafka, tails, _LAST_RECORDS) for record in records]
    return max(times, default=None)
