"""The agent: takes events of one topic in order, has them processed, and only then finishes them."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import structlog
from faust.types import EventT, StreamT

from connectors.faust.application import DurableApp
from connectors.faust.guard import EventProcessor, WaitInterruptedError
from connectors.faust.records import record_of
from connectors.faust.settings import FaustSettings
from connectors.faust.transport import FinishedConsumer

log = structlog.get_logger()

EXIT_CODE = 70

Exit = Callable[[int], Any]


class Finisher(Protocol):
    """The part of the consumer that decides what may be committed."""

    def finish(self, message: Any) -> None:
        """The event and all before it are done."""

    def abandon(self) -> None:
        """Commit nothing more before the next assignment."""


def consume(app: DurableApp, topic: str, guard: EventProcessor, settings: FaustSettings) -> None:
    """An agent for the topic, with a buffer of its own, so that no other topic's flood delays it."""

    async def agent(stream: StreamT[Any]) -> None:
        # Faust's interface lacks the method that its streams have.
        async for events in cast(Any, stream).take_events(settings.take_records, settings.take_seconds):
            consumer = cast(FinishedConsumer, app.consumer)
            await process(events, guard, consumer, may_cancel=lambda: app.should_stop)

    channel = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    # More than one at a time would finish a later event before an earlier one.
    app.agent(channel, name=f"consume.{topic}", concurrency=1)(agent)


async def process(
    events: Sequence[EventT[Any]],
    guard: EventProcessor,
    consumer: Finisher,
    *,
    may_cancel: Callable[[], bool],
    leave: Exit = os._exit,
) -> None:
    """Finishes the events, abandons them before a rebalance, or ends the process so that they come again.

    Faust would go on with the next event after an exception, and this one would be lost.
    """
    try:
        await guard.process([record_of(event) for event in events])
    except WaitInterruptedError:
        log.warning("events_abandoned", events=len(events))
        consumer.abandon()
        return
    except asyncio.CancelledError:
        if not may_cancel():
            _leave("cancelled", leave)
        raise
    except BaseException as error:
        _leave(f"{type(error).__name__}: {error}", leave)
        raise
    for event in events:
        consumer.finish(event.message)


def _leave(reason: str, leave: Exit) -> None:
    log.critical("process_exits", reason=reason, code=EXIT_CODE)
    leave(EXIT_CODE)
