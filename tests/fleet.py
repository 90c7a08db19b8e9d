"""Processes of ours, started one by one on real Kafka and Valkey, for tests of what happens between them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import open_tail
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.messages import Job, Message, SegmentBatch, TranslatedBatch, TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import OutboundRecord
from schemas.topics import RESULTS, TRANSLATED, batches_topic, requests_topic
from tests.ports import free_port

CODEC = Codec()
SESSION_SECONDS = 6
TIMEOUT_SECONDS = 60
FROZEN_PROCESS = Path(__file__).parent / "integration" / "frozen_process.py"


class Fleet:
    """Starts, stops and freezes processes. `close` ends them all."""

    def __init__(self, servers: Any, folder: Path) -> None:
        self.servers = servers
        self.kafka = KafkaSettings(bootstrap=servers.kafka_bootstrap)
        KafkaAdmin(self.kafka).create_topics()
        self.folder = folder
        (folder / "objects").mkdir(exist_ok=True)
        self.producer = DurableProducer(self.kafka)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.health_ports: dict[str, int] = {}
        self.answers = {
            "intake": Answers(self.kafka, batches_topic("default", Priority.HIGH), SegmentBatch),
            "worker": Answers(self.kafka, TRANSLATED, TranslatedBatch),
            "assembly": Answers(self.kafka, RESULTS, TranslationResult),
        }

    def start(
        self, module: str, name: str, *, freeze_before: str = "", script: Sequence[str] = (), **environment: str
    ) -> None:
        """Start the module as a process of that name; its standard error goes to the log of that name.

        A `script` with its arguments takes the place of the module.
        """
        started = script or ([str(FROZEN_PROCESS), module, freeze_before] if freeze_before else ["-m", module])
        port = self.health_ports[name] = free_port()
        own = {"DRAGOMAN_INSTANCE": name, "DRAGOMAN_HEALTH_PORT": str(port)}
        with self._log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *started],
                env=self._environment() | own | environment,
                stderr=log,
            )

    def wait_until_frozen(self, name: str) -> None:
        """Wait until the process has stopped itself, with records in hand."""
        _, status = os.waitpid(self.processes[name].pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"{name} ended instead: {self._log(name).read_text()}"

    def thaw(self, name: str) -> None:
        """Let it continue where it stopped."""
        self.processes[name].send_signal(signal.SIGCONT)

    def kill(self, name: str) -> None:
        """Send SIGKILL, and return when the process is gone."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(TIMEOUT_SECONDS)

    def stop(self, name: str, timeout_seconds: float = 30.0) -> int:
        """Send SIGTERM; return the exit code."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(timeout_seconds)

    def wait_until_ready(self, name: str) -> None:
        """Wait until its `/ready` answers 200."""

        def is_ready() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{self.health_ports[name]}/ready").is_success
            except httpx.TransportError:
                return False

        until(is_ready, f"readiness of {name}")

    def exit_code(self, name: str) -> int:
        """Return the exit code of a process that ends by itself."""
        return self.processes.pop(name).wait(TIMEOUT_SECONDS)

    def events(self, name: str, event: str) -> list[dict[str, Any]]:
        """Return the lines with that event in its log."""
        lines = self._log(name).read_text().splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in found if line["event"] == event]

    def wait_for_event(self, name: str, event: str, after: int = 0) -> dict[str, Any]:
        """Wait for that event in its log; return the first one behind `after` earlier ones."""
        until(lambda: len(self.events(name, event)) > after, f"{event} in the log of {name}")
        return self.events(name, event)[after]

    def cpu_seconds(self, name: str) -> float:
        """Return the user and system time it has used."""
        fields = Path(f"/proc/{self.processes[name].pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send(self, messages: Sequence[TranslationRequest | SegmentBatch | TranslatedBatch]) -> None:
        """Send each to the topic of its type, spread over the partitions."""
        topic: dict[type[Message], str] = {
            TranslationRequest: requests_topic(Priority.HIGH),
            SegmentBatch: batches_topic("default", Priority.HIGH),
            TranslatedBatch: TRANSLATED,
        }
        self.producer.send(
            [
                OutboundRecord(topic[type(one)], one.key.encode(), CODEC.encode(one), {}, at % 6)
                for at, one in enumerate(messages)
            ]
        )

    def close(self) -> None:
        """Stop every process. One that leaves its group does not keep the next test waiting."""
        for name in list(self.processes):
            self.thaw(name)
            self.stop(name)
        self.producer.close()
        for answers in self.answers.values():
            answers.close()

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DRAGOMAN_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "DRAGOMAN_KAFKA_SESSION_TIMEOUT_MS": str(SESSION_SECONDS * 1000),
            "DRAGOMAN_REDIS_STATE_URL": self.servers.redis_state_url,
            "DRAGOMAN_REDIS_CACHE_URL": self.servers.redis_cache_url,
            "DRAGOMAN_OBJECTS_URL": (self.folder / "objects").as_uri(),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


class Answers:
    """Reads what is committed to a topic from the moment it was made."""

    def __init__(self, kafka: KafkaSettings, topic: str, kind: type[Message]) -> None:
        self._reader = open_tail(kafka, topic)
        self._kind = kind
        self.read: list[Any] = []

    def counts(self, seconds: float = 0.0) -> Counter[str]:
        """Read for that many seconds; count the answers per request."""
        found = self._reader.take(5_000, seconds)
        self.read += [CODEC.decode(record.value, self._kind) for record in found]
        return Counter(one.request_id for one in self.read)

    def wait_for(self, request_ids: Sequence[str]) -> None:
        """Wait until each request has at least one answer."""
        until(lambda: set(request_ids) <= self.counts(0.3).keys(), "all answers")

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()


def until(is_so: Callable[[], object], what: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
    """Wait until `is_so` returns something true."""
    end = time.monotonic() + timeout_seconds
    while not is_so():
        assert time.monotonic() < end, f"no {what} in {timeout_seconds:g} s"
        time.sleep(0.05)


def to_segment(request_ids: Sequence[str]) -> list[TranslationRequest]:
    """Make one request of one sentence for each."""
    return [
        TranslationRequest(
            request_id=request_id,
            text=f"The house number {number} is green.",
            source_language="en",
            target_language="pt",
            tenant="tests",
            submitted_at=time.time_ns() // 1_000_000,
        )
        for number, request_id in enumerate(request_ids)
    ]


def to_translate(request_ids: Sequence[str]) -> list[SegmentBatch]:
    """Make one batch of one sentence for each."""
    return [
        SegmentBatch(
            tenant="tests",
            request_id=request_id,
            batch_number=0,
            job=_job(),
            texts=(f"The house number {number} is green.",),
            translations=(None,),
            scores=(None,),
            gaps=("",),
            source_words=6,
        )
        for number, request_id in enumerate(request_ids)
    ]


def to_assemble(request_ids: Sequence[str]) -> list[TranslatedBatch]:
    """Make the only batch of each."""
    return [
        TranslatedBatch(
            tenant="tests",
            request_id=request_id,
            batch_number=0,
            job=_job(),
            translations=("A casa é verde.",),
            gaps=("",),
            causes=(None,),
            scores=(None,),
            cached=(False,),
            target_words=4,
        )
        for request_id in request_ids
    ]


def _job() -> Job:
    return Job(
        pipeline_version="v1",
        source_language="en",
        target_language="pt",
        priority="high",
        batches=1,
        segments=1,
        words=6,
        accepted_at=time.time_ns() // 1_000_000,
    )
