"""The broker of the one-machine stack: its configuration, its command, and the files it needs before it starts.

`python -m deploy.local.kafka_broker FILES LIBRARIES DATA PORT CONTROLLER_PORT` prepares those files before every
start: the jars, the class archive, the configuration and the formatted storage. A step is skipped when its result
is there already, and the cluster keeps its id.

The class archive holds the broker's classes in one file, which the JVM maps at the start instead of reading and
checking 90 jars. It is made once for each set of jars: an empty trial broker writes it when it stops. With it a
start takes 1.6 s and 2.0 CPU seconds instead of 3.3 to 4.8 s and 3.9 (two shared cores), which matters where many
processes start at once. A JVM that cannot use the archive starts without it.
"""

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.process_spec import is_port_free
from deploy.local.state_files import write_atomically

_FOLDER = Path(__file__).parent / "kafka"
POM = _FOLDER / "pom.xml"
_LOGGING = _FOLDER / "log4j2.yaml"

# Measured on two cores: with the first compiler only and the serial collector the broker starts in 1.8 s
# instead of 2.6 and needs half the CPU for its first 20 seconds, two thirds after that.
# Compiled after 60 calls of a method instead of 200 it spends a tenth more on its start and as much less on the
# first minute of single requests.
_JVM_FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:CompileThresholdScaling=0.3",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)

_ARCHIVE_TIMEOUT_SECONDS = 60.0
_POLL_SECONDS = 0.1

_ONE_NODE = {
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
}
_BEHAVIOUR = {
    # A misspelt name must not become a topic.
    "auto.create.topics.enable": "false",
    # A killed broker may register again only when its earlier session has timed out; the default is 9 s.
    "broker.session.timeout.ms": 3_000,
    "broker.heartbeat.interval.ms": 1_000,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    "message.max.bytes": 2_097_152,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
}
# A starting broker reads its internal topics from the beginning, on one thread, so they must be short. After a
# kill, Kafka (4.3, and still 4.4) unloads a partition of offsets and loads it again within half a second. If the
# first load is still running then, its result is taken for that of the second: groups have no members and no
# offsets, and in the end the coordinator stops for good (docs/decisions/0017). So: one partition, small segments
# that can be compacted soon, and short retention for what compaction leaves of transactions.
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
    "num.network.threads": 1,
    "num.io.threads": 2,
    "background.threads": 1,
    "group.coordinator.threads": 1,
    "share.coordinator.threads": 1,
    "metadata.max.idle.interval.ms": 5_000,
    "log.cleaner.dedupe.buffer.size": 16_777_216,
}


