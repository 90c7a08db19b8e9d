"""Accepted means acknowledged: the bridge between librdkafka's thread and the event loop."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from connectors.kafka.producer import OnDone
from producers.http.adapters import KafkaRequestLog
from schemas.codec import Codec
from schemas.errors import FatalError, TransientError
from schemas.events import JobEvent
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.records import OutboundRecord

REQUEST = TranslationRequest(request_id="r", tenant="acme", target_language="pt", text="Hi", submitted_at=5)


@dataclass
class ThreadedSender:
    """Reports like librdkafka: from another thread; `silent` never reports."""

    error: Exception | None = None
    silent: bool = False
    records: list[OutboundRecord] = field(default_factory=list)

    def send_async(self, record: OutboundRecord, on_done: OnDone) -> None:
        self.records.append(record)
        if not self.silent:
            thread = threading.Thread(target=on_done, args=(self.error,))
            thread.start()
            thread.join()


def append(sender, fatal=print):
    log = KafkaRequestLog(sender, Codec(), 0.01, lambda: 9, fatal)
    asyncio.run(log.append(REQUEST, Priority.HIGH, {"tenant": b"acme"}))


def test_the_request_is_stored_first_and_then_its_job_is_announced():
    sender = ThreadedSender()
    append(sender)
    stored, told = sender.records
    assert (stored.topic, stored.key, stored.headers) == ("translation.requests.high", b"r", {"tenant": b"acme"})
    assert Codec().decode(stored.value, TranslationRequest) == REQUEST
    event = Codec().decode(told.value, JobEvent)
    assert (told.topic, told.key) == ("translation.status", b"r")
    assert (event.stage, event.tenant, event.priority, event.at) == ("ACCEPTED", "acme", "high", 9)


def test_a_missing_acknowledgement_is_a_transient_failure_and_nothing_is_announced():
    sender = ThreadedSender(silent=True)
    with pytest.raises(TransientError, match=r"did not acknowledge within 0\.01 s"):
        append(sender)
    assert len(sender.records) == 1


def test_a_refusal_is_raised_as_it_is():
    with pytest.raises(TransientError, match="queue is full"):
        append(ThreadedSender(TransientError("the producer's queue is full")))


def test_a_fatal_error_ends_the_process_and_the_caller_may_try_again():
    ended: list[FatalError] = []
    with pytest.raises(TransientError):
        append(ThreadedSender(FatalError("fenced")), ended.append)
    assert [str(error) for error in ended] == ["fenced"]
