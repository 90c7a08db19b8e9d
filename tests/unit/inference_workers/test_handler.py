"""What a worker makes of its records."""

import dataclasses

import pytest

from connectors.memory import FixedAnsweredRequests, InMemoryTranslationMemory
from inference_workers.answers import WorkerIdentity
from inference_workers.fidelity import Outcome
from inference_workers.handler import BatchHandler
from inference_workers.priority_credit import Speedometer
from inference_workers.translating import SegmentTranslator
from schemas import topics
from schemas.codec import Codec
from schemas.events import DeadLetter, UsageBatch
from schemas.message_parts import Kept
from schemas.messages import Job, SegmentBatch, TranslatedBatch
from schemas.records import InboundRecord
from stream_apps.pipeline.deadline_policy import SkipPolicy
from tests.dead_letters import dead_letter_writer
from tests.translators import PlainTranslator
from tests.worker_cycle import outputs_of, taken

CODEC = Codec()
JOB = Job(priority="high", source_language="en", target_language="pt", batches=1, accepted_at=500)


class Shouter(PlainTranslator):
    def version_of(self, source, target):
        return "shout-1"

    def translate(self, texts):
        doubt = {"odd": "figures_differ"}
        return [
            Outcome(text, None, "repetition_loop")
            if "bad" in text
            else Outcome(text.upper(), 0.75, warning=doubt.get(text))
            for text in texts
        ]


class Clock:
    """Each reading is half a second later."""

    seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 0.5
        return self.seconds


@pytest.fixture
def memory() -> InMemoryTranslationMemory:
    return InMemoryTranslationMemory()


@pytest.fixture
def handler(memory) -> BatchHandler:
    segments = SegmentTranslator(Shouter(), memory, Clock())
    identity = WorkerIdentity("worker-1", "default", "cpu", "spot")
    skip_policy, dead_letters = SkipPolicy(FixedAnsweredRequests()), dead_letter_writer("inference")
    return BatchHandler(CODEC, skip_policy, segments, identity, Speedometer(10.0), lambda: 2_500, dead_letters)


def record(*texts: str, offset: int = 7, **job: object) -> InboundRecord:
    batch = SegmentBatch(
        tenant="acme",
        request_id="r1",
        batch_number=0,
        job=Job(**{**vars(JOB), **job}),
        texts=texts,
        gaps=[" "] * len(texts),
        translations=[None] * len(texts),
        scores=[None] * len(texts),
        source_words=2 * len(texts),
    )
    headers = {"traceparent": b"00-1-2-01", "words": b"4"}
    return InboundRecord("translation.batches.default.high", 3, offset, b"acme/r1/0", CODEC.encode(batch), headers)


def of(outputs, topic, kind):
    return [CODEC.decode(output.value, kind) for output in outputs if output.topic == topic]


def test_a_batch_becomes_its_translation_and_its_usage(handler):
    outputs = outputs_of(handler, [record("good day", "my friend")])
    (done,), (rows,) = of(outputs, topics.TRANSLATED, TranslatedBatch), of(outputs, topics.USAGE, UsageBatch)
    (usage,) = rows.events
    assert done.translations == ["GOOD DAY", "MY FRIEND"]
    assert (done.scores, done.cached, done.causes) == ([0.75, 0.75], [False, False], [None, None])
    assert (done.model, done.target_words, done.source_words) == ("shout-1", 4, 4)
    assert (usage.kind, usage.worker, usage.device, usage.market) == ("compute", "worker-1", "cpu", "spot")
    assert (usage.busy_ms, usage.queue_ms, usage.sla_ms) == (500.0, 1500.0, 120_000)


def test_outputs_are_keyed_for_their_readers_and_carry_the_trace_on(handler):
    translated, usage = outputs_of(handler, [record("good day")])
    assert (translated.key, usage.key) == (b"acme/r1", None)
    assert translated.headers == {"traceparent": b"00-1-2-01", "accepted": b"500", "priority": b"high"}


