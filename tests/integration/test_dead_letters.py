"""`dragoman dead-letters` on a real broker: nothing lost, nothing doubled, whenever it is killed."""

import json
import os
import signal
import subprocess
import sys
import uuid

import pytest
from typer.testing import CliRunner

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import RecordLookup, scanning
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from producers.cli.main import app
from schemas.codec import Codec
from schemas.dead_letters import about_request
from schemas.errors import FatalError, PermanentError
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import OutboundRecord
from schemas.states import ResultStatus
from schemas.topics import CONTROL, DEAD_LETTERS, RESULTS, requests_topic
from stream_apps.runtime.dead_letters import DeadLetterWriter, TokenBucket

pytestmark = pytest.mark.real

CODEC = Codec()
REQUESTS = requests_topic(Priority.STANDARD)
BAD = PermanentError("unsupported_pair", "no model translates en-xx", cure="deploy a model")


class Desk:
    """Kafka with dead letters of a tenant of this test's own, and the command."""

    def __init__(self, kafka: KafkaSettings):
        self.kafka = kafka
        self.tenant = f"desk-{uuid.uuid4()}"
        self._producer = DurableProducer(kafka)

    def send(self, *records):
        self._producer.send(records)

    def fails(self, number: int, burst_bytes: int = 10**6):
        """A request that was refused: its record is in its topic, its dead letter is open."""
        request = TranslationRequest(
            tenant=self.tenant, request_id=f"r{number}", target_language="xx", text="Hello."
        )
        key = request.key.encode()
        self.send(OutboundRecord(REQUESTS, key, CODEC.encode(request), {"traceparent": b"00-1-2-01"}))
        record = next(one for one in whole(self.kafka, REQUESTS) if one.key == key)
        writer = DeadLetterWriter("intake", CODEC, TokenBucket(0, burst_bytes, lambda: 0.0), 10**6, lambda: number)
        dead_letter = about_request(writer.dead_letter_of(record, BAD), request.key)
        self.send(writer.record_of(dead_letter))
        return record

    def run(self, command: str, *options: str):
        return CliRunner().invoke(app, ["dead-letters", command, *options])

    def listed(self, *options: str):
        return json.loads(self.run("list", "--tenant", self.tenant, "--json", *options).stdout)

    def redriven(self):
        """What was sent again for this tenant."""
        mine = self.tenant.encode()
        return [
            one for one in whole(self.kafka, REQUESTS) if mine in (one.key or b"") and "redrive" in one.headers
        ]


def whole(kafka, topic):
    with scanning(kafka, KafkaAdmin(kafka).spans([topic])) as scan:
        return [record for records in scan.until_done(500) for record in records]


@pytest.fixture(scope="module")
def kafka(kafka_bootstrap):
    settings = KafkaSettings(bootstrap=kafka_bootstrap)
    KafkaAdmin(settings).create_topics()
    return settings


@pytest.fixture
def desk(kafka, monkeypatch):
    monkeypatch.setenv("DRAGOMAN_KAFKA_BOOTSTRAP", kafka.bootstrap)
    return Desk(kafka)


def test_a_redrive_sends_the_request_again_and_closes_the_dead_letter(desk):
    record = desk.fails(1)
    (dead_letter,) = desk.listed()
    assert (dead_letter["request_id"], dead_letter["cause"], dead_letter["offset"]) == (
        "r1",
        BAD.cause,
        record.offset,
    )
    done = json.loads(desk.run("redrive", "--tenant", desk.tenant, "--json").stdout)
    assert (done["sent"], done["closed"]) == (1, [dead_letter["dead_letter_id"]])
    (again,) = desk.redriven()
    assert (again.key, again.value, again.partition) == (record.key, record.value, record.partition)
    assert again.headers == {"traceparent": b"00-1-2-01", "redrive": b"1", "attempt": b"2"}
    assert desk.listed() == []


def test_a_redrive_asks_for_the_version_after_the_newest_one(desk):
    record = desk.fails(1)
    for version in (2, 1):
        result = TranslationResult(
            tenant=desk.tenant, request_id="r1", version=version, status=ResultStatus.FAILED
        )
        desk.send(OutboundRecord(RESULTS, record.key, CODEC.encode(result)))
    desk.run("redrive", "--tenant", desk.tenant)
    assert [one.headers["redrive"] for one in desk.redriven()] == [b"3"]


def test_a_dead_letter_with_coordinates_only_is_redriven_from_its_topic(desk):
    record = desk.fails(1, burst_bytes=0)
    assert desk.run("redrive", "--tenant", desk.tenant).exit_code == 0
    (again,) = desk.redriven()
    assert (again.key, again.value, again.headers["traceparent"]) == (record.key, record.value, b"00-1-2-01")


