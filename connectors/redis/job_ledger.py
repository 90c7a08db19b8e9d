"""Write what is known of every job, and where it waits. A fact replaces a lighter one, so order does not matter.

State Redis:
`job:{key}`           hash: facts stamped with their weight, counters of what is done
`job:{key}:batches`   bitmap: which batches are done; in the cluster slot of the hash
`{queue:pool}:*`      for each priority, the waiting jobs by time of submission and their remaining words; for each
                      span of time, the words that were finished in it. Only advice: nothing is decided by it
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.redis.client import AsyncClient, Call, run_all_async, script
from connectors.redis.request_markers import DeadlineWriter
from schemas.ids import JobKey
from schemas.priorities import Priority

# Below 2^53, so that Lua compares exactly.
WEIGHT_DIGITS = 16
HEAVIEST = 9 * 10**15

# The speed of a pool is the mean of a minute, long enough to even out jobs of a few seconds.
SPAN_MS = 5_000
SPANS = 12
_KEEP_SPEED_SECONDS = 3 * SPANS * SPAN_MS // 1000
# So many jobs ahead have their words added up; the rest counts as their mean.
_EXACT_JOBS = 500


@dataclass(frozen=True)
class Fact:
    """What one event says, and how much it counts against others: 0 to HEAVIEST."""

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
    """Everything that one event says of one job."""

    key: JobKey
    facts: Mapping[str, Fact] = field(default_factory=dict)
    batch: BatchDone | None = None
    deadline_ms: int | None = None


@dataclass(frozen=True)
class LedgerTimes:
    """Seconds: how long a job is kept after its last event, and in the queue after its submission."""

    view_seconds: int
    queue_seconds: int


@dataclass(frozen=True)
class QueuePosition:
    """What is ahead of a job. `words_per_second` None while nothing was measured."""

    jobs_ahead: int
    words_ahead: int
    words_per_second: float | None


@dataclass(frozen=True)
class _WaitingJob:
    """A job as the queue sees it. `remaining_words` None: it does not wait any more."""

    key: JobKey
    pool: str
    priority: Priority
    submitted_at: int
    remaining_words: int | None


class JobLedger:
    """Merges events into jobs. For an event loop. `clock`: seconds since 1970. Raises TransientError."""

    def __init__(self, client: AsyncClient, times: LedgerTimes, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._times = times
        self._clock = clock
        self._deadlines = DeadlineWriter(client)

    async def apply(self, update: JobUpdate) -> None:
        """Merge one event. May be repeated; only the measured speed counts a repeat after a failure half-way."""
        ((is_new, known),) = await run_all_async(self._client, [self._merge_call(update)])
        await self._note_deadline(update, is_finished=known[0] is not None)
        job = _waiting_job(update.key, known)
        if job is None:
            return
        done = update.batch if is_new else None
        forget_before_ms = round((self._clock() - self._times.queue_seconds) * 1000)
        await run_all_async(self._client, [_queue_call(job, done, forget_before_ms)])

    async def _note_deadline(self, update: JobUpdate, *, is_finished: bool) -> None:
        # An event that comes after the end of its job must not bring the deadline back.
        if is_finished:
            await self._deadlines.remove(update.key)
        elif update.deadline_ms is not None:
            await self._deadlines.add(update.key, update.deadline_ms)

    def _merge_call(self, update: JobUpdate) -> Call:
        batch = update.batch
        done = (batch.number, batch.segments, batch.words) if batch else ("", 0, 0)
        facts = [part for name, fact in update.facts.items() for part in (name, _stamped(fact))]
        return Call(script("merge_job"), job_keys(update.key), (self._times.view_seconds, *done, *facts))


def job_keys(key: JobKey) -> tuple[str, str]:
    """Name the hash and the bitmap of a job."""
    return f"job:{{{key}}}", f"job:{{{key}}}:batches"


def unstamped(value: bytes | None) -> str:
    """Strip the weight from a fact's value; empty for none."""
    return (value or b"")[WEIGHT_DIGITS:].decode()


def queue_position_call(key: JobKey, pool: str, priority: Priority, now_ms: int) -> Call:
    """Make the call that asks for a job's position; `queue_position_of` reads the reply."""
    urgent = list(Priority)[: list(Priority).index(priority) + 1]
    queues = [key for one in urgent for key in _queue_keys(pool, one)]
    # The present span is not over, so it would count as slow.
    last = now_ms // SPAN_MS - 1
    speeds = [_speed_key(pool, last - back) for back in range(SPANS)]
    return Call(script("ask_queue"), [*queues, *speeds], (str(key), len(urgent), _EXACT_JOBS))


def queue_position_of(reply: Sequence[int | bytes | None]) -> QueuePosition | None:
    """Read the position from a reply; None for a job that is not waiting."""
    if not reply:
        return None
    jobs, words, *spans = reply
    return QueuePosition(int(jobs or 0), int(words or 0), _words_per_second([int(span) for span in spans if span]))


def _words_per_second(spans: Sequence[int]) -> float | None:
    """Average over the spans in which words were finished: an idle minute does not make a pool slow."""
    return sum(spans) / (len(spans) * SPAN_MS / 1000) if spans else None


def _queue_call(job: _WaitingJob, done: BatchDone | None, forget_before_ms: int) -> Call:
    """Make the call that brings the queue up to date with the job, and counts the words just finished."""
    words, finished_at = (done.words, done.at) if done else (0, 0)
    remaining = "" if job.remaining_words is None else job.remaining_words
    keys = (*_queue_keys(job.pool, job.priority), _speed_key(job.pool, finished_at // SPAN_MS))
    times = (forget_before_ms, words, _KEEP_SPEED_SECONDS)
    return Call(script("place_job"), keys, (str(job.key), job.submitted_at, remaining, *times))


def _queue_keys(pool: str, priority: Priority) -> tuple[str, str]:
    return f"{{queue:{pool}}}:{priority}", f"{{queue:{pool}}}:{priority}:words"


def _speed_key(pool: str, span: int) -> str:
    return f"{{queue:{pool}}}:speed:{span}"


def _stamped(fact: Fact) -> str:
    return f"{min(max(fact.weight, 0), HEAVIEST):0{WEIGHT_DIGITS}d}{fact.value}"


def _waiting_job(key: JobKey, known: Sequence[bytes | None]) -> _WaitingJob | None:
    """Read the job from the reply of the merge; None before its words are known: until then it does not wait."""
    *facts, done = (*known[:4], known[5], known[4])
    status, pool, priority, words, submitted_at = map(unstamped, facts)
    if not words:
        return None
    remaining = max(int(words) - int(done or 0), 0)
    submitted_at_ms = int(submitted_at or 0)
    return _WaitingJob(key, pool, Priority(priority), submitted_at_ms, None if status else remaining)
