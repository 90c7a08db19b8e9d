"""The status projection as a process of its own on real Kafka and Valkey, killed in the middle."""

import os
import random
import subprocess
import sys
import time
import uuid
from typing import Any

import pytest
import redis

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from connectors.redis.job_view import JobViews
from schemas.codec import Codec
from schemas.events import JobEvent
from schemas.records import OutboundRecord
from schemas.states import JobStage, ResultStatus
from schemas.topics import STATUS

pytestmark = pytest.mark.real

CODEC = Codec()
TIMEOUT_SECONDS = 60
JOBS, BATCHES = 200, 3


@pytest.fixture
def producer(kafka_bootstrap):
    kafka = KafkaSettings(bootstrap=kafka_bootstrap)
    KafkaAdmin(kafka).create_topics()
    producer = DurableProducer(kafka)
    yield producer
    producer.close()


@pytest.fixture
def start(kafka_bootstrap, redis_state_url, tmp_path):
    running = []

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "status.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "stream_apps.status.main"],
                env={
                    **os.environ,
                    "DRAGOMAN_INSTANCE": "status-test",
                    "DRAGOMAN_KAFKA_BOOTSTRAP": kafka_bootstrap,
                    "DRAGOMAN_KAFKA_SESSION_TIMEOUT_MS": "6000",
                    "DRAGOMAN_KAFKA_STATIC_MEMBERSHIP": "true",
                    "DRAGOMAN_REDIS_STATE_URL": redis_state_url,
                    "PYTHONPATH": os.pathsep.join(sys.path),
                },
                stderr=log,
            )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def views(redis_state_url):
    with redis.Redis.from_url(redis_state_url) as state:
        yield JobViews(state)


def story(request_id: str) -> list[JobEvent]:
    now = round(time.time() * 1000)
    job: dict[str, Any] = {
        "request_id": request_id,
        "tenant": "tests",
        "priority": "high",
        "batches": BATCHES,
        "submitted_at": now,
    }
    size: dict[str, Any] = {"segments": 2 * BATCHES, "words": 10 * BATCHES}
    return [
        JobEvent(stage=JobStage.SEGMENTED, at=now + 1, **size, **job),
        *[
            JobEvent(stage=JobStage.TRANSLATED, batch_number=number, segments=2, words=10, at=now + 2, **job)
            for number in range(BATCHES)
        ],
        JobEvent(stage=JobStage.FINISHED, status=ResultStatus.COMPLETED, at=now + 3, **size, **job),
    ]


def send(producer: DurableProducer, events: list[JobEvent]) -> None:
    producer.send([OutboundRecord(STATUS, event.request_id.encode(), CODEC.encode(event)) for event in events])


def test_every_job_is_seen_finished_though_events_are_shuffled_repeated_and_the_process_is_killed(
    producer, start, views
):
    chance = random.Random(3)
    names = [f"job-{uuid.uuid4().hex}" for _ in range(JOBS)]
    events = [event for name in names for event in story(name)]
    events += chance.sample(events, 100)
    chance.shuffle(events)
    process = start()
    send(producer, events[: len(events) // 2])
    _wait(lambda: any(views.read(name) for name in names))
    process.kill()
    process.wait()
    send(producer, events[len(events) // 2 :])
    start()
    _wait(lambda: all((view := views.read(name)) and view.batches_done == BATCHES for name in names))
    _wait(lambda: all((view := views.read(name)) and view.status for name in names))
    for view in filter(None, map(views.read, names)):
        assert (view.stage, view.status, view.progress, view.tenant) == ("FINISHED", "COMPLETED", 1.0, "tests")
        assert (view.batches_done, view.segments_done, view.words_done) == (BATCHES, 2 * BATCHES, 10 * BATCHES)


def _wait(is_so) -> None:
    end = time.monotonic() + TIMEOUT_SECONDS
    while not is_so() and time.monotonic() < end:
        time.sleep(0.05)
    assert is_so()
