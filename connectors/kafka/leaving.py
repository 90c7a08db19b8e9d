"""The end of memberships. A static member that stops in order gives its place up: others go on at once.

librdkafka (2.16) never leaves for one, as it may come back under its name. Who is killed does come back; who is
told to stop may be gone for good (scale-in, a spot machine). Kafka removes any member that is named by its id in
the plain LeaveGroup request; aiokafka, which Faust brings, can send it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import structlog

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.tls import tls_context

if TYPE_CHECKING:
    from aiokafka.client import AIOKafkaClient  # type: ignore[import-untyped]

log = structlog.get_logger()

_PATIENCE_SECONDS = 3.0
_ASK_AGAIN_SECONDS = 0.2
_GROUP_COORDINATOR = 0
_HAS_LEFT = (0, 25)  # none, UNKNOWN_MEMBER_ID


class Member(Protocol):
    """A reader that has joined a group."""

    group: str

    @property
    def member_id(self) -> str:
        """What the group calls it; empty while it is no member."""

    def close(self) -> None:
        """A static member stays in the group."""


def close_readers(settings: KafkaSettings, readers: Sequence[Member], *, for_good: bool) -> None:
    """Where a static member cannot leave within 3 s, the end of its session does it: never raises."""
    members = {reader.group: reader.member_id for reader in readers if reader.member_id}
    for reader in readers:
        reader.close()
    if for_good and settings.static_membership and members:
        asyncio.run(_leave(settings, members))


async def _leave(settings: KafkaSettings, members: Mapping[str, str]) -> None:
    # Once in the life of a process: imported at its start it would take a quarter of a second from each.
    from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            client = await _connected(settings)
            try:
                await asyncio.gather(*(_leave_group(client, *member) for member in members.items()))
            finally:
                await client.close()
    except (KafkaError, TimeoutError, OSError) as error:
        log.warning("groups_not_left", groups=sorted(members), error=f"{type(error).__name__}: {error}")


async def _connected(settings: KafkaSettings) -> "AIOKafkaClient":
    from aiokafka.client import AIOKafkaClient  # noqa: PLC0415

    client = AIOKafkaClient(
        bootstrap_servers=settings.bootstrap,
        security_protocol=settings.security_protocol,
        ssl_context=tls_context(settings),
        sasl_mechanism=settings.sasl_mechanism,
        sasl_plain_username=settings.sasl_username or None,
        sasl_plain_password=settings.sasl_password.get_secret_value() or None,
    )
    await client.bootstrap()
    return client


async def _leave_group(client: "AIOKafkaClient", group: str, member_id: str) -> None:
    """Until the group's coordinator has answered; one that has just started may still be reading its log."""
    from aiokafka.errors import KafkaError  # noqa: PLC0415
    from aiokafka.protocol.group import LeaveGroupRequest  # type: ignore[import-untyped]  # noqa: PLC0415

    while True:
        try:
            node = await client.coordinator_lookup(_GROUP_COORDINATOR, group)
            answer = await client.send(node, LeaveGroupRequest(group, member_id))
        except KafkaError as error:
            log.debug("coordinator_not_reached", group=group, error=str(error))
        else:
            if answer.error_code in _HAS_LEFT:
                return
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
