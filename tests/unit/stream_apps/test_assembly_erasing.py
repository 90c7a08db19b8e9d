"""A cycle of assembly with orders to erase: what is published again, and where answers are looked for."""

import dataclasses
from typing import Any

import pytest
from obstore.store import MemoryStore

from connectors.memory import InMemorySlots
from connectors.object_store import UrlObjectStore
from schemas import topics
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import JobControl, UsageBatch
from schemas.message_parts import Hole, Suspect, Warning
from schemas.messages import Job, TranslatedBatch, TranslationResult
from schemas.records import CALLBACK_HEADER, InboundRecord, OutboundRecord, told_erased
from schemas.slots import Completion, ErasureDecision, Verdict
from schemas.states import ControlAction, ResultStatus
from stream_apps.assembly.erasing import LoggedAnswers
from stream_apps.assembly.handler import AssemblyHandler
from tests.dead_letters import dead_letter_writer
from tests.keys import key

CODEC = Codec()
R1 = key("r1", "acme")
NOW = 9_000
ANSWER = TranslationResult(
    **R1._asdict(),
    version=2,
    kind="document",
    status=ResultStatus.PARTIAL,
    text="secret",
    texts=("secret",),
    content_ref="tenants/acme/secret",
    content_sha256="secret",
    content_bytes=7,
    file_name="secret.docx",
    units_ref="secret",
    units=3,
    holes=(Hole(segment=1, cause="timeout", start=3, length=6, unit=1, place="secret!B7"),),
    warnings=(Warning(cause="no_letters", count=2, place="secret"),),
    suspects=(Suspect(segment=0, cause="no_letters", place="secret"),),
    error_message="secret",
    metadata={"secret": "secret"},
    callback="https://secret.example",
    labels={"project": "p1"},
    source_words=6,
    submitted_at=5,
    completed_at=7_000,
)


class Log:
    """The results topic, and where it was read from."""

    def __init__(self, *results: TranslationResult) -> None:
        self.records = [
            InboundRecord(topics.RESULTS, 0, at, one.key.encode(), CODEC.encode(one), {}, one.completed_at)
            for at, one in enumerate(results)
        ]
        self.opened: list[int | None] = []

    def open(self, since_ms):
        self.opened.append(since_ms)
        return Scan(list(self.records))


class Scan:
    def __init__(self, records) -> None:
        self.records = records
        self.share = 0.0

    @property
    def is_done(self) -> bool:
        return not self.records

    def take(self, limit, timeout_seconds):
        return [self.records.pop(0)]

    def close(self) -> None:
        pass


def handler_on(log: Log) -> AssemblyHandler:
    return AssemblyHandler(
        codec=CODEC,
        slots=InMemorySlots(),
        told=set,
        objects=UrlObjectStore(MemoryStore()),
        inline_limit_bytes=10**6,
        now_ms=lambda: NOW,
        dead_letters=dead_letter_writer("assembly"),
        newest=LoggedAnswers(CODEC, log.open, margin_ms=100).newest,
    )


def erase(offset: int = 0, **fields) -> InboundRecord:
    order = JobControl(**R1._asdict(), action=ControlAction.ERASE, **fields)
    return InboundRecord(topics.CONTROL, 0, offset, R1.encode(), CODEC.encode(order))


def batch(offset: int = 0, batches: int = 1) -> InboundRecord:
    job = Job(
        batches=batches, segments=batches, words=6, target_language="pt", pipeline_version="v1", accepted_at=1
    )
    rest: dict[str, Any] = {"gaps": ("",), "causes": (None,), "scores": (None,), "cached": (False,)}
    message = TranslatedBatch(**R1._asdict(), batch_number=0, job=job, translations=("secret",), **rest)
    return InboundRecord(topics.TRANSLATED, 0, offset, R1.encode(), CODEC.encode(message))


def results_in(outputs: list[OutboundRecord]) -> list[TranslationResult]:
    return [CODEC.decode(one.value, TranslationResult) for one in outputs if one.topic == topics.RESULTS]


def bills_in(outputs: list[OutboundRecord]) -> list[int]:
    found = [CODEC.decode(one.value, UsageBatch) for one in outputs if one.topic == topics.USAGE]
    return [event.source_words for one in found for event in one.events]


