"""Measure what a worker does for a segment besides the engine: `python -m tests.bench.worker_path`.

Takes batches of whole documents through the real handler, layer and codec in one process, without Kafka; the
engine takes no time of its own (instant.py). Prints microseconds of processor time a segment, the best of runs.
"""

import time

import structlog

from connectors.memory import FixedAnsweredRequests, InMemoryTranslationMemory
from inference_workers.answers import WorkerIdentity
from inference_workers.engines.bergamot import BergamotEngine
from inference_workers.handler import BatchHandler
from inference_workers.model_router import ModelRouter
from inference_workers.model_store import discover
from inference_workers.priority_credit import Speedometer
from inference_workers.translating import SegmentTranslator
from schemas.codec import Codec
from schemas.ids import JobKey
from schemas.messages import Job
from schemas.records import InboundRecord
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.deadline_policy import SkipPolicy
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.segmentation import Segmenter
from tests.bench.instant import instantly
from tests.bench.texts import document, sentences
from tests.dead_letters import dead_letter_writer
from tests.worker_cycle import outputs_of

SEGMENTS, DOCUMENT, RUNS, TAKEN = 4_000, 1_000, 3, 4
_INFO = 20
CODEC = Codec()


def records(start: int) -> list[InboundRecord]:
    """Return the batches of documents that have so many sentences, from this number on."""
    found: list[InboundRecord] = []
    for first in range(start, start + SEGMENTS, DOCUMENT):
        pieces = cut(Segmenter().split(document(sentences(DOCUMENT, first)), "en", "pt"), BatchLimits())
        count = sum(len(piece.texts) for piece in pieces)
        job = Job(source_language="en", target_language="pt", segments=count, batches=len(pieces))
        for batch in batches_of(JobKey("bench", f"r{first}"), job, pieces, [None] * count, Wishes()):
            found.append(InboundRecord("batches", 0, len(found), b"", CODEC.encode(batch)))
    return found


def handler(router: ModelRouter) -> BatchHandler:
    """Return a handler that remembers nothing yet."""
    segments = SegmentTranslator(router, InMemoryTranslationMemory(), time.perf_counter)
    identity = WorkerIdentity("w1", "default", "cpu", "on_demand")
    letters = dead_letter_writer("inference")
    return BatchHandler(
        CODEC, SkipPolicy(FixedAnsweredRequests()), segments, identity, Speedometer(1.0), lambda: 5, letters
    )


def seconds_of(taken: list[InboundRecord], worker: BatchHandler) -> float:
    """Return the processor time that the worker needs for the records, a few at once."""
    started = time.process_time()
    for at in range(0, len(taken), TAKEN):
        outputs_of(worker, taken[at : at + TAKEN])
    return time.process_time() - started


def main() -> None:
    """Print the figure."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_INFO))
    BergamotEngine.translate = instantly  # type: ignore[assignment,method-assign]  # the real loader makes the engine
    router = ModelRouter(discover())
    router.warm_up()
    best = min(seconds_of(records(run * SEGMENTS), handler(router)) for run in range(RUNS))
    print(f"{best / SEGMENTS * 1e6:.0f} us a segment, of which the engine's stand-in takes about 22")


if __name__ == "__main__":
    main()
