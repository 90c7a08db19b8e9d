"""Intake as a process of its own on real Kafka and Valkey: killed, stopped, fed malformed records."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections import defaultdict
from contextlib import contextmanager

import pytest
import redis
from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.events import DeadLetter, JobControl
from schemas.messages import SegmentBatch, TranslationRequest
from schemas.priorities import Priority
from schemas.records import OutboundRecord
from schemas.topics import CONTROL, DEAD_LETTERS, batches_topic, requests_topic
from tests.ports import free_port

pytestmark = pytest.mark.real

CODEC = Codec()
TIMEOUT_SECONDS = 60


class Stack:
    """Kafka, Valkey, and as many intake processes as a test starts."""

    def __init__(self, kafka_bootstrap, redis_state_url, redis_cache_url, folder):
        self.run = uuid.uuid4().hex[:8]
        self.kafka = KafkaSettings(bootstrap=kafka_bootstrap)
        self.admin = KafkaAdmin(self.kafka)
        self.admin.create_topics()
        self.starts = self._ends()
        self.log = folder / "intake.log"
        self.state_url = redis_state_url
        self.health_port = free_port()
        self.environment = {
            **os.environ,
            "DRAGOMAN_KAFKA_BOOTSTRAP": kafka_bootstrap,
            "DRAGOMAN_HEALTH_PORT": str(self.health_port),
            "DRAGOMAN_KAFKA_SESSION_TIMEOUT_MS": "6000",
            "DRAGOMAN_KAFKA_STATIC_MEMBERSHIP": "true",
            "DRAGOMAN_FAUST_LAG_INTERVAL_SECONDS": "1",
            "DRAGOMAN_FAUST_COMMIT_INTERVAL_SECONDS": "0.25",
            "DRAGOMAN_REDIS_CACHE_URL": redis_cache_url,
            "DRAGOMAN_REDIS_STATE_URL": redis_state_url,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    @contextmanager
    def intake(self, instance="intake-0", **environment):
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "stream_apps.intake.main"],
                env={**self.environment, "DRAGOMAN_INSTANCE": instance, **environment},
                stderr=log,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def send(self, requests, topic):
        producer = DurableProducer(self.kafka)
        producer.send([OutboundRecord(topic, one.key.encode(), CODEC.encode(one)) for one in requests])
        producer.close()

    def send_bytes(self, value, topic):
        producer = DurableProducer(self.kafka)
        producer.send([OutboundRecord(topic, b"k", value)])
        producer.close()

    def requests(self, count, sentences=1, **fields):
        text = " ".join("The engine is cold." for _ in range(sentences))
        return [
            TranslationRequest(
                request_id=f"{self.run}-{number}", source_language="en", target_language="pt", text=text, **fields
            )
            for number in range(count)
        ]

    def read(self, topic, message):
        """Return everything written to the topic since the start of the test."""
        return [CODEC.decode(record.value(), message) for record in self.records(topic) if record.value()]

    def written_at(self, priority):
        """Return when Kafka stored each batch, in milliseconds."""
        return [record.timestamp()[1] for record in self.records(batches_topic("default", priority))]

    def records(self, topic):
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "group.id": f"reader-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        partitions = [
            TopicPartition(topic, number, at) for (name, number), at in self.starts.items() if name == topic
        ]
        consumer.assign(partitions)
        found, ended = [], 0
        while ended < len(partitions):
            for record in consumer.consume(500, 0.1):
                if record.error():
                    ended += 1
                else:
                    found.append(record)
        consumer.close()
        return found

    def batches(self, priority=Priority.STANDARD):
        """Return the numbers of the batches of each request, and how many it should have."""
        numbers, wanted = defaultdict(list), {}
        for batch in self.read(batches_topic("default", priority), SegmentBatch):
            numbers[batch.request_id].append(batch.batch_number)
            wanted[batch.request_id] = batch.job.batches
        return numbers, wanted

    def lag(self):
        topics = [requests_topic(priority) for priority in Priority]
        return sum(one.records for one in self.admin.lag("intake", topics))

    def wait_for(self, condition, what):
        end = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            assert time.monotonic() < end, f"{what}; {self.log.read_text()[-3000:]}"
            time.sleep(0.05)

    def wait_until_ready(self):
        self.wait_for(lambda: self.status_of("ready") == 200, "never ready")

    def status_of(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/{path}", timeout=2) as answer:
                return answer.status
        except OSError:
            return 0

    def _ends(self):
        return {
            (one.topic, one.partition): one.end
            for one in self.admin.lag("nobody", list(self.admin.partitions()))
            if not one.topic.startswith("__")
        }


@pytest.fixture
def stack(kafka_bootstrap, redis_state_url, redis_cache_url, tmp_path):
    stack = Stack(kafka_bootstrap, redis_state_url, redis_cache_url, tmp_path)
    with redis.Redis.from_url(redis_state_url) as client:
        client.delete("models:default")
    return stack


def is_complete(stack, requests, priority=Priority.STANDARD):
    numbers, wanted = stack.batches(priority)
    return all(
        one.request_id in wanted and set(numbers[one.request_id]) == set(range(wanted[one.request_id]))
        for one in requests
    )


def test_killed_in_the_middle_every_request_still_has_all_its_batches(stack):
    requests = stack.requests(1000, sentences=40)
    stack.send(requests, requests_topic(Priority.STANDARD))
    for _ in range(3):
        with stack.intake() as intake:
            before = stack.lag()
            stack.wait_for(lambda: stack.lag() < before, "no progress")  # noqa: B023  # called at once
            intake.send_signal(signal.SIGKILL)
            intake.wait()
        if not stack.lag():
            break
    with stack.intake():
        stack.wait_for(lambda: stack.lag() == 0, "lag remains")
    assert is_complete(stack, requests)


def test_a_terminated_process_finishes_and_commits_what_it_has_in_hand(stack):
    stack.send(stack.requests(300), requests_topic(Priority.STANDARD))
    with stack.intake() as intake:
        stack.wait_for(lambda: stack.lag() == 0, "lag remains")
        intake.terminate()
        assert intake.wait(timeout=20) == 0
    numbers, _ = stack.batches()
    assert sorted(numbers.values()) == [[0]] * 300
    with stack.intake():
        stack.wait_until_ready()
        time.sleep(1)
    assert stack.batches()[0] == numbers


def test_a_critical_request_overtakes_a_flood_of_standard_ones(stack):
    flood = stack.requests(5000, sentences=40)
    stack.send(flood, requests_topic(Priority.STANDARD))
    urgent = TranslationRequest(
        request_id=f"{stack.run}-urgent", source_language="en", target_language="pt", text="Fire!"
    )
    with stack.intake():
        before = stack.lag()
        stack.wait_for(lambda: stack.lag() < before, "no progress")
        stack.send([urgent], requests_topic(Priority.CRITICAL))
        stack.wait_for(lambda: stack.lag() == 0, "lag remains")
    (served_at,) = stack.written_at(Priority.CRITICAL)
    assert sum(at > served_at for at in stack.written_at(Priority.STANDARD)) > 500


def test_malformed_records_become_dead_letters_and_hold_nothing_up(stack):
    topic = requests_topic(Priority.HIGH)
    good, empty = stack.requests(2)
    empty = TranslationRequest(request_id=empty.request_id, target_language="pt", text=" ")
    stack.send_bytes(b'{"text": "hello"}', topic)
    stack.send_bytes(b"\xc3\x01rubbish", topic)
    stack.send([empty, good], topic)
    with stack.intake():
        stack.wait_for(lambda: stack.lag() == 0, "lag remains")
    causes = sorted(dead_letter.cause for dead_letter in stack.read(DEAD_LETTERS, DeadLetter))
    assert causes == ["empty_text", "undecodable", "undecodable"]
    (control,) = stack.read(CONTROL, JobControl)
    assert (control.request_id, control.action) == (empty.request_id, "FAIL")
    assert is_complete(stack, [good], Priority.HIGH)


def test_a_repeated_request_is_dropped_by_another_process(stack):
    requests = stack.requests(20)
    for instance in ("intake-0", "intake-1"):
        stack.send(requests, requests_topic(Priority.STANDARD))
        with stack.intake(instance) as intake:
            stack.wait_for(lambda: stack.lag() == 0, "lag remains")
            intake.terminate()
            intake.wait(timeout=20)
    assert sorted(stack.batches()[0].values()) == [[0]] * 20


def test_without_redis_requests_wait_and_none_is_lost(stack):
    requests = stack.requests(50)
    stack.send(requests, requests_topic(Priority.STANDARD))
    with stack.intake(DRAGOMAN_REDIS_STATE_URL="redis://127.0.0.1:1/0") as intake:
        stack.wait_for(lambda: "event_retried" in stack.log.read_text(), "it did not notice")
        intake.terminate()
        assert intake.wait(timeout=30) == 0
    assert stack.lag() == 50
    with stack.intake():
        stack.wait_for(lambda: stack.lag() == 0, "lag remains")
    assert is_complete(stack, requests)


def test_without_its_topics_it_refuses_to_start(stack):
    with stack.intake(DRAGOMAN_KAFKA_POOLS='["default", "missing"]', DRAGOMAN_FAUST_STARTUP_SECONDS="1") as intake:
        assert intake.wait(timeout=20) == 70
    assert "translation.batches.missing.critical" in stack.log.read_text()


def test_readiness_tells_whether_partitions_are_assigned(stack):
    with stack.intake():
        stack.wait_until_ready()
        assert stack.status_of("health") == 200
