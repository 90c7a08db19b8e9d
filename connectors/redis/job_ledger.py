"""Writes what is known of every job. A fact replaces a lighter one, so order and repeats do not matter.

State Redis: hash `job:{id}` (facts stamped with their weight, counters of what is done) and the bitmap
`job:{id}:batches` (which batches are done), both in one cluster slot.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.redis.client import AsyncClient, Call, run_all_async, script
from connectors.redis.request_markers import DeadlineWriter
from schemas.priorities import Priority

# Below 2^53, so that Lua compares exactly.
WEIGHT_DIGITS = 16
HEAVIEST = 9 * 10**15


@dataclass(frozen=True)
class QueuePosition:
    """What is before a job. `words_per_second` None while nothing was measured."""

    jobs_ahead: int
    words_ahead: int
    words_per_second: float | None


# Two spans cannot be compared with a job of a few seconds, a minute can.
SPAN_MS = 5_000


SPANS = 12


_KEEP_SPEED_SECONDS = 3 * SPANS * SPAN_MS // 1000


_EXACT_JOBS = 500


@dataclass(frozen=True)
class WaitingJob:
    """A job as the queue sees it. `remaining_words` None: it waits no more."""

    request_id: str
    pool: str
    priority: Priority
    submitted_at: int
    remaining_words: int | None


@dataclass(frozen=True)
class FinishedWords:
    """Words that were just finished, and when (ms)."""

    words: int = 0
    at: int = 0


def update_queue_call(job: WaitingJob, progress: FinishedWords, forget_before_ms: int) -> Call:
    """Brings the queue up to date with the job."""
    remaining = "" if job.remaining_words is None else job.remaining_words
    keys = (*_queue(job.pool, job.priority), _speed(job.pool, progress.at // SPAN_MS))
    arguments = (
        job.request_id,
        job.submitted_at,
        remaining,
        forget_before_ms,
        progress.words,
        _KEEP_SPEED_SECONDS,
    )
    return Call(script("place_job"), keys, arguments)


def queue_position_call(request_id: str, pool: str, priority: Priority, now_ms: int) -> Call:
    """Asks for the job's place; `place_of` reads the reply."""
    urgent = list(Priority)[: list(Priority).index(priority) + 1]
    queues = [key for one in urgent for key in _queue(pool, one)]
    # The present span is not over, so it would count as slow.
    last = now_ms // SPAN_MS - 1
    speeds = [_speed(pool, last - back) for back in range(SPANS)]
    return Call(script("ask_queue"), [*queues, *speeds], (request_id, len(urgent), _EXACT_JOBS))


def queue_position_of(reply: Sequence[int | bytes | None]) -> QueuePosition | None:
    """None for a job that is not waiting."""
    if not reply:
        return None
    jobs, words, *spans = reply
    return QueuePosition(int(jobs or 0), int(words or 0), words_per_second([int(span) for span in spans if span]))


def words_per_second(spans: Sequence[int]) -> float | None:
    """Mean over the spans in which words were finished: an idle minute does not make a pool slow."""
    return sum(spans) / (len(spans) * SPAN_MS / 1000) if spans else None


def _queue(pool: str, priority: Priority) -> tuple[str, str]:
    return f"{{queue:{pool}}}:{priority}", f"{{queue:{pool}}}:{priority}:words"


def _speed(pool: str, span: int) -> str:
    return f"{{queue:{pool}}}:speed:{span}"


@dataclass(frozen=True)
class Fact:
    """What one event says, and how much its word counts against others: 0 to HEAVIEST."""

    value: str
    weight: int


@dataclass(frozen=True)
class BatchDone:
    """One finished batch; counted once."""

    number: int
    segments: int
    words: int
    at: int


@dataclass(frozen=True)
class JobUpdate:
    """All that one event says of one job."""

    request_id: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    batch: BatchDone | None = None
    deadline_ms: int | None = None


@dataclass(frozen=True)
class LedgerTimes:
    """Seconds: how long a job is kept after its last event, and in the queue after its submission."""

    view_seconds: int
    queue_seconds: int


class JobLedger:
    """For an event loop. `clock` gives seconds since the epoch. Raises TransientError."""

    def __init__(self, client: AsyncClient, times: LedgerTimes, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._times = times
        self._clock = clock
        self._deadlines = DeadlineWriter(client)

    async def apply(self, update: JobUpdate) -> None:
        """May be repeated; only the measured speed counts a repeat that follows a failure half-way."""
        ((is_new, known),) = await run_all_async(self._client, [self._merge(update)])
        await self._note_deadline(update, is_finished=known[0] is not None)
        job = _waiting(update.request_id, known)
        if job is None:
            return
        batch = update.batch
        progress = FinishedWords(batch.words, batch.at) if batch and is_new else FinishedWords()
        forget_before_ms = round((self._clock() - self._times.queue_seconds) * 1000)
        await run_all_async(self._client, [update_queue_call(job, progress, forget_before_ms)])

    async def _note_deadline(self, update: JobUpdate, *, is_finished: bool) -> None:
        """An event that comes after the end of its job must not bring the deadline back."""
        if is_finished:
            await self._deadlines.remove(update.request_id)
        elif update.deadline_ms is not None:
            await self._deadlines.add(update.request_id, update.deadline_ms)

    def _merge(self, update: JobUpdate) -> Call:
        batch = update.batch
        done = (batch.number, batch.segments, batch.words) if batch else ("", 0, 0)
        facts = [part for name, fact in update.facts.items() for part in (name, _stamped(fact))]
        return Call(script("merge_job"), job_keys(update.request_id), (self._times.view_seconds, *done, *facts))


def job_keys(request_id: str) -> tuple[str, str]:
    """The hash and the bitmap."""
    return f"job:{{{request_id}}}", f"job:{{{request_id}}}:batches"


def unstamped(value: bytes | None) -> str:
    """The fact's value; empty for none."""
    return (value or b"")[WEIGHT_DIGITS:].decode()


def _stamped(fact: Fact) -> str:
    return f"{min(max(fact.weight, 0), HEAVIEST):0{WEIGHT_DIGITS}d}{fact.value}"


def _waiting(request_id: str, known: Sequence[bytes | None]) -> WaitingJob | None:
    """None before the words of the job are known: until then nobody waits for it."""
    *facts, done = (*known[:4], known[5], known[4])
    status, pool, priority, words, submitted_at = map(unstamped, facts)
    if not words:
        return None
    remaining = max(int(words) - int(done or 0), 0)
    return WaitingJob(request_id, pool, Priority(priority), int(submitted_at or 0), None if status else remaining)