def test_an_answer_is_published_again_without_its_text_and_without_a_bill():
    outputs = handler_on(Log(ANSWER)).handle([erase()])
    (result,) = results_in(outputs)
    assert "secret" not in repr(result)
    assert (result.version, result.status, result.erased_at) == (2, "PARTIAL", NOW)
    assert (result.source_words, result.completed_at, result.submitted_at) == (6, 7_000, 5)
    assert (result.units, result.content_bytes, result.labels) == (3, 7, {"project": "p1"})
    assert [(one.segment, one.cause) for one in result.holes] == [(1, "timeout")]
    assert bills_in(outputs) == []
    assert told_erased(outputs[0].headers) == NOW
    assert CALLBACK_HEADER not in outputs[0].headers


def test_an_open_request_is_cancelled_and_erased_by_one_order():
    handler = handler_on(Log())
    handler.handle([batch(batches=2)])
    outputs = handler.handle([erase()])
    (result,) = results_in(outputs)
    assert (result.status, result.text, result.erased_at) == ("CANCELLED", None, NOW)
    assert result.target_language == "pt"
    assert bills_in(outputs) == [0]


def test_an_order_of_the_same_cycle_overrules_the_batch_that_would_have_answered():
    outputs = handler_on(Log()).handle([batch(), erase()])
    assert [one.status for one in results_in(outputs)] == ["CANCELLED"]


def test_an_order_that_is_read_twice_does_nothing_new():
    log = Log(ANSWER)
    handler = handler_on(log)
    first = handler.handle([erase()])
    assert handler.handle([erase()]) == first
    handler.committed([])
    assert handler.handle([erase(), erase(1)]) == []


def test_two_orders_of_one_cycle_are_one():
    assert len(results_in(handler_on(Log(ANSWER)).handle([erase(0), erase(1)]))) == 1


def test_callers_see_the_answer_without_its_text():
    handler = handler_on(Log())
    handler.handle([batch()])
    handler.committed([])
    log_answer = dataclasses.replace(ANSWER, version=1)
    handler.newest = LoggedAnswers(CODEC, Log(log_answer).open).newest
    handler.handle([erase()])
    handler.committed([])
    assert isinstance(handler.slots, InMemorySlots)
    shown = CODEC.decode(handler.slots.results[R1], TranslationResult)
    assert (shown.text, shown.erased_at) == (None, NOW)


def test_an_answer_that_was_decided_before_the_erasure_is_not_committed():
    handler, other = handler_on(Log()), handler_on(Log())
    other.slots = handler.slots
    handler.handle([batch()])
    other.handle([erase()])
    with pytest.raises(TransientError, match="erasure"):
        handler.confirm()
    other.confirm()


COMPLETED_AT_7_000 = Completion("t-0-1", "PARTIAL", 7_000)


@pytest.mark.parametrize(
    ("decision", "opened"),
    [
        (ErasureDecision(Verdict.COMPLETE, COMPLETED_AT_7_000, 2, is_settled=True), [6_900]),
        (ErasureDecision(Verdict.COMPLETE, COMPLETED_AT_7_000, 1), [6_900]),
        (ErasureDecision(Verdict.COMPLETE, noted_at=5_000), [4_900]),
        (ErasureDecision(Verdict.COMPLETE), [None]),
        (ErasureDecision(Verdict.COMPLETE, is_settled=True), [None]),
        (ErasureDecision(Verdict.COMPLETE, noted_at=5_000, is_settled=True), []),
    ],
    ids=["settled", "correction under way", "answer under way", "forgotten under way", "forgotten", "open"],
)
def test_answers_are_looked_for_where_they_may_be(decision, opened):
    log = Log(*[ANSWER] * 3)
    found = LoggedAnswers(CODEC, log.open, margin_ms=100).newest({R1: decision})
    assert log.opened == opened
    assert found == ({R1: CODEC.decode(CODEC.encode(ANSWER), TranslationResult)} if opened else {})


def test_a_log_that_says_nothing_for_long_is_asked_again_later():
    class Mute(Scan):
        is_done = False

        def take(self, limit, timeout_seconds):
            return []

    seconds = iter(range(0, 1000, 30))
    answers = LoggedAnswers(CODEC, lambda *_: Mute([]), clock=lambda: next(seconds))
    with pytest.raises(TransientError, match="nothing"):
        answers.newest({R1: ErasureDecision(Verdict.COMPLETE)})
