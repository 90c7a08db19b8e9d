"""Close the readers of a process; a static member that stops for good also leaves its groups at once.

librdkafka (2.16) never leaves for a static member, as it may come back under its name. A killed process does come
back; one that is told to stop may be gone for good (scale-in, a spot machine), and its partitions would rest
until its session ends. So it is removed by its name (KIP-345), with a request that librdkafka cannot send.
"""

import time
from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from connectors.kafka.python_client import admin_client
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError

log = structlog.get_logger()

_LEAVE_SECONDS = 3.0
_RETRY_SECONDS = 0.2


class Member(Protocol):
    """A reader that has joined a group."""

    group: str

    def close(self) -> None:
        """Close the reader; a static member stays in the group."""


def close_readers(settings: KafkaSettings, readers: Sequence[Member], instance: str, *, for_good: bool) -> None:
    """Close them, and leave their groups if `for_good`. Never raises.

    A member that cannot leave within 3 s is removed by the broker when its session ends.
    """
    for reader in readers:
        reader.close()
    if for_good and settings.static_membership:
        groups = [reader.group for reader in readers]
        try:
            leave_groups(settings, groups, instance, _LEAVE_SECONDS)
        except TransientError as error:
            log.warning("groups_not_left", groups=groups, error=str(error))


def leave_groups(settings: KafkaSettings, groups: Sequence[str], instance: str, timeout_seconds: float) -> None:
    """Remove the static member from these groups. Raises TransientError when the time is up.

    Retries until then: a coordinator that has just started may still be reading its log.
    """
    left: set[str] = set()
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            # A new client for each attempt: it would never look for another coordinator of the group.
            with admin_client(settings, max(deadline - time.monotonic(), _RETRY_SECONDS)) as client:
                for group in sorted(set(groups) - left):
                    _leave_group(client, group, instance)
                    left.add(group)
            return
        except TransientError as error:
            if time.monotonic() + _RETRY_SECONDS > deadline:
                raise
            log.debug("group_not_left_yet", error=str(error))
        time.sleep(_RETRY_SECONDS)


def _leave_group(client: Any, group: str, instance: str) -> None:
    """Raise KafkaError unless the group no longer has the member. Without a member id, its name decides."""
    from kafka.admin import MemberToRemove  # noqa: PLC0415  # as python_client.py
    from kafka.errors import NoError, UnknownMemberIdError  # noqa: PLC0415  # as python_client.py

    results = client.remove_group_members(group, [MemberToRemove(group_instance_id=instance)])
    for error in results.values():
        if error not in (NoError, UnknownMemberIdError):
            raise error