def test_a_dry_run_changes_nothing(desk):
    desk.fails(1)
    (dead_letter,) = desk.listed()
    ran = desk.run("redrive", dead_letter["dead_letter_id"], "--dry-run")
    assert ran.stdout == f"{dead_letter['dead_letter_id']}: version 1\n"
    assert desk.run("drop", "--tenant", desk.tenant, "--dry-run").exit_code == 0
    assert (desk.redriven(), desk.listed()) == ([], [dead_letter])


def test_a_dropped_dead_letter_is_closed_and_nothing_is_sent(desk):
    for number in range(3):
        desk.fails(number)
    assert desk.run("drop", "--tenant", desk.tenant, "--limit", "2").exit_code == 0
    assert [dead_letter["failed_at"] for dead_letter in desk.listed()] == [2]
    assert desk.redriven() == []


def test_an_unknown_id_is_an_error_that_says_where_to_look(desk):
    ran = desk.run("drop", "no-such-id")
    assert (ran.exit_code, ran.stderr.splitlines()[-1]) == (
        1,
        "dragoman: no open dead letter is no-such-id; see: dragoman dead-letters list",
    )


def test_a_dead_letter_is_shown_and_its_text_only_when_asked_for(desk):
    desk.fails(1)
    (dead_letter,) = desk.listed()
    hidden = desk.run("show", dead_letter["dead_letter_id"]).stdout
    assert BAD.cure in hidden
    assert "Hello." not in hidden
    shown = json.loads(desk.run("show", dead_letter["dead_letter_id"], "--show-value", "--json").stdout)
    assert shown["value"]["text"] == "Hello."


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_redrive_that_is_killed_neither_loses_nor_doubles(desk, moment):
    """Killed when everything is sent and not committed, or committed and not told."""
    for number in range(3):
        desk.fails(number)
    assert killed_redrive(desk, moment).returncode == -signal.SIGKILL
    assert desk.run("redrive", "--tenant", desk.tenant).exit_code == 0
    assert sorted(one.key for one in desk.redriven()) == [f"{desk.tenant}/r{n}".encode() for n in range(3)]
    assert desk.listed() == []
    desk.run("redrive", "--tenant", desk.tenant)
    assert len(desk.redriven()) == 3


def killed_redrive(desk, moment):
    order = "kill(); commit(self)" if moment == "before the commit" else "commit(self); kill()"
    code = f"""
import os, signal
from connectors.kafka.transactional_producer import TransactionalProducer
commit = TransactionalProducer._commit
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
def _commit(self):
    self._producer.flush(10)
    {order}
TransactionalProducer._commit = _commit
from producers.cli.main import app
app(["dead-letters", "redrive", "--tenant", {desk.tenant!r}])
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=60)


def test_a_redrive_fences_one_that_still_runs(desk, kafka):
    desk.fails(1)
    slow = TransactionalProducer(kafka, "dead_letters")
    desk.run("redrive", "--tenant", desk.tenant)
    with pytest.raises(FatalError):
        slow.commit([OutboundRecord(REQUESTS, b"late", b"x", {"redrive": b"1"})], [])
    assert len(desk.redriven()) == 1


def test_a_reader_stops_where_the_topic_ends_though_markers_stand_there(kafka):
    before = len(whole(kafka, CONTROL))
    producer = TransactionalProducer(kafka, f"test-{uuid.uuid4()}")
    producer.commit([OutboundRecord(CONTROL, b"k", str(number).encode()) for number in range(5)], [])
    assert len(whole(kafka, CONTROL)) == before + 5


def test_a_record_is_found_by_its_place_or_not_at_all(kafka):
    producer = DurableProducer(kafka)
    producer.send([OutboundRecord(CONTROL, b"where", b"here")])
    record = [one for one in whole(kafka, CONTROL) if one.key == b"where"][-1]
    lookup = RecordLookup(kafka)
    assert lookup.find(CONTROL, record.partition, record.offset) == record
    for place in ((CONTROL, record.partition, record.offset + 10**6), (CONTROL, 99, 0), ("no.such.topic", 0, 0)):
        assert lookup.find(*place) is None
    lookup.close()


def test_the_topic_of_dead_letters_is_compacted_and_bounded(kafka):
    from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]  # not in __all__

    resource = ConfigResource(ConfigResource.Type.TOPIC, DEAD_LETTERS)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    config = admin.describe_configs([resource])[resource].result(10)
    assert set(config["cleanup.policy"].value.split(",")) == {"compact", "delete"}
    assert int(config["retention.bytes"].value) == kafka.dead_letter_bytes
    assert int(config["segment.bytes"].value) * 8 == kafka.dead_letter_bytes
