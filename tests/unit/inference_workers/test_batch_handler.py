"""What a worker refuses, and what it writes where a translation does not fit."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from connectors.memory import FixedAnsweredRequests, InMemoryTranslationMemory
from inference_workers.answers import WorkerIdentity
from inference_workers.fidelity import Outcome
from inference_workers.handler import BatchHandler
from inference_workers.priority_credit import PriorityCredit, Shares, Speedometer
from inference_workers.priority_source import PrioritySource
from inference_workers.translating import SegmentTranslator
from schemas import topics
from schemas.codec import Codec
from schemas.events import DeadLetter
from schemas.lanes import Lane
from schemas.messages import Job, SegmentBatch, TranslatedBatch
from schemas.records import InboundRecord, words_of
from stream_apps.pipeline.deadline_policy import SkipPolicy
from tests.dead_letters import dead_letter_writer
from tests.translators import PlainTranslator
from tests.worker_cycle import NoWatch, outputs_of, taken

CODEC = Codec()
SOUND = SegmentBatch(
    request_id="r1",
    batch_number=0,
    job=Job(source_language="en", target_language="pt", segments=2, batches=1, words=4),
    texts=["It rains.", "It snows."],
    gaps=[" ", ""],
    translations=[None, None],
    scores=[None, None],
    source_words=4,
)


@dataclass(frozen=True)
class Copier(PlainTranslator):
    """Translates by saying everything so many times."""

    times: int

    def version_of(self, source, target):
        return "copier-1"

    def translate(self, texts):
        return [Outcome(text * self.times, None) for text in texts]


def answers_to(batch, times=1, limit=100_000):
    segments = SegmentTranslator(Copier(times), InMemoryTranslationMemory(), lambda: 0.0)
    identity = WorkerIdentity("w1", "default", "cpu", "on_demand")
    dead_letters = dead_letter_writer("inference", max_message_bytes=limit)
    skip_policy, speed = SkipPolicy(FixedAnsweredRequests()), Speedometer(1.0)
    handler = BatchHandler(CODEC, skip_policy, segments, identity, speed, lambda: 5, dead_letters, limit)
    return outputs_of(handler, [InboundRecord("t", 0, 0, b"k", CODEC.encode(batch))])


def read(outputs, topic, message):
    return [CODEC.decode(output.value, message) for output in outputs if output.topic == topic]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"gaps": [" "]}, "gaps"),
        ({"translations": []}, "translations"),
        ({"scores": [None]}, "scores"),
        ({"scores": [2.0, None]}, "scores"),
        ({"texts": ["x" * 2001, "y"]}, "texts"),
        ({"gaps": [" " * 999_999, ""]}, "texts"),
        ({"source_words": 100}, "source_words"),
        ({"source_words": -1}, "source_words"),
        ({"batch_number": 1}, "batch_number"),
        ({"request_id": ""}, "request_id"),
        ({"do_not_translate": ["x"] * 1001}, "do_not_translate"),
        ({"engine_options": {"a": "x" * 70_000}}, "engine_options"),
        ({"job": replace(SOUND.job, glossaries=["x" * 1001])}, "job.glossaries"),
        ({"job": replace(SOUND.job, labels={"a": "x" * 70_000})}, "job.labels"),
        ({"job": replace(SOUND.job, accepted_at=-1)}, "job.accepted_at"),
        ({"job": replace(SOUND.job, metadata={"a": "x" * 70_000})}, "job.metadata"),
    ],
)
def test_a_batch_that_is_out_of_bounds_is_a_dead_letter_that_names_the_field(changes, field):
    outputs = answers_to(replace(SOUND, **changes), limit=2_000_000)
    (dead_letter,) = read(outputs, topics.DEAD_LETTERS, DeadLetter)
    assert (dead_letter.cause, dead_letter.field, len(outputs)) == ("out_of_bounds", field, 1)


@pytest.mark.parametrize("tenant", ["", "Acme", "a/b"])
def test_a_batch_of_no_tenant_that_could_be_is_a_dead_letter(tenant):
    outputs = answers_to(replace(SOUND, tenant=tenant))
    (dead_letter,) = read(outputs, topics.DEAD_LETTERS, DeadLetter)
    assert (dead_letter.cause, dead_letter.field, len(outputs)) == ("bad_tenant", "tenant", 1)


def test_a_sound_batch_is_translated():
    (done,) = read(answers_to(SOUND, times=2), topics.TRANSLATED, TranslatedBatch)
    assert done.translations == ["It rains.It rains.", "It snows.It snows."]


def test_translations_that_kafka_would_not_take_become_holes():
    outputs = answers_to(SOUND, times=20_000)
    (done,) = read(outputs, topics.TRANSLATED, TranslatedBatch)
    assert (done.translations, set(done.causes)) == (["It rains.", "It snows."], {"translation_too_large"})
    dead_letters = read(outputs, topics.DEAD_LETTERS, DeadLetter)
    assert [dead_letter.segment for dead_letter in dead_letters] == [0, 1]
    assert {dead_letter.limit for dead_letter in dead_letters} == {"DRAGOMAN_KAFKA_MAX_MESSAGE_BYTES"}
    assert all("raise the limit" in dead_letter.cure for dead_letter in dead_letters)


def test_a_record_that_is_too_large_for_a_dead_letter_leaves_its_value_behind():
    handler_outputs = answers_to(replace(SOUND, lead="x" * 90_000, gaps=[" "]), limit=50_000)
    (dead_letter,) = read(handler_outputs, topics.DEAD_LETTERS, DeadLetter)
    assert (dead_letter.value, dead_letter.topic, dead_letter.offset) == (None, "t", 0)


@pytest.mark.parametrize("header", [b"9" * 5000, b"-3", b"\xd9\xa3", b"", b"1e9"])
def test_a_words_header_that_is_no_plain_number_is_replaced_by_a_guess(header):
    assert words_of(InboundRecord("t", 0, 0, None, b"x" * 70, {"words": header})) == 10


def test_records_that_claim_to_hold_nothing_do_not_make_a_take_endless():
    class Endless:
        topics: ClassVar = ["t"]
        is_settled = True

        def take(self, limit, timeout_seconds):
            return taken([InboundRecord("t", 0, 0, None, b"", {"words": b"0"})])

        def hold(self, topics):
            raise AssertionError(topics)

    lanes = {Lane.CRITICAL: "t"}
    source = PrioritySource(
        [Endless()], lanes, PriorityCredit(Shares({}), 100), lambda: 10**9, lambda: 0, NoWatch(), take_records=50
    )
    found = source.next([])
    assert found is not None
    assert len(found.taken) == 50
