"""Assemblers as processes of their own on real Kafka and Valkey: killed, frozen, fed controls and bad records."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import open_tail
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.events import DeadLetter, JobControl, UsageBatch
from schemas.messages import Job, Message, TranslatedBatch, TranslationResult
from schemas.records import OutboundRecord
from schemas.states import ControlAction
from schemas.topics import CONTROL, DEAD_LETTERS, RESULTS, TRANSLATED, USAGE
from stream_apps.assembly.main import GROUP

pytestmark = pytest.mark.real

CODEC = Codec()
TIMEOUT_SECONDS = 60
SESSION_SECONDS = 6
QUIET_SECONDS = 2.0


class Tail:
    """Reads what is committed to a topic from the moment it was made."""

    def __init__(self, kafka: KafkaSettings, topic: str, kind: type[Message]):
        self._reader = open_tail(kafka, topic)
        self._kind = kind
        self.read: list[Any] = []

    def more(self, seconds: float):
        found = self._reader.take(5_000, seconds)
        self.read += [CODEC.decode(record.value, self._kind) for record in found if record.value is not None]
        return self.read

    def until(self, is_enough):
        end = time.monotonic() + TIMEOUT_SECONDS
        while not is_enough(self.read) and time.monotonic() < end:
            self.more(0.2)
        assert is_enough(self.read), f"{len(self.read)} messages after {TIMEOUT_SECONDS} s"
        return self.read

    def of(self, request_id: str):
        self.until(lambda read: any(one.request_id == request_id for one in read))
        return [one for one in self.read if one.request_id == request_id]

    def close(self):
        self._reader.close()


class Stack:
    """Kafka, Valkey, and as many assemblers as a test starts."""

    def __init__(self, kafka_bootstrap, redis_state_url, folder):
        self.kafka = KafkaSettings(bootstrap=kafka_bootstrap)
        self.admin = KafkaAdmin(self.kafka)
        self.admin.create_topics()
        self.log = folder / "assembly.log"
        self.state_url = redis_state_url
        self.producer = DurableProducer(self.kafka)
        self.processes = {}
        self.tails = {
            topic: Tail(self.kafka, topic, kind)
            for topic, kind in (
                (RESULTS, TranslationResult),
                (USAGE, UsageBatch),
                (DEAD_LETTERS, DeadLetter),
            )
        }
        self.results = self.tails[RESULTS]

    def start(self, instance: str):
        with self.log.open("ab") as log:
            self.processes[instance] = subprocess.Popen(
                [sys.executable, "-m", "stream_apps.assembly.main"],
                env={
                    **os.environ,
                    "DRAGOMAN_INSTANCE": instance,
                    "DRAGOMAN_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
                    "DRAGOMAN_KAFKA_SESSION_TIMEOUT_MS": str(SESSION_SECONDS * 1000),
                    "DRAGOMAN_REDIS_STATE_URL": self.state_url,
                    "PYTHONPATH": os.pathsep.join(sys.path),
                },
                stderr=log,
            )

    def kill(self, instance: str):
        process = self.processes.pop(instance)
        process.kill()
        process.wait()

    def stop(self, instance: str) -> int:
        process = self.processes.pop(instance)
        process.terminate()
        return process.wait(20)

    def send(self, *messages: JobControl | TranslatedBatch):
        self.producer.send([_record(message) for message in messages])

    def wait_until_idle(self):
        end = time.monotonic() + TIMEOUT_SECONDS
        while self._lag() and time.monotonic() < end:
            time.sleep(0.05)
        assert self._lag() == 0
        # Long enough for an answer that must not come, on all topics at the same time.
        end = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < end:
            for tail in self.tails.values():
                tail.more(0.05)

    def close(self):
        for instance in list(self.processes):
            # A process that leaves its group does not keep the next test waiting.
            self.stop(instance)
        self.producer.close()
        for tail in self.tails.values():
            tail.close()

    def _lag(self) -> int:
        # An open transaction's marker may stand behind the last record.
        return sum(max(lag.records - 1, 0) for lag in self.admin.lag(GROUP, [TRANSLATED, CONTROL]))


@contextmanager
def running(stack, *instances):
    for instance in instances:
        stack.start(instance)
    yield stack


@pytest.fixture
def stack(kafka_bootstrap, redis_state_url, tmp_path):
    stack = Stack(kafka_bootstrap, redis_state_url, tmp_path)
    yield stack
    stack.close()


def _record(message: JobControl | TranslatedBatch) -> OutboundRecord:
    topic = CONTROL if isinstance(message, JobControl) else TRANSLATED
    return OutboundRecord(topic, message.key.encode(), CODEC.encode(message))


def order(request_id: str, action: ControlAction, cause: str = "") -> JobControl:
    return JobControl(tenant="tests", request_id=request_id, action=action, cause=cause)


def batches_of(request_id: str, count: int) -> list[TranslatedBatch]:
    now = round(time.time() * 1000)
    job = Job(pipeline_version="v1", batches=count, segments=2 * count, words=7, accepted_at=now)
    return [
        TranslatedBatch(
            tenant="tests",
            request_id=request_id,
            batch_number=number,
            job=job,
            translations=(f"{request_id} {number} a.", f"{number} b."),
            gaps=(" ", "\n"),
            causes=(None, None),
            scores=(None, None),
            cached=(False, True),
            target_words=6,
        )
        for number in range(count)
    ]


def text_of(request_id: str, count: int) -> str:
    return "".join(f"{request_id} {number} a. {number} b.\n" for number in range(count))


def new_id() -> str:
    return f"asm-{uuid.uuid4().hex}"


def test_two_thousand_requests_have_one_answer_each_though_assemblers_are_killed_and_frozen(stack):
    chance = random.Random(11)
    sizes = {new_id(): chance.randint(1, 5) for _ in range(2_000)}
    log = [batch for request_id, count in sizes.items() for batch in batches_of(request_id, count)]
    log += chance.sample(log, len(log) // 10)
    chance.shuffle(log)
    third = len(log) // 3
    with running(stack, "assembly-a", "assembly-b"):
        stack.send(*log[:third])
        stack.kill("assembly-a")
        stack.start("assembly-a")
        stack.send(*log[third : 2 * third])
        stack.kill("assembly-b")
        stack.processes["assembly-a"].send_signal(signal.SIGSTOP)
        stack.start("assembly-b")
        stack.send(*log[2 * third :])
        time.sleep(SESSION_SECONDS + 2)
        stack.processes["assembly-a"].send_signal(signal.SIGCONT)
        stack.results.until(lambda read: sizes.keys() <= {one.request_id for one in read})
        # Duplicates once more, when all is answered: they must stay silent.
        stack.send(*chance.sample(log, 500))
        stack.wait_until_idle()
    mine = [one for one in stack.results.read if one.request_id in sizes]
    assert Counter(one.request_id for one in mine) == Counter(sizes.keys())
    assert {one.request_id: one.text for one in mine} == {name: text_of(name, n) for name, n in sizes.items()}
    assert {one.status for one in mine} == {"COMPLETED"}
    usage = [one for batch in stack.tails[USAGE].read for one in batch.events if one.request_id in sizes]
    assert (len(usage), sum(one.source_words for one in usage)) == (2_000, sum(one.source_words for one in mine))


def test_a_control_answers_an_open_request_and_late_batches_stay_silent(stack):
    request_id = new_id()
    first, last = batches_of(request_id, 2)
    with running(stack, "assembly-a"):
        stack.send(first)
        # Kafka keeps no order across two topics: the batch must be in its slot first.
        stack.wait_until_idle()
        stack.send(order(request_id, ControlAction.CANCEL, cause="cancelled_by_user"))
        (result,) = stack.results.of(request_id)
        stack.send(last, first)
        stack.wait_until_idle()
    assert (result.status, result.error_cause, result.tenant) == ("CANCELLED", "cancelled_by_user", "tests")
    assert len(stack.results.of(request_id)) == 1


def test_a_control_for_an_answered_request_stays_silent(stack):
    request_id = new_id()
    with running(stack, "assembly-a"):
        stack.send(*batches_of(request_id, 3))
        stack.results.of(request_id)
        stack.send(order(request_id, ControlAction.EXPIRE))
        stack.wait_until_idle()
    assert [result.status for result in stack.results.of(request_id)] == ["COMPLETED"]


def test_a_malformed_record_becomes_a_dead_letter_and_what_follows_is_answered(stack):
    request_id = new_id()
    with running(stack, "assembly-a"):
        stack.producer.send([OutboundRecord(TRANSLATED, request_id.encode(), b'{"not": "avro"}')])
        stack.send(*batches_of(request_id, 2))
        stack.results.of(request_id)
        dead_letters = stack.tails[DEAD_LETTERS].until(
            lambda read: any(one.key == request_id.encode() for one in read)
        )
    (dead_letter,) = [one for one in dead_letters if one.key == request_id.encode()]
    assert (dead_letter.stage, dead_letter.cause, dead_letter.topic, dead_letter.value) == (
        "assembly",
        "undecodable",
        TRANSLATED,
        b'{"not": "avro"}',
    )


def test_after_the_answer_redis_holds_the_result_and_a_marker_but_no_slots(stack):
    request_id = new_id()
    with running(stack, "assembly-a"), redis.Redis.from_url(stack.state_url) as state:
        stack.send(*batches_of(request_id, 2))
        stack.results.of(request_id)
        end = time.monotonic() + 5
        while state.exists(f"asm:{{tests/{request_id}}}") and time.monotonic() < end:
            time.sleep(0.05)
        encoded = state.get(f"result:{{tests/{request_id}}}")
        assert isinstance(encoded, bytes)
        assert CODEC.decode(encoded, TranslationResult).text == text_of(request_id, 2)
        assert {key.decode() for key in state.scan_iter(f"*{request_id}*")} == {
            f"done:{{tests/{request_id}}}",
            f"result:{{tests/{request_id}}}",
        }


def test_a_signal_ends_an_assembler_cleanly(stack):
    request_id = new_id()
    with running(stack, "assembly-a"):
        stack.send(*batches_of(request_id, 1))
        stack.results.of(request_id)
        assert stack.stop("assembly-a") == 0
