"""Whoever waits for delivery reports gets them, whatever the client raises meanwhile. The client is a fake."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.kafka import producer
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FatalError, TransientError
from schemas.records import OutboundRecord

FATAL = KafkaError(KafkaError._FATAL, "out of order", fatal=True)


class Client:
    """Raises its `failures` out of `poll`, one after the other; then it reports each record as lost."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.polls = deque(failures), 0
        self.reports: deque[Callable[[KafkaError | None, object], None]] = deque()
        self.has_records = threading.Event()

    def produce(self, *_arguments, on_delivery, **_named):
        self.reports.append(on_delivery)
        self.has_records.set()

    def poll(self, _seconds):
        self.has_records.wait(0.05)
        self.polls += 1
        if self.failures:
            raise self.failures.popleft()
        while self.reports:
            self.reports.popleft()(FATAL, None)

    def flush(self, _seconds):
        return 0


@pytest.fixture(autouse=True)
def short_pause(monkeypatch):
    monkeypatch.setattr(producer, "_POLL_SECONDS", 0.01)


@pytest.mark.parametrize(
    "failure", [KafkaException(FATAL), SystemError("returned a result with an exception set")]
)
def test_reports_still_come_after_the_client_raised_a_fatal_error_out_of_a_poll(monkeypatch, failure):
    client = Client(failure, failure)
    monkeypatch.setattr(producer, "Producer", lambda _config: client)
    opened = DurableProducer(KafkaSettings())
    (outcome,) = asyncio.run(asyncio.wait_for(opened.store([OutboundRecord("out", b"k", b"v")]), 5.0))
    opened.close()
    assert isinstance(outcome, FatalError)


def test_a_client_that_raises_at_every_poll_is_asked_no_more_often_than_an_idle_one(monkeypatch):
    monkeypatch.setattr(producer, "_POLL_SECONDS", 60.0)
    client = Client(*[KafkaException(FATAL)] * 1000)
    client.has_records.set()
    monkeypatch.setattr(producer, "Producer", lambda _config: client)
    opened = DurableProducer(KafkaSettings())
    opened.close()
    assert client.polls <= 1


def test_a_report_that_raises_keeps_no_other_from_whoever_waits(monkeypatch):
    client = Client()
    monkeypatch.setattr(producer, "Producer", lambda _config: client)
    opened = DurableProducer(KafkaSettings())

    def closed_loop(_outcome):
        raise RuntimeError("Event loop is closed")

    opened.send_async(OutboundRecord("out", b"k", b"v"), closed_loop)
    (outcome,) = asyncio.run(asyncio.wait_for(opened.store([OutboundRecord("out", b"k", b"v")]), 5.0))
    opened.close()
    assert isinstance(outcome, FatalError)


class SlowClient(Client):
    """Stores one record in each tenth of a second."""

    def poll(self, _seconds):
        self.has_records.wait(0.05)
        time.sleep(0.1)
        if self.reports:
            self.reports.popleft()(None, Stored())


class Stored:
    def partition(self):
        return 0

    offset = partition


def test_the_time_out_of_a_send_is_that_of_all_its_records(monkeypatch):
    monkeypatch.setattr(producer, "Producer", lambda _config: SlowClient())
    opened = DurableProducer(KafkaSettings())
    began = time.monotonic()
    with pytest.raises(TransientError, match=r"within 0\.3 s"):
        opened.send([OutboundRecord("out", b"k", b"v")] * 20, timeout_seconds=0.3)
    assert time.monotonic() - began < 1
    opened.close()
