"""Records that failed, their dead letters, and what a redrive reads, in memory."""

import dataclasses

from schemas.codec import Codec
from schemas.dead_letters import about_request, about_segments, dead_letter_of
from schemas.errors import PermanentError
from schemas.ids import JobKey
from schemas.message_parts import Hole
from schemas.messages import Job, SegmentBatch, TranslationResult
from schemas.records import InboundRecord
from schemas.states import ResultStatus
from schemas.topics import DEAD_LETTERS
from stream_apps.pipeline.output_records import WireFormat
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.redrive.open_dead_letters import summary_of
from stream_apps.redrive.plans import RedrivePlanner, groups_of
from tests.keys import key

CODEC = Codec()
NOW = 1_700_000_000_000
JOB = Job(
    priority="high",
    source_language="en",
    target_language="pt",
    batches=1,
    words=6,
    deadline=9,
)
KEY = key("r1", "acme")
REQUESTS, BATCHES = "translation.requests.high", "translation.batches.default.high"
TEXT = "Olá. My lemons. Adeus."
PARTIAL = TranslationResult(
    **KEY._asdict(),
    version=1,
    status=ResultStatus.PARTIAL,
    text=TEXT,
    holes=(Hole(segment=1, cause="repetition_loop", start=5, length=10),),
    segments=3,
    source_words=6,
    target_words=4,
    target_characters=len(TEXT),
    model="m1",
)


def batch(number=0, texts=("Hi.", "My lemons.", "Bye."), **job):
    return SegmentBatch(
        **KEY._asdict(),
        batch_number=number,
        job=dataclasses.replace(JOB, **job),
        texts=texts,
        gaps=[" "] * len(texts),
        translations=[None] * len(texts),
        scores=[None] * len(texts),
        engine_options={"beam": "2"},
    )


def inbound(value, topic=REQUESTS, offset=7, **headers):
    return InboundRecord(topic, 2, offset, KEY.encode(), value, {"traceparent": b"00-1-2-01", **headers}, NOW - 5)


class Failures:
    """Dead letters and what a redrive reads."""

    def __init__(self):
        self.originals = {}
        self.dead_letters = []
        self.results = {}
        self.unmerged_results = {}

    def add(self, record, *, cause="empty_text", stage="intake", about: JobKey | None = KEY, segments=(), at=NOW):
        """Add one dead letter for the record, or one for each of its segments."""
        dead_letter = dead_letter_of(record, PermanentError(cause, "no"), stage=stage, now_ms=at)
        dead_letter = about_request(dead_letter, about) if about else dead_letter
        number = CODEC.decode(record.value, SegmentBatch).batch_number if segments else 0
        for one in about_segments(dead_letter, number, segments) if segments else [dead_letter]:
            lies = InboundRecord(DEAD_LETTERS, 4, len(self.dead_letters), one.dead_letter_id.encode(), b"")
            self.dead_letters.append(summary_of(one, lies))
            self.originals[one.dead_letter_id] = record
        return self.dead_letters[-1]

    def original(self, dead_letter):
        return self.originals[dead_letter.dead_letter_id]

    def newest(self, key):
        return self.results.get(key)

    def text_of(self, result):
        return result.text

    def unmerged(self, failed):
        return self.unmerged_results[failed.key, failed.version]

    def entries_of(self, batch):
        return {}

    def planner(self):
        return RedrivePlanner(self, CODEC, WireFormat(CODEC), BatchLimits(), NOW)

    def plan_all(self):
        return [self.planner().plan(group) for group in groups_of(self.dead_letters, self.dead_letters)]
