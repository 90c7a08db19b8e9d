"""The ordinary worker and the ordinary assembler make the next version of what a redrive sends."""

from dataclasses import dataclass, field

import pytest
from obstore.store import MemoryStore

from connectors.memory import FixedAnsweredRequests, InMemorySlots, InMemoryTranslationMemory
from connectors.object_store import UrlObjectStore
from inference_workers.answers import WorkerIdentity
from inference_workers.fidelity import Outcome
from inference_workers.handler import BatchHandler
from inference_workers.priority_credit import Speedometer
from inference_workers.translating import SegmentTranslator
from schemas import topics
from schemas.codec import Codec
from schemas.events import DeadLetter, UsageBatch
from schemas.messages import Job, SegmentBatch, TranslationResult
from schemas.records import InboundRecord
from schemas.units import whole_text
from stream_apps.assembly.handler import AssemblyHandler
from stream_apps.pipeline.deadline_policy import SkipPolicy
from stream_apps.pipeline.output_records import WireFormat, batch_records
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.redrive.open_dead_letters import OpenDeadLetters
from stream_apps.redrive.plans import RedrivePlanner, groups_of
from tests.dead_letters import dead_letter_writer
from tests.translators import PlainTranslator
from tests.worker_cycle import outputs_of

CODEC = Codec()
NOW = 1_700_000_000_000


@dataclass
class Engine(PlainTranslator):
    """Shouts; what it cannot say today fails."""

    unsayable: set[str] = field(default_factory=set)

    def version_of(self, source, target):
        return "shout-1"

    def translate(self, texts):
        failed = Outcome("", None, "repetition_loop")
        return [failed if text in self.unsayable else Outcome(text.upper(), 0.75) for text in texts]


class Pipeline:
    """A worker, an assembler and the log between them. Reads what it wrote."""

    def __init__(self):
        self.engine = Engine()
        memory = InMemoryTranslationMemory()
        segments = SegmentTranslator(self.engine, memory, lambda: 0.0)
        identity = WorkerIdentity("w", "default", "cpu", "spot")
        skip_policy, dead_letters = SkipPolicy(FixedAnsweredRequests()), dead_letter_writer("inference")
        self.worker = BatchHandler(
            CODEC, skip_policy, segments, identity, Speedometer(1.0), lambda: NOW, dead_letters
        )
        self.assembler = AssemblyHandler(
            codec=CODEC,
            slots=InMemorySlots(),
            told=set,
            objects=UrlObjectStore(MemoryStore()),
            inline_limit_bytes=10**6,
            now_ms=lambda: NOW,
            dead_letters=dead_letter_writer("assembly"),
        )
        self.log = []

    def send(self, outputs):
        for out in outputs:
            record = InboundRecord(
                out.topic, out.partition or 0, len(self.log), out.key, out.value, dict(out.headers)
            )
            self.log.append(record)
            if ".batches." in out.topic:
                self.send(outputs_of(self.worker, [record]))
            elif out.topic == topics.TRANSLATED:
                self.send(self.assembler.handle([record]))
                self.assembler.committed([])

    def read(self, topic, kind):
        return [CODEC.decode(one.value, kind) for one in self.log if one.topic == topic and one.value is not None]

    @property
    def results(self):
        return self.read(topics.RESULTS, TranslationResult)

    @property
    def billed(self):
        usage = [event for one in self.read(topics.USAGE, UsageBatch) for event in one.events]
        return [(one.source_words, one.source_characters) for one in usage if one.kind == "billed"]

    def original(self, summary):
        return next(one for one in self.log if (one.topic, one.offset) == (summary.topic, summary.offset))

    def unmerged(self, failed):
        raise AssertionError("no document is here")

    def newest(self, key):
        return max((one for one in self.results if one.key == key), key=lambda result: result.version)

    def text_of(self, result):
        return whole_text(result)

    def entries_of(self, batch):
        return {}

    def open_dead_letters(self):
        dead_letters = OpenDeadLetters(CODEC, lambda _: True)
        for record in self.log:
            if record.topic == topics.DEAD_LETTERS:
                dead_letters.add(record)
        return dead_letters.oldest_first()

    def redrive(self):
        planner = RedrivePlanner(self, CODEC, WireFormat(CODEC), BatchLimits(2, 1000), NOW)
        dead_letters = self.open_dead_letters()
        for group in groups_of(dead_letters, dead_letters):
            self.send(planner.plan(group).records)


