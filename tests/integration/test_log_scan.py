"""A scan on a real broker: it ends, it sees every committed record, and it waits for open transactions."""

import os
import time
import uuid

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import LogScan, Span, scanning
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from schemas.errors import TransientError
from schemas.records import OutboundRecord
from schemas.topics import CONTROL, TRANSLATED

pytestmark = pytest.mark.real


@pytest.fixture
def kafka(kafka_bootstrap):
    kafka = KafkaSettings(bootstrap=kafka_bootstrap)
    KafkaAdmin(kafka).create_topics()
    return kafka


@pytest.fixture
def admin(kafka):
    admin = KafkaAdmin(kafka)
    end = time.monotonic() + 10
    # A partition that was just created has no leader yet.
    while not _is_led(admin):
        assert time.monotonic() < end
        time.sleep(0.1)
    return admin


def _is_led(admin):
    try:
        return admin.spans([CONTROL, TRANSLATED])
    except TransientError:
        return False


def record(value: str, topic: str = CONTROL) -> OutboundRecord:
    return OutboundRecord(topic, value.encode(), value.encode())


def values_of(scan: LogScan, rounds: int = 40) -> list[str]:
    found = []
    for _ in range(rounds):
        found += [(one.value or b"").decode() for one in scan.take(500, 0.25)]
        if scan.is_done:
            break
    return found


def with_large_records(kafka: KafkaSettings, admin: KafkaAdmin, count: int) -> list[Span]:
    """Write so many records of 60 kB, and return where they are."""
    before = admin.spans([CONTROL])
    producer = DurableProducer(kafka)
    producer.send([OutboundRecord(CONTROL, b"large", os.urandom(60_000)) for _ in range(count)])
    producer.close()
    return between(before, admin.spans([CONTROL]))


def between(before: list[Span], after: list[Span]) -> list[Span]:
    """What was written between two measurements."""
    first = {(span.topic, span.partition): span.end for span in before}
    return [Span(one.topic, one.partition, first[one.topic, one.partition], one.end) for one in after]


def test_a_scan_reads_what_was_there_when_it_was_measured_and_ends(kafka, admin):
    names = [f"scan-{uuid.uuid4().hex}" for _ in range(300)]
    before = admin.spans([CONTROL])
    producer = DurableProducer(kafka)
    producer.send([record(name) for name in names])
    spans = between(before, admin.spans([CONTROL]))
    producer.send([record("later")])
    producer.close()
    with scanning(kafka, spans) as scan:
        assert sorted(values_of(scan)) == sorted(names)
        assert (scan.is_done, scan.share) == (True, 1.0)


def test_until_it_is_done_a_scan_gives_so_many_records_at_once_at_most(kafka, admin):
    names = [f"batch-{number}-{uuid.uuid4().hex}" for number in range(250)]
    before = admin.spans([TRANSLATED])
    TransactionalProducer(kafka, f"scan-{uuid.uuid4()}").commit([record(name, TRANSLATED) for name in names], [])
    # The mark of the transaction has an offset, too.
    with scanning(kafka, between(before, admin.spans([TRANSLATED]))) as scan:
        batches = list(scan.until_done(100))
    assert max(map(len, batches)) <= 100
    assert sorted((one.value or b"").decode() for batch in batches for one in batch) == sorted(names)


def test_a_scan_never_takes_much_more_at_once_than_its_client_may_buffer(kafka, admin):
    spans = with_large_records(kafka, admin, 200)
    small = kafka.model_copy(update={"consumer_buffer_kbytes": 1_000, "fetch_bytes": 2_000_000})
    sizes: list[int] = []
    with scanning(small, spans) as scan:
        while not scan.is_done:
            sizes.append(sum(len(one.value or b"") for one in scan.take(1_000, 5.0)))
    assert sum(sizes) == 12_000_000
    # The buffer, the answer that passes it, and one that comes while both are taken.
    assert max(sizes) <= 1_000 * 1_024 + 2 * 2_000_000


def test_an_empty_span_is_done_at_once_and_so_is_one_of_the_future(kafka, admin):
    spans = admin.spans([CONTROL], since_ms=4_000_000_000_000)
    assert all(span.length == 0 for span in spans)
    with scanning(kafka, spans) as scan:
        assert scan.is_done


def test_a_scan_waits_for_an_open_transaction_and_then_sees_it(kafka, admin):
    name = f"open-{uuid.uuid4().hex}"
    before = admin.spans([TRANSLATED])
    writer = TransactionalProducer(kafka, f"scan-{name}")
    seen_while_open, spans = [], []

    def confirm() -> None:
        spans.extend(between(before, admin.spans([TRANSLATED])))
        with scanning(kafka, spans) as scan:
            seen_while_open.extend([values_of(scan, rounds=4), scan.is_done])

    writer.commit([record(name, TRANSLATED)], [], confirm)
    assert seen_while_open == [[], False]
    with scanning(kafka, spans) as scan:
        assert (values_of(scan), scan.is_done) == ([name], True)


def test_a_scan_that_is_sent_nothing_for_a_minute_says_so(kafka, admin, monkeypatch):
    monkeypatch.setattr("connectors.kafka.partition_reader._SILENCE_SECONDS", 0.5)
    before = admin.spans([TRANSLATED])

    def confirm() -> None:
        with (
            scanning(kafka, between(before, admin.spans([TRANSLATED]))) as scan,
            pytest.raises(TransientError, match="sends nothing of 1 partitions"),
        ):
            list(scan.until_done(10))

    TransactionalProducer(kafka, f"scan-{uuid.uuid4()}").commit([record("silent", TRANSLATED)], [], confirm)


def test_what_is_not_confirmed_is_aborted_and_a_scan_ends_behind_it(kafka, admin):
    name = f"aborted-{uuid.uuid4().hex}"
    before = admin.spans([TRANSLATED])
    writer = TransactionalProducer(kafka, f"scan-{name}")

    def refuse() -> None:
        raise TransientError("the state was lost")

    with pytest.raises(TransientError, match="state was lost"):
        writer.commit([record(name, TRANSLATED)], [], refuse)
    with scanning(kafka, between(before, admin.spans([TRANSLATED]))) as scan:
        assert (values_of(scan), scan.is_done) == ([], True)
    writer.commit([record(name, TRANSLATED)], [])
    with scanning(kafka, between(before, admin.spans([TRANSLATED]))) as scan:
        assert values_of(scan) == [name]


def test_a_scan_of_more_than_the_clients_buffer_does_not_wait_between_its_answers(kafka, admin):
    """The library waits for a second after each answer that fills the buffer, where it is not told otherwise."""
    spans = with_large_records(kafka, admin, 300)
    small = kafka.model_copy(update={"consumer_buffer_kbytes": 100, "fetch_bytes": 2_000_000})
    with scanning(small, spans) as scan:
        began, count = time.monotonic(), 0
        while not scan.is_done:
            count += len(scan.take(500, 1.0))
    assert count == 300
    assert time.monotonic() - began < 8
