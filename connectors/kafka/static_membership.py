"""The end of memberships. A static member that stops in order gives its place up: others go on at once.

librdkafka (2.16) never leaves for one, as it may come back under its name. Who is killed does come back; who is
told to stop may be gone for good (scale-in, a spot machine).

LeaveGroup by static name (KIP-345): Kafka knows it since 2.4, neither librdkafka nor aiokafka can send it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import structlog
from aiokafka.errors import KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int16, Int32, Schema, String

from connectors.kafka.protocol_client import protocol_client
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

    try:
        asyncio.run(leave_groups(settings, groups, instance, _PATIENCE_SECONDS))
    except TransientError as error:
        log.warning("groups_not_left", groups=groups, error=str(error))


_ASK_AGAIN_SECONDS = 0.2
_GROUP_COORDINATOR = 0
_HAS_LEFT = frozenset({0, 25})  # none, UNKNOWN_MEMBER_ID
_TEXT = String("utf-8")


class _LeaveGroupAnswer(Response):  # type: ignore[misc]  # an untyped base, as the two below
    API_KEY = 13
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("members", Array(("member_id", _TEXT), ("group_instance_id", _TEXT), ("error_code", Int16))),
    )


class _LeaveGroupStruct(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = 13
    API_VERSION = 3
    RESPONSE_TYPE = _LeaveGroupAnswer
    SCHEMA = Schema(
        ("group", _TEXT),
        ("members", Array(("member_id", _TEXT), ("group_instance_id", _TEXT))),
    )


class _LeaveGroup(Request[_LeaveGroupStruct]):  # type: ignore[misc]  # as above
    API_KEY = 13

    def __init__(self, group: str, instance: str) -> None:
        self._group, self._instance = group, instance

    def build(self, struct: type[_LeaveGroupStruct]) -> _LeaveGroupStruct:
        # Without a member id the name decides, whatever the group calls the member at the moment.
        return struct(self._group, [("", self._instance)])


async def leave_groups(
    settings: KafkaSettings, groups: Sequence[str], instance: str, timeout_seconds: float
) -> None:
    """Nobody of that static name is in these groups any more. Raises TransientError after the time-out."""
    async with protocol_client(settings, timeout_seconds) as client:
        await asyncio.gather(*(_leave_group(client, group, instance) for group in groups))


async def _leave_group(client: Any, group: str, instance: str) -> None:
    """Until the group's coordinator has said so; one that has just started may still be reading its log."""
    while True:
        try:
            node = await client.coordinator_lookup(_GROUP_COORDINATOR, group)
            answer = await client.send(node, _LeaveGroup(group, instance))
            if {answer.error_code, *(code for *_, code in answer.members)} <= _HAS_LEFT:
                return
        except KafkaError as error:
            log.debug("coordinator_not_reached", group=group, error=str(error))
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