@dataclass(frozen=True)
class Broker:
    """One KRaft node, broker and controller in one process, on loopback. Paths are absolute."""

    files: Path
    libraries: Path
    data: Path
    port: int
    controller_port: int
    heap_megabytes: int = 512

    @property
    def properties_file(self) -> Path:
        """Return the path of its configuration."""
        return self.files / "server.properties"

    @property
    def class_archive(self) -> Path:
        """Return the path of its class archive, beside the jars that the classes come from."""
        return self.libraries / "classes.jsa"

    def run_command(self) -> tuple[str, ...]:
        """Return the command that runs the broker until SIGTERM."""
        return self._run(f"-XX:SharedArchiveFile={self.class_archive}")

    def archiving_command(self, archive: Path) -> tuple[str, ...]:
        """Return the command that runs the broker until SIGTERM and then writes that class archive."""
        return self._run(f"-XX:ArchiveClassesAtExit={archive}")

    def prepare_arguments(self) -> tuple[str, ...]:
        """Return the arguments of `python -m deploy.local.kafka_broker` for this broker."""
        paths = (self.files, self.libraries, self.data)
        return (*map(str, paths), str(self.port), str(self.controller_port))

    def format_command(self, cluster_id: str) -> tuple[str, ...]:
        """Return the command that formats the data folder, once, for a cluster of that id."""
        tool = ("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster_id)
        return (*self._java(), *tool, "-c", str(self.properties_file))

    def _run(self, *flags: str) -> tuple[str, ...]:
        memory = (f"-Xmx{self.heap_megabytes}m", "-Xms128m")
        # Without them the JVM warns of every class that the archive lacks, and of a missing archive.
        quiet = ("-Xlog:cds=off", "-Xlog:cds+dynamic=off")
        return (*self._java(*memory, *quiet, *flags), "kafka.Kafka", str(self.properties_file))

    def _java(self, *flags: str) -> tuple[str, ...]:
        return java_command(self.libraries, *flags)


def java_command(libraries: Path, *flags: str) -> tuple[str, ...]:
    """Return a command for a small JVM that logs to standard output; append the name of the main class."""
    logging = f"-Dlog4j2.configurationFile={_LOGGING}"
    return ("java", *flags, *_JVM_FLAGS, logging, "-cp", f"{libraries}/*")


def new_cluster_id() -> str:
    """Return 16 random bytes in URL-safe base64 without padding (22 characters), never with a leading dash.

    Kafka's tool takes a leading dash for an option.
    """
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return new_cluster_id() if text.startswith("-") else text


def server_properties(broker: Broker) -> str:
    """Return the whole server.properties: one node, small, strict about topics, quick to notice dead clients."""
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


def prepare(broker: Broker) -> None:
    """Make what is missing: jars, class archive, configuration, formatted storage.

    Raises CalledProcessError when a tool fails.
    """
    if not has_jars(broker.libraries):
        fetch_jars(broker.libraries)
    if not broker.class_archive.exists():
        make_class_archive(broker)
    write_atomically(broker.properties_file, server_properties(broker))
    if not is_formatted(broker.data):
        broker.data.mkdir(parents=True, exist_ok=True)
        subprocess.run(broker.format_command(new_cluster_id()), check=True)


def has_jars(libraries: Path, pom: Path = POM) -> bool:
    """Tell whether all jars of exactly this pom.xml are there."""
    stamp = _stamp(libraries)
    return stamp.exists() and stamp.read_text() == _hash_of(pom)


def fetch_jars(libraries: Path, pom: Path = POM) -> None:
    """Fetch about 55 MB from Maven's repository. The folder gets its name last, so a failed fetch is repeated."""
    # Maven would take a relative path from the folder of the pom.
    fetched = libraries.absolute().with_name(f"{libraries.name}.{os.getpid()}")
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={fetched}", "-DincludeScope=runtime")
    subprocess.run(("mvn", "-q", "-B", "-f", str(pom), *goal), check=True)
    write_atomically(_stamp(fetched), _hash_of(pom))
    shutil.rmtree(libraries, ignore_errors=True)
    fetched.rename(libraries)


def make_class_archive(broker: Broker) -> None:
    """Write the class archive with a trial broker on the same ports; takes about eight seconds.

    The broker itself must not be running yet. Leaves no archive where this Java cannot make one.
    """
    unfinished = broker.class_archive.with_name(f"{broker.class_archive.name}.{os.getpid()}")
    with TemporaryDirectory(prefix="dragoman-kafka-") as folder:
        trial = replace(broker, files=Path(folder) / "files", data=Path(folder) / "data")
        write_atomically(trial.properties_file, server_properties(trial))
        subprocess.run(trial.format_command(new_cluster_id()), check=True)
        _start_and_stop(trial, unfinished)
    if unfinished.exists():
        unfinished.rename(broker.class_archive)
    else:
        print("this Java makes no archive of classes; brokers start without one", file=sys.stderr)


def is_formatted(data: Path) -> bool:
    """Tell whether the storage is formatted. Kafka writes this file last when it formats."""
    return (data / "meta.properties").exists()


def main() -> None:
    """Prepare the broker named on the command line. Exits with 1 when a tool failed, which has said why itself."""
    files, libraries, data, port, controller_port = sys.argv[1:]
    try:
        prepare(Broker(Path(files), Path(libraries), Path(data), int(port), int(controller_port)))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{Path(error.cmd[0]).name} failed with code {error.returncode}")


def _start_and_stop(trial: Broker, archive: Path) -> None:
    with subprocess.Popen(trial.archiving_command(archive)) as process:
        try:
            end = time.monotonic() + _ARCHIVE_TIMEOUT_SECONDS
            while is_port_free(trial.port) and process.poll() is None and time.monotonic() < end:
                time.sleep(_POLL_SECONDS)
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ARCHIVE_TIMEOUT_SECONDS)
        finally:
            process.kill()


def _stamp(libraries: Path) -> Path:
    return libraries / "complete"


def _hash_of(pom: Path) -> str:
    return hashlib.sha256(pom.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
