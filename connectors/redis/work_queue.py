"""Who waits for the workers, with how many words, and how fast words get done: places and estimates.

State Redis, all keys of a pool in one cluster slot. Only advice for people: nothing is decided by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.redis.scripts import Call, script
from schemas.priorities import Priority

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


@dataclass(frozen=True)
class QueuePosition:
    """What is before a job. `words_per_second` None while nothing was measured."""

    jobs_ahead: int
    words_ahead: int
    words_per_second: float | None


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
