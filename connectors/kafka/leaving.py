"""The end of memberships. A static member that stops in order gives its place up: others go on at once.

librdkafka (2.16) never leaves for one, as it may come back under its name. Who is killed does come back; who is
told to stop may be gone for good (scale-in, a spot machine).
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError

log = structlog.get_logger()

_PATIENCE_SECONDS = 3.0


class Member(Protocol):
    """A reader that has joined a group."""

    group: str

    def close(self) -> None:
        """A static member stays in the group."""


def close_readers(settings: KafkaSettings, readers: Sequence[Member], instance: str, *, for_good: bool) -> None:
    """Where a static member cannot leave within 3 s, the end of its session does it: never raises."""
    for reader in readers:
        reader.close()
    if for_good and settings.static_membership:
        _leave(settings, [reader.group for reader in readers], instance)


def _leave(settings: KafkaSettings, groups: Sequence[str], instance: str) -> None:
    from connectors.kafka.leave_request import leave_groups  # noqa: PLC0415  # a quarter of a second, once in a life

    try:
        asyncio.run(leave_groups(settings, groups, instance, _PATIENCE_SECONDS))
    except TransientError as error:
        log.warning("groups_not_left", groups=groups, error=str(error))
