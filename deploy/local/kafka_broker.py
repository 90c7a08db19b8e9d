"""The broker: where its files are, what it is configured with, how it is run."""

import base64
import uuid
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent / "kafka"
POM = _HERE / "pom.xml"
_LOGGING = _HERE / "log4j2.yaml"

# Measured on two cores: with the first compiler only and the serial collector the broker starts in 1.8 s
# instead of 2.6 and needs half the CPU for its first 20 seconds, two thirds after that.
_JVM_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Djava.awt.headless=true")


@dataclass(frozen=True)
class Broker:
    """One KRaft node, broker and controller at once, on loopback. Paths are absolute."""

    files: Path
    libraries: Path
    data: Path
    port: int
    controller_port: int
    heap_megabytes: int = 512

    @property
    def properties_file(self) -> Path:
        """Where its configuration is."""
        return self.files / "server.properties"

    @property
    def archive(self) -> Path:
        """Its classes in one file (class_archive.py), beside the jars that they are from."""
        return self.libraries / "classes.jsa"

    def run_command(self) -> tuple[str, ...]:
        """Runs until SIGTERM."""
        return self._run(f"-XX:SharedArchiveFile={self.archive}")

    def archiving_command(self, archive: Path) -> tuple[str, ...]:
        """Runs until SIGTERM, and then writes that archive."""
        return self._run(f"-XX:ArchiveClassesAtExit={archive}")

    def prepare_arguments(self) -> tuple[str, ...]:
        """For `python -m deploy.local.kafka_files`."""
        paths = (self.files, self.libraries, self.data)
        return (*map(str, paths), str(self.port), str(self.controller_port))

    def format_command(self, cluster_id: str) -> tuple[str, ...]:
        """Makes the data directory a cluster's, once."""
        tool = ("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster_id)
        return (*self._java(), *tool, "-c", str(self.properties_file))

    def _run(self, *flags: str) -> tuple[str, ...]:
        memory = (f"-Xmx{self.heap_megabytes}m", "-Xms128m")
        # What cannot go into an archive, or whether there is one, is no news.
        silence = ("-Xlog:cds=off", "-Xlog:cds+dynamic=off")
        return (*self._java(*memory, *silence, *flags), "kafka.Kafka", str(self.properties_file))

    def _java(self, *flags: str) -> tuple[str, ...]:
        return java_command(self.libraries, *flags)


def java_command(libraries: Path, *flags: str) -> tuple[str, ...]:
    """A small Java virtual machine that logs to standard output; the name of a class comes behind it."""
    logging = f"-Dlog4j2.configurationFile={_LOGGING}"
    return ("java", *flags, *_JVM_FLAGS, logging, "-cp", f"{libraries}/*")


def new_cluster_id() -> str:
    """16 random bytes in URL-safe base64 without padding: 22 characters. Kafka's tool refuses a leading dash."""
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return new_cluster_id() if text.startswith("-") else text


def server_properties(broker: Broker) -> str:
    """The whole server.properties: one node, small, strict about topics, quick to notice the dead."""
    client, controller = f"127.0.0.1:{broker.port}", f"127.0.0.1:{broker.controller_port}"
    listeners = f"PLAINTEXT://{client},CONTROLLER://{controller}"
    entries = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.bootstrap.servers": controller,
        "controller.listener.names": "CONTROLLER",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": broker.data,
        **_ONE_NODE,
        **_BEHAVIOUR,
        **SHORT_INTERNAL_TOPICS,
        **_SMALL,
    }
    return "".join(f"{key}={value}\n" for key, value in entries.items())


_ONE_NODE = {
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
}
_BEHAVIOUR = {
    # A typing error must not become a topic.
    "auto.create.topics.enable": "false",
    # A killed broker may register again only when its former self has timed out; the default is 9 s.
    "broker.session.timeout.ms": 3_000,
    "broker.heartbeat.interval.ms": 500,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    "message.max.bytes": 2_097_152,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
}
# A broker that starts reads its internal topics from their beginning, on one thread. They must be short: after a
# kill, Kafka (4.3, and 4.4 still) takes a partition of offsets away and gives it again within half a second, and
# a reading that is not over by then ends as if it were the new one. Groups then have no members and no offsets,
# until the coordinator stands still for good (docs/decisions/0017). So: one partition, small segments that can be
# compacted soon, and a short life for what compaction leaves of transactions.
SHORT_INTERNAL_TOPICS = {
    "offsets.topic.num.partitions": 1,
    "offsets.topic.segment.bytes": 1_048_576,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.segment.bytes": 1_048_576,
    "log.cleaner.backoff.ms": 5_000,
    "log.cleaner.delete.retention.ms": 120_000,
}
_SMALL = {
    "share.coordinator.state.topic.num.partitions": 1,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "log.cleaner.dedupe.buffer.size": 16_777_216,
}
