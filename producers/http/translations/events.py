"""Stream a job as server-sent events: its batches in the order of the text, and at last the job with its result.

The texts are those that the result will be joined of: what assembly has in its slots. Slots are looked at soon
again while batches come, and less often while none does; the result is told of at once (result_tail.py). With the
answer the slots go, so what was not streamed by then is in the result only.

Event ids are `1.BATCH` and at last `1.result`: a client that was cut off sends the last one it has seen
(https://html.spec.whatwg.org/multipage/server-sent-events.html), and hears the rest.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from connectors.telemetry.metrics import OPEN_STREAMS
from producers.http.errors import OverloadedError
from producers.http.ports import JobSnapshot, Ports, ResultWaiter
from producers.http.settings import HttpLimits
from producers.http.translations.jobs import with_text
from producers.http.translations.responses import job_response
from schemas.errors import PermanentError, TransientError
from schemas.ids import JobKey
from schemas.messages import TranslatedBatch, TranslationResult
from stream_apps.pipeline.join import text_of

log = structlog.get_logger()

RECONNECT_MS = 1000
_RESULT = "1.result"
# int() refuses numbers of thousands of digits.
_BATCH = re.compile(r"1\.([0-9]{1,9})")
# As many as come between two looks, mostly; after so many the next look follows at once.
_BATCHES_AT_ONCE = 4
_KEEP_ALIVE_SECONDS = 15.0
# One batch that is late holds up those behind it, which then come all at once, and the answer soon after.
_LONGEST_PAUSE_SECONDS = 0.4
_RETRY_AFTER_SECONDS = 5


class OpenStreams:
    """Counts the streams of this process. For one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a stream as long as the body runs. Raises OverloadedError while too many are open."""
        if self._open >= self._most:
            raise OverloadedError(
                f"{self._most} streams are open in this process, which is the limit", _RETRY_AFTER_SECONDS
            )
        self._open += 1
        OPEN_STREAMS.set(self._open)
        try:
            yield
        finally:
            self._open -= 1
            OPEN_STREAMS.set(self._open)


def batch_after(last_event_id: str | None) -> int | None:
    """Return the number of the batch behind that event; None behind the result, where nothing comes any more.

    Raises PermanentError for an id that is none of ours.
    """
    if last_event_id is None:
        return 0
    if last_event_id == _RESULT:
        return None
    found = _BATCH.fullmatch(last_event_id)
    if found is None:
        raise PermanentError(
            "bad_event_id",
            f"Last-Event-ID is {last_event_id[:40]!r}",
            field="Last-Event-ID",
            limit="1.BATCH, such as 1.7",
            cure="send the id of an event of this job, or leave the header out to begin with the first",
        )
    return int(found[1]) + 1


async def job_events(
    key: JobKey, first: int, ports: Ports, limits: HttpLimits, streams: OpenStreams
) -> AsyncIterator[bytes]:
    """Yield the events of the job in their wire format, from batch `first` on; before them how soon to reconnect.

    Raises OverloadedError, before anything is yielded, while too many are open. Ends early after
    `max_stream_seconds` and while Redis is away: the client comes again.
    """
    with streams.one_more(), ports.results.expect(key) as waiter:
        yield format_sse_event(retry=RECONNECT_MS)
        try:
            async for event in _Stream(key, first, ports, limits, waiter).events():
                yield event
        except TransientError as error:
            log.warning("stream_broken_off", error=str(error))


class _Stream:
    def __init__(self, key: JobKey, first: int, ports: Ports, limits: HttpLimits, waiter: ResultWaiter) -> None:
        self._key = key
        self._next = first
        self._ports = ports
        self._limits = limits
        self._waiter = waiter
        self._clock = asyncio.get_running_loop().time

    async def events(self) -> AsyncIterator[bytes]:
        limits, pause = self._limits, self._limits.poll_seconds
        ends_at, silent_since = self._clock() + limits.max_stream_seconds, self._clock()
        result: TranslationResult | None = None
        while self._clock() < ends_at:
            snapshot, batches = await self._ports.jobs.follow(self._key, self._next, _BATCHES_AT_ONCE)
            for batch in batches:
                yield _batch_event(batch)
                self._next = batch.batch_number + 1
            if result or snapshot.is_finished:
                yield await self._finished(replace(snapshot, result=result or snapshot.result))
                return
            if batches:
                pause, silent_since = limits.poll_seconds, self._clock()
                if len(batches) == _BATCHES_AT_ONCE:
                    continue
            elif self._clock() - silent_since > _KEEP_ALIVE_SECONDS:
                silent_since = self._clock()
                yield KEEPALIVE_COMMENT
            result = await self._waiter.result(self._waiter.pause(pause))
            pause = min(2 * pause, limits.look_seconds, _LONGEST_PAUSE_SECONDS)

    async def _finished(self, snapshot: JobSnapshot) -> bytes:
        shown = job_response(self._key, await with_text(snapshot, self._ports), self._ports.backpressure)
        return format_sse_event(event="result", id=_RESULT, data_str=shown.model_dump_json())


def _batch_event(batch: TranslatedBatch) -> bytes:
    done = batch.batch_number + 1
    data = {
        "batch": batch.batch_number,
        "batches": batch.job.batches,
        "progress": round(100 * done / max(batch.job.batches, 1)),
        "text": text_of(batch),
        "segments": len(batch.translations),
        "holes": len(batch.causes) - batch.causes.count(None),
    }
    return format_sse_event(
        event="batch", id=f"1.{batch.batch_number}", data_str=json.dumps(data, ensure_ascii=False)
    )