def test_the_usage_of_a_second_has_one_row_for_each_tenant_priority_pair_and_model(handler):
    records = [record("good day"), record("my friend", offset=8), record("no", offset=9, priority="standard")]
    outputs = outputs_of(handler, records)
    (rows,) = of(outputs, topics.USAGE, UsageBatch)
    high, standard = rows.events
    assert (high.batches, high.segments, high.source_words, high.target_words) == (2, 2, 4, 4)
    assert (high.source_characters, high.target_characters) == (17, 17)
    assert (standard.batches, standard.priority) == (1, "standard")
    assert len({high.event_id, standard.event_id}) == 2
    assert handler.usage_records() == []


def test_the_dead_letter_of_a_segment_has_the_same_id_when_its_record_comes_again(handler):
    first, again = (
        of(outputs_of(handler, [record("bad one")]), topics.DEAD_LETTERS, DeadLetter)[0].dead_letter_id
        for _ in range(2)
    )
    assert first == again


def test_a_segment_that_fails_is_a_hole_and_a_dead_letter_with_the_batch_in_it(handler):
    one = record("good day", "bad one")
    outputs = outputs_of(handler, [one])
    (done,) = of(outputs, topics.TRANSLATED, TranslatedBatch)
    assert (done.translations, done.causes) == (["GOOD DAY", "bad one"], [None, "repetition_loop"])
    (dead_letter,) = of(outputs, topics.DEAD_LETTERS, DeadLetter)
    assert (dead_letter.request_id, dead_letter.batch_number, dead_letter.segment, dead_letter.cause) == (
        "r1",
        0,
        1,
        "repetition_loop",
    )
    assert dead_letter.value == one.value


def test_what_a_reader_should_look_at_is_translated_with_a_warning_and_no_dead_letter(handler):
    outputs = outputs_of(handler, [record("good day", "odd")])
    (done,) = of(outputs, topics.TRANSLATED, TranslatedBatch)
    assert (done.translations, done.causes) == (["GOOD DAY", "ODD"], [None, None])
    assert done.warnings == [None, "figures_differ"]
    assert of(outputs, topics.DEAD_LETTERS, DeadLetter) == []
    (sound,) = of(outputs_of(handler, [record("good day")]), topics.TRANSLATED, TranslatedBatch)
    assert sound.warnings == []


def test_bytes_that_are_no_batch_are_a_dead_letter_and_the_others_go_on(handler):
    rubbish = InboundRecord("translation.batches.default.high", 0, 1, b"k", b"rubbish")
    outputs = outputs_of(handler, [rubbish, record("good day")])
    (dead_letter,) = of(outputs, topics.DEAD_LETTERS, DeadLetter)
    assert (dead_letter.cause, dead_letter.value, dead_letter.stage) == ("undecodable", b"rubbish", "inference")
    assert len(of(outputs, topics.TRANSLATED, TranslatedBatch)) == 1


def test_an_answer_is_sent_with_the_part_that_finishes_it(handler):
    opened = handler.open(taken([record("good day"), record("my friend", offset=8)]))
    assert list(opened.workload.finished()) == []
    part = handler.segments.next_part(opened.workload)
    handler.segments.note(opened.workload, part, handler.segments.run(part))
    assert list(opened.workload.finished()) == [0, 1]


def test_the_speed_follows_what_was_measured(handler):
    for number in range(60):
        outputs_of(handler, [record(f"good {number}")])
    assert handler.speed.words_per_second == pytest.approx(4.0, rel=0.01)
    assert handler.speed.words_in(2.0) == 8


def test_the_numbers_of_a_correction_and_what_it_keeps_come_back_with_its_translations(handler):
    kept = Kept(segments=3, target_words=7, confidence=0.5, models=["old-1"])
    one = record("my lemons", kept=kept, revision=2)
    batch = dataclasses.replace(CODEC.decode(one.value, SegmentBatch), numbers=[5], lead="Before. ")
    outputs = outputs_of(handler, [dataclasses.replace(one, value=CODEC.encode(batch))])
    (done,) = of(outputs, topics.TRANSLATED, TranslatedBatch)
    assert (done.numbers, done.lead, done.translations) == ([5], "Before. ", ["MY LEMONS"])
    assert (done.job.kept, done.job.revision) == (kept, 2)


def test_a_batch_of_kept_text_alone_passes_through(handler):
    (done,) = of(outputs_of(handler, [record()]), topics.TRANSLATED, TranslatedBatch)
    assert (done.translations, done.causes, done.numbers) == ([], [], [])
