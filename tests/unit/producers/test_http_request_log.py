"""Accepted means acknowledged: the bridge between librdkafka's thread and the event loop."""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from connectors.kafka.producer import OnDone
from producers.http.adapters import BackgroundNotes, KafkaRequestLog
from schemas.codec import Codec
from schemas.errors import FatalError, TransientError
from schemas.ids import JobKey
from schemas.messages import TranslationRequest
from schemas.plans import RequestPlan
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


@dataclass
class Notes:
    """What HTTP noted of accepted requests; Redis is away at first, that many times."""

    failures: int = 0
    noted: dict[JobKey, RequestPlan] = field(default_factory=dict)
    calls: list[int] = field(default_factory=list)

    async def note(self, plans: Mapping[JobKey, RequestPlan]) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise TransientError("Redis is away")
        self.noted |= plans
        self.calls.append(len(plans))


def append(sender, fatal=print, notes: Any = None):
    async def store() -> None:
        background = BackgroundNotes(cast(Any, notes or Notes()))
        log = KafkaRequestLog(sender, Codec(), 0.01, background, lambda: 9, fatal)
        await log.append(REQUEST, Priority.HIGH, {"tenant": b"acme"})
        await background.written()

    asyncio.run(store())


@pytest.mark.parametrize("failures", [0, 1])
def test_the_request_is_stored_first_and_then_noted_for_those_who_look_at_once(failures):
    sender, notes = ThreadedSender(), Notes(failures)
    append(sender, notes=notes)
    (stored,) = sender.records
    assert (stored.topic, stored.key) == ("translation.requests.high", b"acme/r")
    assert stored.headers == {"tenant": b"acme"}
    assert Codec().decode(stored.value, TranslationRequest).to_datum() == {
        **REQUEST.to_datum(),
        "texts": [],
        "glossaries": [],
        "do_not_translate": [],
    }
    plan = RequestPlan(priority="high", source_language="auto", target_language="pt", submitted_at=5, noted_at=9)
    assert notes.noted == {REQUEST.key: plan}


def test_notes_that_come_while_some_are_written_are_written_together_and_too_many_are_dropped():
    notes = Notes()
    plans = {JobKey("acme", f"r{number}"): RequestPlan(submitted_at=number) for number in range(5)}

    async def write() -> None:
        background = BackgroundNotes(cast(Any, notes), most=4)
        for name, plan in plans.items():
            background.write(name, plan)
        await background.written()
        background.write(REQUEST.key, RequestPlan())
        await background.written()

    asyncio.run(write())
    assert notes.calls == [4, 1]
    assert list(notes.noted) == [*list(plans)[:4], REQUEST.key]


def test_a_missing_acknowledgement_is_a_transient_failure_and_nothing_is_noted():
    sender, notes = ThreadedSender(silent=True), Notes()
    with pytest.raises(TransientError, match=r"did not acknowledge within 0\.01 s"):
        append(sender, notes=notes)
    assert (len(sender.records), notes.noted) == (1, {})


def test_a_refusal_is_raised_as_it_is():
    with pytest.raises(TransientError, match="queue is full"):
        append(ThreadedSender(TransientError("the producer's queue is full")))


def test_a_fatal_error_ends_the_process_and_the_caller_may_try_again():
    ended: list[FatalError] = []
    with pytest.raises(TransientError):
        append(ThreadedSender(FatalError("fenced")), ended.append)
    assert [str(error) for error in ended] == ["fenced"]
