"""What a redrive finds in the topics, whatever else is stored there, and what it refuses to touch."""

from dataclasses import replace

import pytest
from obstore.store import MemoryStore

from connectors.kafka.settings import KafkaSettings
from connectors.object_store import UrlObjectStore
from schemas.codec import Codec
from schemas.dead_letters import about_request, dead_letter_of
from schemas.errors import PermanentError
from schemas.messages import TranslationResult
from schemas.records import InboundRecord, OutboundRecord
from schemas.states import ResultStatus
from schemas.topics import DEAD_LETTERS, RESULTS
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.redrive import redrive, sources
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, OpenDeadLetters
from stream_apps.redrive.redrive import DeadLetterAdmin
from tests.failed_records import REQUESTS, inbound
from tests.keys import key

CODEC = Codec()


def record(offset: int, value: bytes | None, name: bytes = b"t/r1") -> InboundRecord:
    return InboundRecord(RESULTS, 0, offset, name, value)


def answer(version: int) -> bytes:
    return CODEC.encode(
        TranslationResult(tenant="t", request_id="r1", status=ResultStatus.COMPLETED, version=version)
    )


@pytest.mark.parametrize("spoiled", [b"", b"{}", b"\xc3\x01", answer(3)[:-5], None])
def test_a_record_of_a_wanted_request_that_is_no_result_is_skipped(monkeypatch, spoiled):
    records = [record(0, answer(1)), record(1, answer(2)), record(2, spoiled), record(3, answer(9), b"t/other")]
    monkeypatch.setattr(sources, "read_topic", lambda _kafka, _topic: records)

    found = sources.read_answers(KafkaSettings(), CODEC, {key("r1", "t")}, lambda read, _what: read)

    assert {name: (one.version, one.offset) for name, one in found.items()} == {key("r1", "t"): (2, 1)}


def test_of_one_version_the_later_record_counts_as_an_erased_answer_has_the_version_it_had(monkeypatch):
    records = [record(0, answer(1)), record(1, answer(2)), record(2, answer(2)), record(3, answer(1))]
    monkeypatch.setattr(sources, "read_topic", lambda _kafka, _topic: records)

    found = sources.read_answers(KafkaSettings(), CODEC, {key("r1", "t")}, lambda read, _what: read)

    assert found[key("r1", "t")].offset == 2


@pytest.fixture
def admin(monkeypatch) -> DeadLetterAdmin:
    """Two open dead letters, `a` and `b`, and no Kafka."""
    records = []
    for offset, cause in enumerate("ab"):
        found = dead_letter_of(
            inbound(b"x", offset=offset), PermanentError(cause, "no"), stage="usage_sink", now_ms=offset
        )
        value = CODEC.encode(found)
        records.append(InboundRecord(DEAD_LETTERS, 0, offset, found.dead_letter_id.encode(), value))
    monkeypatch.setattr(redrive, "read_topic", lambda _kafka, _topic: records)
    return DeadLetterAdmin(KafkaSettings(), CODEC, lambda items, _what: items, lambda: 0)


def test_a_dry_run_reports_what_would_be_dropped_without_a_producer(admin):
    report = admin.drop(DeadLetterFilter(cause="a"), is_dry_run=True)
    assert [one.cause for one in report.closed] == ["a"]
    assert (report.sent, report.refused) == (0, [])


def test_an_unknown_id_is_an_error_and_nothing_is_dropped(admin):
    known = admin.read(lambda _: True).oldest_first()[0].dead_letter_id
    with pytest.raises(PermanentError, match="no open dead letter is nothing-like-it") as caught:
        admin.drop(DeadLetterFilter(ids=(known, "nothing-like-it")), is_dry_run=True)
    assert (caught.value.cause, caught.value.field) == ("unknown_dead_letter", "ids")


class FakeKafka:
    """A producer and a lookup; remembers in which order they were used."""

    def __init__(self, records):
        self.records = records
        self.calls: list[str] = []
        self.committed: list[OutboundRecord] = []

    def producer(self, _kafka, transactional_id):
        self.calls.append(f"fence {transactional_id}")
        return self

    def lookup(self, _kafka):
        return self

    def read_topic(self, _kafka, topic):
        self.calls.append(f"read {topic}")
        return [record for record in self.records if record.topic == topic]

    def find(self, topic, partition, offset):
        location = (topic, partition, offset)
        return next(one for one in self.records if (one.topic, one.partition, one.offset) == location)

    def commit(self, records, _readers):
        self.committed += records

    def close(self):
        self.calls.append("close")


