"""A process that wakes up after its partitions moved cannot answer a second time. Real processes, real Kafka."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.kafka.admin import KafkaAdmin
from schemas.priorities import Priority
from schemas.topics import batches_topic, inference_group
from tests.fleet import to_assemble, to_translate, until

pytestmark = [pytest.mark.real, pytest.mark.slow]

TOPIC, GROUP = batches_topic("default", Priority.HIGH), inference_group("default", Priority.HIGH)
THROWN_OUT = ("UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "thrown out of group")
FENCED = ("_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH")


@dataclass(frozen=True)
class Kind:
    """A transactional process, and what to feed it with."""

    name: str
    module: str
    work: Callable[..., Any]
    failed: str
    begun: str


WORKER = "inference_workers.main"
ASSEMBLY = Kind("assembly", "stream_apps.assembly.main", to_assemble, "process_failed", "process_started")


def new_ids(count):
    return [f"zombie-{uuid.uuid4().hex}" for _ in range(count)]


@pytest.mark.parametrize("moment", ["_write", "commit"], ids=["after-it-claimed", "before-it-claims"])
def test_a_frozen_assembly_cannot_answer_twice_and_works_on(fleet, moment):
    kind = ASSEMBLY
    first, later = new_ids(6), new_ids(30)
    fleet.start(kind.module, "zombie", freeze_before=moment)
    fleet.send(kind.work(first))
    fleet.wait_until_frozen("zombie")
    fleet.start(kind.module, "successor")
    answers = fleet.answers[kind.name]
    answers.wait_for(first)
    # The first assembler of all has rebuilt the empty state, and tried its records again after that.
    earlier = len(fleet.events("zombie", "cycle_retried"))
    fleet.thaw("zombie")
    error = fleet.wait_for_event("zombie", "cycle_retried", after=earlier)["error"]
    print(f"{kind.name}, {moment}: {error}")
    assert any(name in error for name in (THROWN_OUT if moment == "commit" else THROWN_OUT[:2]))
    fleet.send(kind.work(later))
    answers.wait_for(later)
    # The successor leaves: whoever was a zombie must be a member that works.
    assert fleet.stop("successor") == 0
    last = new_ids(6)
    fleet.send(kind.work(last))
    answers.wait_for(last)
    counts = answers.counts(2.0)
    assert {one: counts[one] for one in first + later + last} == dict.fromkeys(first + later + last, 1)


def test_a_process_frozen_in_an_open_transaction_is_fenced_by_its_time_out(fleet):
    kind = ASSEMBLY
    ids = new_ids(6)
    fleet.start(kind.module, "zombie", freeze_before="_commit", DRAGOMAN_KAFKA_TRANSACTION_TIMEOUT_MS="8000")
    fleet.send(kind.work(ids))
    fleet.wait_until_frozen("zombie")
    fleet.start(kind.module, "successor")
    answers = fleet.answers[kind.name]
    # Until the broker has aborted the transaction, the successor may not start before nor behind it.
    answers.wait_for(ids)
    fleet.thaw("zombie")
    assert fleet.exit_code("zombie") != 0
    error = fleet.wait_for_event("zombie", kind.failed)["error"]
    print(f"{kind.name}: {error}")
    assert any(name in error for name in FENCED)
    counts = answers.counts(2.0)
    assert {one: counts[one] for one in ids} == dict.fromkeys(ids, 1)


def test_of_two_processes_with_one_name_the_older_is_fenced(fleet):
    kind = ASSEMBLY
    fleet.start(kind.module, "older", DRAGOMAN_INSTANCE="one-name")
    ids = new_ids(6)
    fleet.send(kind.work(ids))
    answers = fleet.answers[kind.name]
    answers.wait_for(ids)
    fleet.start(kind.module, "younger", DRAGOMAN_INSTANCE="one-name")
    fleet.wait_for_event("younger", kind.begun)
    more = new_ids(60)
    fleet.send(kind.work(more))
    assert fleet.exit_code("older") != 0
    error = fleet.wait_for_event("older", kind.failed)["error"]
    print(f"{kind.name}: {error}")
    assert any(name in error for name in FENCED)
    answers.wait_for(more)
    counts = answers.counts(2.0)
    assert {one: counts[one] for one in ids + more} == dict.fromkeys(ids + more, 1)


@pytest.mark.parametrize("moment", ["send_async", "commit"], ids=["before-it-sends", "before-it-commits"])
def test_a_frozen_worker_can_only_repeat_itself_and_works_on(fleet, moment):
    first, later, last = new_ids(6), new_ids(30), new_ids(6)
    fleet.start(ASSEMBLY.module, "assembly")
    fleet.start(WORKER, "zombie", freeze_before=moment)
    fleet.send(to_translate(first))
    fleet.wait_until_frozen("zombie")
    fleet.start(WORKER, "successor")
    fleet.wait_until_ready("successor")
    translated, results = fleet.answers["worker"], fleet.answers["assembly"]
    translated.wait_for(first)
    earlier = committed(fleet)
    fleet.thaw("zombie")
    fleet.send(to_translate(later))
    translated.wait_for(later)
    # The successor leaves: whoever was a zombie must be a member that works.
    assert fleet.stop("successor") == 0
    fleet.send(to_translate(last))
    translated.wait_for(last)
    every = first + later + last
    results.wait_for(every)
    counts, repeats = results.counts(2.0), translated.counts(0.5).total() - len(every)
    print(f"frozen before {moment}: {repeats} batches came twice")
    assert {one: counts[one] for one in every} == dict.fromkeys(every, 1)
    until(lambda: sum(committed(fleet).values()) == sum(ends(fleet).values()), "commit of everything")
    assert all(offset >= earlier[partition] for partition, offset in committed(fleet).items())


def test_two_workers_with_one_static_name_lose_nothing(fleet):
    static = {"DRAGOMAN_INSTANCE": "one-name", "DRAGOMAN_KAFKA_STATIC_MEMBERSHIP": "true"}
    fleet.start(WORKER, "older", **static)
    ids, more = new_ids(6), new_ids(60)
    fleet.send(to_translate(ids))
    fleet.answers["worker"].wait_for(ids)
    fleet.start(WORKER, "younger", **static)
    fleet.wait_for_event("younger", "process_started")
    fleet.send(to_translate(more))
    fleet.answers["worker"].wait_for(more)


def committed(fleet):
    lags = KafkaAdmin(fleet.kafka).lag(GROUP, [TOPIC])
    return {lag.partition: max(lag.committed, 0) for lag in lags}


def ends(fleet):
    return KafkaAdmin(fleet.kafka).ends(TOPIC)
