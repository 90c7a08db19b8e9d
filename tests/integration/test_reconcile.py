"""Reconciling on a real broker: what is lost is sent again as it was, everything else is left alone."""

import time
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import open_tail, scanning
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import DeadLetter
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import OutboundRecord
from schemas.slots import RequestRevision
from schemas.topics import (
    ASSEMBLY_GROUP,
    CONTROL,
    DEAD_LETTERS,
    INTAKE_GROUP,
    RESULTS,
    TRANSLATED,
    all_request_topics,
    batches_topic,
    inference_group,
    requests_topic,
)
from stream_apps.repair.following import FollowingReconciler
from stream_apps.repair.open_requests import LossPolicy
from stream_apps.repair.reconcile import ReconcileLimits, Reconciler, ReconcileReport
from tests.fleet import until
from tests.keys import key

pytestmark = [pytest.mark.real, pytest.mark.slow]

CODEC = Codec()
TOPIC = requests_topic(Priority.HIGH)


class World:
    """A broker on which every group can be told to have read everything."""

    def __init__(self, bootstrap: str) -> None:
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.admin = KafkaAdmin(self.kafka)
        self.admin.create_topics()
        self.producer = DurableProducer(self.kafka)
        self.began_ms = now_ms()
        self.reopened: list[RequestRevision] = []

    def send(self, topic: str, name: str, value: bytes) -> None:
        self.producer.send([OutboundRecord(topic, name.encode(), value, {"tenant": b"tests"})])

    def request(self, **fields: Any) -> str:
        request_id = str(fields.pop("request_id", uuid.uuid4()))
        value = CODEC.encode(TranslationRequest(request_id=request_id, target_language="pt", text="a", **fields))
        self.send(TOPIC, str(key(request_id)), value)
        return request_id

    def result(self, request_id: str) -> None:
        self.send(RESULTS, str(key(request_id)), CODEC.encode(TranslationResult(request_id=request_id)))

    def work_off(self, group: str, topics: list[str]) -> None:
        """The group has committed everything in the topics.

        By decree: a member that reads has no way to the offsets of markers and aborted records at an end, which
        tests before this one leave there.
        """
        until(lambda: self._rests(group), f"rest of {group}")
        ends = {(topic, number): end for topic in topics for number, end in self.admin.ends(topic).items()}
        self.admin.move_group(group, ends)

    def work_all_off(self) -> None:
        self.work_off(INTAKE_GROUP, all_request_topics(()))
        for priority in Priority:
            self.work_off(inference_group("default", priority), [batches_topic("default", priority)])
        self.work_off(ASSEMBLY_GROUP, [TRANSLATED, CONTROL])

    def reopen(self, requests: Sequence[RequestRevision]) -> None:
        self.reopened += requests

    def reconcile(self, *, most_ids: int = 1_000, is_dry_run: bool = False) -> ReconcileReport:
        limits = ReconcileLimits(LossPolicy(0, 3), most_ids)
        reconciler = Reconciler(self.kafka, self.admin, self.producer, CODEC, limits, now_ms, self.reopen)
        return reconciler.reconcile(self.began_ms, lambda *_: None, is_dry_run=is_dry_run)

    def following(self) -> FollowingReconciler:
        limits = ReconcileLimits(LossPolicy(0, 3), 1_000)
        return FollowingReconciler(Reconciler(self.kafka, self.admin, self.producer, CODEC, limits, now_ms))

    def _rests(self, group: str) -> bool:
        try:
            return self.admin.members(group) == 0
        except TransientError:
            return False  # a broker that has just started is still reading its groups


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def world(kafka_bootstrap):
    world = World(kafka_bootstrap)
    yield world
    world.producer.close()


def test_what_is_lost_is_sent_again_as_it_was_and_only_once_while_it_is_on_its_way(world):
    answered, lost = world.request(), world.request(metadata={"ticket": "7"})
    world.result(answered)
    reused = world.request(request_id=lost, metadata={"ticket": "8"})
    world.send(TOPIC, "rubbish", b"rubbish")
    assert reused == lost
    world.work_all_off()
    requests = open_tail(world.kafka, TOPIC)
    assert world.reconcile(is_dry_run=True).lost == 1
    found = world.reconcile()
    assert (found.answered, found.lost, found.redriven, found.unanswerable) == (1, 1, 1, 1)
    (copy,) = [record for record in requests.take(100, 3.0) if record.key == key(lost).encode()]
    assert copy.headers == {"tenant": b"tests", "redrive": b"1"}
    assert CODEC.decode(copy.value, TranslationRequest).metadata == {"ticket": "7"}
    again = world.reconcile()
    assert (again.lost, again.on_their_way) == (0, 1)
    world.result(lost)
    world.work_all_off()
    assert world.reconcile(most_ids=2).lost == 0
    requests.close()


def test_what_was_sent_again_and_worked_off_in_vain_is_reopened(world):
    lost = world.request()
    world.work_all_off()
    assert world.reconcile().redriven == 1
    assert world.reopened == []
    world.work_all_off()
    assert world.reconcile().redriven == 1
    assert world.reopened == [RequestRevision(key(lost))]


def test_comparisons_that_read_only_what_is_new_send_again_what_is_lost_until_it_is_answered(world):
    answered, lost = world.request(), world.request()
    world.result(answered)
    world.work_all_off()
    following = world.following()
    first = following.compare(world.began_ms, lambda *_: None)
    assert (first.answered, first.lost, first.redriven) == (1, 1, 1)
    # The copy is under way until intake has committed it.
    second = following.compare(world.began_ms, lambda *_: None)
    assert (second.answered, second.lost, second.on_their_way) == (0, 0, 1)
    world.result(lost)
    world.request(request_id=answered)
    world.work_all_off()
    third = following.compare(world.began_ms, lambda *_: None)
    assert (third.answered, third.lost, third.on_their_way) == (1, 0, 0)


def test_what_intake_refused_without_an_answer_is_left_alone(world):
    refused = world.request()
    record = next(record for record in _records(world, TOPIC) if record.key == key(refused).encode())
    dead_letter = DeadLetter(
        dead_letter_id=str(uuid.uuid4()),
        stage="intake",
        cause="bad_request_id",
        message="",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )
    world.send(DEAD_LETTERS, dead_letter.dead_letter_id, CODEC.encode(dead_letter))
    world.work_all_off()
    found = world.reconcile()
    assert (found.lost, found.unanswerable) == (0, 1)


def _records(world, topic):
    with scanning(world.kafka, world.admin.spans([topic])) as scan:
        return [record for records in scan.until_done(1_000) for record in records]