def ask(pipeline, *texts, tenant="acme", kind="text", gap="  "):
    job = Job(
        kind=kind,
        source_language="en",
        target_language="pt",
        segments=len(texts),
        batches=1,
        words=9,
        characters=35,
        accepted_at=NOW,
    )
    batch = SegmentBatch(
        tenant=tenant,
        request_id="r1",
        batch_number=0,
        job=job,
        lead="\t",
        texts=texts,
        gaps=[*[gap] * (len(texts) - 1), "  "],
        translations=[None] * len(texts),
        scores=[None] * len(texts),
    )
    origin = InboundRecord("translation.requests.standard", 0, 0, b"", b"")
    pipeline.send(batch_records([batch], origin, WireFormat(CODEC)))


@pytest.fixture
def pipeline():
    return Pipeline()


def test_holes_are_filled_step_by_step_and_billed_once(pipeline):
    pipeline.engine.unsayable = {"b b", "d d", "e e"}
    ask(pipeline, "a a", "b b", "c c", "d d", "e e")
    pipeline.engine.unsayable = {"d d"}
    pipeline.redrive()
    pipeline.engine.unsayable = set()
    pipeline.redrive()
    assert [(one.version, one.status, one.text) for one in pipeline.results] == [
        (1, "PARTIAL", "\tA A  b b  C C  d d  e e  "),
        (2, "PARTIAL", "\tA A  B B  C C  d d  E E  "),
        (3, "COMPLETED", "\tA A  B B  C C  D D  E E  "),
    ]
    assert [[hole.segment for hole in one.holes] for one in pipeline.results] == [[1, 3, 4], [3], []]
    assert {(one.segments, one.source_words, one.target_words) for one in pipeline.results} == {(5, 9, 10)}
    assert pipeline.billed == [(9, 35), (0, 0), (0, 0)]
    assert [one.attempt for one in pipeline.read(topics.DEAD_LETTERS, DeadLetter)] == [1, 1, 1, 2]
    assert pipeline.open_dead_letters() == []


def test_the_holes_of_an_array_are_filled_in_their_texts_and_billed_once(pipeline):
    pipeline.engine.unsayable = {"b b", "d d"}
    ask(pipeline, "a a", "b b", "c c", "d d", kind="texts", gap=" \x1e \x1e")
    pipeline.engine.unsayable = {"d d"}
    pipeline.redrive()
    pipeline.engine.unsayable = set()
    pipeline.redrive()
    assert [(one.version, one.status, list(one.texts)) for one in pipeline.results] == [
        (1, "PARTIAL", ["\tA A ", " ", "b b ", " ", "C C ", " ", "d d  "]),
        (2, "PARTIAL", ["\tA A ", " ", "B B ", " ", "C C ", " ", "d d  "]),
        (3, "COMPLETED", ["\tA A ", " ", "B B ", " ", "C C ", " ", "D D  "]),
    ]
    assert [[(hole.unit, hole.start) for hole in one.holes] for one in pipeline.results] == [
        [(2, 0), (6, 0)],
        [(6, 0)],
        [],
    ]
    assert {(one.kind, one.units, one.segments, one.target_words) for one in pipeline.results} == {
        ("texts", 7, 4, 8)
    }
    assert pipeline.billed == [(9, 35), (0, 0), (0, 0)]
    assert pipeline.open_dead_letters() == []


def test_a_request_of_which_everything_failed_is_billed_when_it_is_translated(pipeline):
    pipeline.engine.unsayable = {"a a", "b b"}
    ask(pipeline, "a a", "b b")
    pipeline.engine.unsayable = set()
    pipeline.redrive()
    assert [(one.version, one.status, one.source_words) for one in pipeline.results] == [
        (1, "FAILED", 0),
        (2, "COMPLETED", 9),
    ]
    assert pipeline.open_dead_letters() == []


def test_the_holes_of_two_tenants_under_one_id_are_filled_each_in_its_own_text(pipeline):
    pipeline.engine.unsayable = {"b b"}
    ask(pipeline, "a a", "b b", tenant="acme")
    ask(pipeline, "b b", "c c", tenant="globex")
    pipeline.engine.unsayable = set()
    pipeline.redrive()
    assert [(one.tenant, one.version, one.status, one.text) for one in pipeline.results] == [
        ("acme", 1, "PARTIAL", "\tA A  b b  "),
        ("globex", 1, "PARTIAL", "\tb b  C C  "),
        ("acme", 2, "COMPLETED", "\tA A  B B  "),
        ("globex", 2, "COMPLETED", "\tB B  C C  "),
    ]
    assert pipeline.open_dead_letters() == []
