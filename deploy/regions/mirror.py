"""Which two clusters there are, and what goes from one to the other.

MirrorMaker 2 between two regions: what it is configured with, how it is run.

The same names on both sides (docs/decisions/0011): producers and consumers move by changing one address.

How far the region that stands by is behind: the newest record of each topic on both sides.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.log_scan import scanning
from connectors.kafka.settings import KafkaSettings
from connectors.settings import Section
from deploy.local.kafka_broker import java_command
from schemas import topics
from schemas.priorities import Priority


class RegionSettings(Section):
    """DRAGOMAN_REGIONS_*. One direction: from the region that serves to the one that stands by."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_REGIONS_", frozen=True, extra="forbid")

    source: str = Field(default="a", pattern=r"^[a-z0-9-]+$", description="Name of the region that serves.")
    target: str = Field(default="b", pattern=r"^[a-z0-9-]+$", description="Name of the region that stands by.")
    source_bootstrap: str = Field(default="127.0.0.1:9092", description="host:port of its brokers.")
    target_bootstrap: str = Field(default="127.0.0.1:9192", description="host:port of its brokers.")
    only_requests: bool = Field(
        default=False, description="After a take-over: bring the requests that were never copied, no late answers."
    )
    groups: str = Field(
        default=".*", description="Regular expression of consumer groups that move; ours never do (mirror.py)."
    )
    replication: int = Field(default=1, ge=1, description="Of MirrorMaker's own topics; 3 in production.")
    tasks: int = Field(default=2, ge=1, description="Parallel copies.")
    offset_lag_max: int = Field(
        default=100, ge=0, description="Most records that a moved group reads twice per partition, roughly."
    )
    checkpoint_seconds: int = Field(default=5, ge=1, description="How often the places of groups are translated.")
    rest_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="By which MirrorMaker's nodes talk to each other; 0 takes any free port.",
    )
    heap_megabytes: int = Field(default=256, ge=64, description="Of MirrorMaker's Java.")
    extra: dict[str, str] = Field(
        default_factory=dict, description="JSON; more of mm2.properties, such as a.security.protocol."
    )


POM = Path(__file__).parent / "pom.xml"

# What the other region must know. Batches and translated batches stay at home: whatever is under way when a
# region is lost is made anew from its request.
REQUESTS = tuple(topics.requests_topic(priority) for priority in Priority)
TOPICS = (
    *REQUESTS,
    topics.CONTROL,
    topics.RESULTS,
    topics.STATUS,
    topics.USAGE,
    topics.DEAD_LETTERS,
)
# The platform's own groups begin in the other region where the take-over puts them, not where they stood.
OWN_GROUPS = ("intake", "assembly", "status", "usage_sink", r"inference\..*", r"dragoman\..*")
_TOOL_GROUPS = ("console-consumer-.*", "connect-.*", "__.*")
_TRANSACTION_MS = 10_000
_MAIN = "org.apache.kafka.connect.mirror.MirrorMaker"


def mirror_command(settings: RegionSettings, libraries: Path, properties: Path) -> tuple[str, ...]:
    """Runs until SIGTERM, near the target: reading far and writing near loses least when the line is cut."""
    memory = (f"-Xmx{settings.heap_megabytes}m", "-Xms64m")
    return (*java_command(libraries, *memory), _MAIN, str(properties), "--clusters", settings.target)


def mirror_properties(settings: RegionSettings) -> str:
    """The whole mm2.properties."""
    entries = {
        **_clusters(settings),
        **_flow(settings),
        **_exactly_once(settings),
        **_factors(settings),
        **settings.extra,
    }
    return "".join(f"{key} = {value}\n" for key, value in entries.items())


def _clusters(settings: RegionSettings) -> dict[str, object]:
    return {
        "clusters": f"{settings.source}, {settings.target}",
        f"{settings.source}.bootstrap.servers": settings.source_bootstrap,
        f"{settings.target}.bootstrap.servers": settings.target_bootstrap,
        "tasks.max": settings.tasks,
        # MirrorMaker begins with the tasks it ran last, whatever it is told now. Where the topics are others,
        # it must find none; the places it has copied to are kept elsewhere.
        f"{settings.target}.config.storage.topic": _tasks_topic(settings),
    }


