"""Whatever arrives in whatever order, killed wherever: one answer, the right one."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from connectors.memory import InMemorySlots
from connectors.object_store import UrlObjectStore
from schemas import topics
from schemas.codec import Codec
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.messages import Job, TranslatedBatch, TranslationResult
from schemas.records import InboundRecord
from schemas.states import ControlAction
from stream_apps.assembly.handler import AssemblyHandler
from stream_apps.pipeline.join import join
from tests.dead_letters import dead_letter_writer
from tests.keys import key

CODEC = Codec()
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NOW = 1_000_000


@st.composite
def requests(draw: st.DrawFn) -> list[TranslatedBatch]:
    """The batches of one request, with holes, empty texts and unknown scores."""
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    name = key(draw(st.sampled_from(["r1", "r2"])), draw(st.sampled_from(["acme", "globex"])))
    job = Job(batches=len(sizes), segments=sum(sizes), words=draw(st.integers(0, 99)), pipeline_version="v1")
    return [draw(batches(name, number, size, job)) for number, size in enumerate(sizes)]


@st.composite
def batches(draw: st.DrawFn, name: JobKey, number: int, size: int, job: Job) -> TranslatedBatch:
    def several(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    return TranslatedBatch(
        **name._asdict(),
        batch_number=number,
        job=job,
        lead=draw(TEXTS),
        translations=several(TEXTS),
        gaps=several(TEXTS),
        causes=several(st.sampled_from([None, None, "timeout"])),
        scores=several(st.sampled_from([None, 0.5, 1.0])),
        cached=several(st.booleans()),
    )


@given(requests())
def test_a_result_is_consistent_with_its_batches(found):
    result = join(found, NOW)
    whole = "".join(
        batch.lead + "".join(text + gap for text, gap in zip(batch.translations, batch.gaps, strict=True))
        for batch in found
    )
    causes = [cause for batch in found for cause in batch.causes]
    assert result.text == (None if result.status == "FAILED" else whole)
    assert {hole.segment: hole.cause for hole in result.holes} == {
        number: cause for number, cause in enumerate(causes) if cause
    }
    assert (result.status == "COMPLETED") == (not result.holes)
    assert (result.status == "FAILED") == (bool(causes) and all(causes))
    assert 0 <= result.cached_share <= 1
    assert result.confidence is None or 0.5 <= result.confidence <= 1
    assert CODEC.decode(CODEC.encode(result), TranslationResult).text == result.text


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[InboundRecord], list[tuple[int, bool, bool]]]:
    """A log with duplicates and orders, and cycles: (how many records, is it aborted, is `committed` lost)."""
    by_key = {found[0].key: found for found in draw(st.lists(requests(), min_size=1, max_size=3))}
    sound = [batch for found in by_key.values() for batch in found]
    again = draw(st.lists(st.sampled_from(sound), max_size=4))
    orders = [JobControl(**name._asdict(), action=ControlAction.CANCEL) for name in by_key if draw(st.booleans())]
    messages: list[TranslatedBatch | JobControl] = draw(st.permutations([*sound, *again, *orders]))
    log = [
        InboundRecord(_topic(message), 0, offset, message.key.encode(), CODEC.encode(message))
        for offset, message in enumerate(messages)
    ]
    cycles = draw(st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.booleans()), max_size=20))
    return log, cycles


def new_handler() -> AssemblyHandler:
    return AssemblyHandler(
        codec=CODEC,
        slots=InMemorySlots(),
        told=set,
        objects=UrlObjectStore(MemoryStore()),
        inline_limit_bytes=10**6,
        now_ms=lambda: NOW,
        dead_letters=dead_letter_writer("assembly"),
    )


def _topic(message: TranslatedBatch | JobControl) -> str:
    return topics.CONTROL if isinstance(message, JobControl) else topics.TRANSLATED


@given(histories())
@settings(max_examples=300)
def test_every_request_is_answered_once_whichever_cycles_are_aborted_or_cut_short(history):
    log, cycles = history
    handler = new_handler()
    visible: list[TranslationResult] = []
    at = 0
    for size, is_aborted, is_cut_short in [*cycles, *[(1, False, False)] * len(log)]:
        outputs = handler.handle(log[at : at + size])
        if is_aborted:
            continue
        at += size
        visible += [CODEC.decode(one.value, TranslationResult) for one in outputs if one.topic == topics.RESULTS]
        if not is_cut_short:
            handler.committed([])
    answered = [str(result.key) for result in visible]
    assert sorted(answered) == sorted({record.key.decode() for record in log if record.key})


def test_shuffled_requests_get_the_text_of_their_batches_in_order():
    """Not only one answer each, but the right one: first payload of each slot, in the order of numbers."""

    @given(requests().flatmap(st.permutations))
    def check(found: list[TranslatedBatch]) -> None:
        handler = new_handler()
        log = [
            InboundRecord(topics.TRANSLATED, 0, offset, b"", CODEC.encode(batch))
            for offset, batch in enumerate(found)
        ]
        result = CODEC.decode(handler.handle(log)[0].value, TranslationResult)
        assert result.text == join(sorted(found, key=lambda batch: batch.batch_number), NOW).text

    check()