def test_a_redrive_fences_earlier_runs_before_it_reads_and_commits_with_the_tombstone(monkeypatch):
    found = dead_letter_of(inbound(b"x"), PermanentError("a", "no"), stage="intake", now_ms=1)
    refused = about_request(found, key("r1", "t"))
    stored = InboundRecord(DEAD_LETTERS, 3, 0, refused.dead_letter_id.encode(), CODEC.encode(refused))
    kafka = FakeKafka([stored, record(0, answer(4))])
    monkeypatch.setattr(redrive, "TransactionalProducer", kafka.producer)
    monkeypatch.setattr(redrive, "RecordLookup", kafka.lookup)
    for module in (redrive, sources):
        monkeypatch.setattr(module, "read_topic", kafka.read_topic)
    admin = DeadLetterAdmin(KafkaSettings(), CODEC, lambda items, _what: items, lambda: 0)

    objects = UrlObjectStore(MemoryStore())
    report = admin.redrive(DeadLetterFilter(tenant="t"), objects, BatchLimits(), is_dry_run=False)

    assert kafka.calls == ["fence dead_letters", f"read {DEAD_LETTERS}", f"read {RESULTS}", "close"]
    again, tombstone = kafka.committed
    assert (again.topic, again.value, again.headers["redrive"]) == (REQUESTS, b"x", b"5")
    assert (tombstone.topic, tombstone.partition, tombstone.value) == (DEAD_LETTERS, 3, None)
    assert (report.sent, [one.dead_letter_id for one in report.closed]) == (1, [refused.dead_letter_id])


@pytest.mark.parametrize("with_original", [True, False])
def test_a_dead_letter_is_shown_with_what_was_sent_only_if_that_is_asked_for(monkeypatch, with_original):
    found = dead_letter_of(inbound(b"x"), PermanentError("a", "no"), stage="intake", now_ms=1)
    kafka = FakeKafka([InboundRecord(DEAD_LETTERS, 3, 0, found.dead_letter_id.encode(), CODEC.encode(found))])
    monkeypatch.setattr(redrive, "RecordLookup", kafka.lookup)
    for module in (redrive, sources):
        monkeypatch.setattr(module, "read_topic", kafka.read_topic)
    admin = DeadLetterAdmin(KafkaSettings(), CODEC, lambda items, _what: items, lambda: 0)
    shown, original = admin.show(found.dead_letter_id, with_original=with_original)
    assert shown == found
    assert (original and original.value) == (b"x" if with_original else None)
    assert kafka.calls[-1] == "close"


@pytest.mark.parametrize("limit", [3, 7, None])
def test_the_oldest_are_listed_however_few_are_remembered_at_a_time(monkeypatch, limit):
    """The newest come first, and the oldest are closed at the end."""
    records: list[InboundRecord] = []
    ids: list[tuple[int, str]] = []
    for failed_at in reversed(range(40)):
        found = dead_letter_of(
            inbound(b"x", offset=failed_at), PermanentError("a", "no"), stage="intake", now_ms=failed_at // 4
        )
        ids.append((failed_at // 4, found.dead_letter_id))
        records.append(InboundRecord(DEAD_LETTERS, 0, len(records), ids[-1][1].encode(), CODEC.encode(found)))
    open_ones = sorted(ids)[20:]
    records += [InboundRecord(DEAD_LETTERS, 0, 0, one.encode(), None) for _, one in sorted(ids)[:20]]
    monkeypatch.setattr(redrive, "read_topic", lambda _kafka, _topic: records)
    admin = DeadLetterAdmin(KafkaSettings(), CODEC, lambda items, _what: items, lambda: 0)
    for most in (4, 10, 50):
        listed = admin.oldest(DeadLetterFilter(cause="a", limit=limit), most)
        assert [one.place for one in listed] == open_ones[:limit]


def test_a_redrive_of_one_job_remembers_the_dead_letters_of_that_job_alone(monkeypatch):
    records = []
    for offset, job in enumerate(("r1", "r2", "r1", "r3")):
        found = replace(
            about_request(
                dead_letter_of(
                    inbound(b"x", offset=offset), PermanentError("a", "no"), stage="inference", now_ms=offset
                ),
                key(job, "t"),
            ),
            segment=offset,
        )
        records.append(InboundRecord(DEAD_LETTERS, 0, offset, found.dead_letter_id.encode(), CODEC.encode(found)))
    remembered = []
    kept = OpenDeadLetters.oldest_first

    def oldest_first(self):
        remembered.append([one.request_id for one in kept(self)])
        return kept(self)

    kafka = FakeKafka(records)
    monkeypatch.setattr(OpenDeadLetters, "oldest_first", oldest_first)
    monkeypatch.setattr(redrive, "RecordLookup", kafka.lookup)
    for module in (redrive, sources):
        monkeypatch.setattr(module, "read_topic", kafka.read_topic)
    admin = DeadLetterAdmin(KafkaSettings(), CODEC, lambda items, _what: items, lambda: 0)
    wanted, objects = DeadLetterFilter(tenant="t", request="r1"), UrlObjectStore(MemoryStore())
    admin.redrive(wanted, objects, BatchLimits(), is_dry_run=True)
    assert remembered == [["r1", "r1"]]