def _tasks_topic(settings: RegionSettings) -> str:
    kind = "mm2-requests-configs" if settings.only_requests else "mm2-configs"
    return f"{kind}.{settings.source}.internal"


def _flow(settings: RegionSettings) -> dict[str, object]:
    flow = f"{settings.source}->{settings.target}"
    return {
        f"{flow}.enabled": "true",
        f"{settings.target}->{settings.source}.enabled": "false",
        "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        f"{flow}.topics": _listed(re.escape(name) for name in (REQUESTS if settings.only_requests else TOPICS)),
        f"{flow}.groups": _listed([settings.groups]),
        f"{flow}.groups.exclude": _listed((*OWN_GROUPS, *_TOOL_GROUPS)),
        f"{flow}.sync.group.offsets.enabled": "true",
        f"{flow}.sync.group.offsets.interval.seconds": settings.checkpoint_seconds,
        f"{flow}.emit.checkpoints.interval.seconds": settings.checkpoint_seconds,
        f"{flow}.refresh.groups.interval.seconds": settings.checkpoint_seconds,
        f"{flow}.offset.lag.max": settings.offset_lag_max,
        # Each region's topics are made by `dragoman topics create` from the same catalogue.
        f"{flow}.sync.topic.configs.enabled": "false",
        f"{flow}.sync.topic.acls.enabled": "false",
    }


def _exactly_once(settings: RegionSettings) -> dict[str, object]:
    return {
        # Without it the results of aborted transactions would arrive as real ones.
        f"{settings.source}.consumer.isolation.level": "read_committed",
        f"{settings.target}.exactly.once.source.support": "enabled",
        # A killed mirror leaves a transaction open; readers of committed records wait this long for it.
        f"{settings.target}.producer.transaction.timeout.ms": _TRANSACTION_MS,
        # Exactly once in dedicated mode needs the nodes to talk to each other.
        "dedicated.mode.enable.internal.rest": "true",
        "listeners": f"http://127.0.0.1:{settings.rest_port}",
    }


def _factors(settings: RegionSettings) -> dict[str, object]:
    names = ("checkpoints.topic", "heartbeats.topic", "offset-syncs.topic")
    storage = ("offset.storage", "status.storage", "config.storage")
    keys = ["replication.factor", *(f"{name}.replication.factor" for name in (*names, *storage))]
    return dict.fromkeys(keys, settings.replication)


def _listed(patterns: Iterable[str]) -> str:
    # A backslash in a .properties file is written twice.
    return ", ".join(patterns).replace("\\", "\\\\")


# A transaction holds at least one record before its mark.
_LAST = 10


@dataclass(frozen=True)
class Freshness:
    """Milliseconds since the epoch; None for a topic without records, or a region that is away."""

    topic: str
    source_ms: int | None
    target_ms: int | None

    @property
    def behind_seconds(self) -> float | None:
        """None where a side has nothing. A topic that rests is not behind: both sides end with the same record."""
        if self.source_ms is None or self.target_ms is None:
            return None
        return max(self.source_ms - self.target_ms, 0) / 1000


def freshness(source: KafkaSettings | None, target: KafkaSettings) -> list[Freshness]:
    """One for each topic that is copied; without `source` only what the target has."""
    return [
        Freshness(topic, _newest_ms(source, topic) if source else None, _newest_ms(target, topic))
        for topic in TOPICS
    ]


def _newest_ms(kafka: KafkaSettings, topic: str) -> int | None:
    # Of the records: what Kafka calls the newest is the mark of a transaction, which is as new as the copy.
    spans = KafkaAdmin(kafka).spans([topic])
    with scanning(kafka, [replace(span, first=max(span.first, span.end - _LAST)) for span in spans]) as scan:
        times = [record.timestamp_ms for records in scan.until_done(_LAST) for record in records]
    return max(times, default=None)
