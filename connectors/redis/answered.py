"""Which requests are answered already, so that nobody works for them any more. Only advice: it saves work.

Reads the markers of connectors/redis/slots.py. A marker counts when it is final: while an answer is under way
its transaction may still be aborted, and then the batches are wanted again.
"""

import time
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from connectors.redis.client import Client
from connectors.redis.slots import RequestRevision, are_answered
from schemas.errors import TransientError

log = structlog.get_logger()

# A Redis that hangs costs its time-outs once, not in every cycle.
_LEFT_ALONE_SECONDS = 5.0


class AnsweredRequests(Protocol):
    """Never raises."""

    def among(self, subjects: Collection[RequestRevision]) -> set[RequestRevision]:
        """Those that are answered; none of them when that cannot be asked."""


class RedisAnsweredRequests:
    """One round trip. `clock` counts seconds."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._asks_again_at = clock()

    def among(self, subjects: Collection[RequestRevision]) -> set[RequestRevision]:
        asked = list(dict.fromkeys(subjects))
        if not asked or self._clock() < self._asks_again_at:
            return set()
        try:
            answers = are_answered(self._client, asked)
        except TransientError as error:
            self._asks_again_at = self._clock() + _LEFT_ALONE_SECONDS
            log.warning("answered_requests_unknown", error=str(error))
            return set()
        return {subject for subject, is_answered in zip(asked, answers, strict=True) if is_answered}


class FixedAnsweredRequests:
    """For tests: what is answered, known beforehand."""

    def __init__(self, *subjects: RequestRevision) -> None:
        self._subjects = set(subjects)

    def among(self, subjects: Collection[RequestRevision]) -> set[RequestRevision]:
        return self._subjects & set(subjects)
