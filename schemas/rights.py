"""What a tenant with Kafka access of its own may do there, and nothing more. Pure.

Kafka grants rights by the name of a topic or a group, or by how it begins. A beginning ends in a dot here, which
no tenant's name holds: `translation.requests.acme.` is not the beginning of a topic of `acme-2`.
"""

from dataclasses import dataclass
from typing import Literal

from schemas.topics import control_topic, own_requests, results_topic

_GROUPS = "tenant."


@dataclass(frozen=True)
class Right:
    """A right on the topic or group of that name or, where `is_prefix`, on all whose names begin with it."""

    operation: Literal["Read", "Write"]
    resource: Literal["topic", "group"]
    name: str
    is_prefix: bool = False

    def covers(self, name: str) -> bool:
        """Tell whether it holds for the topic or group of that name."""
        return name.startswith(self.name) if self.is_prefix else name == self.name


def own_groups(tenant: str) -> str:
    """Return how the names of a tenant's consumer groups begin; no group of the platform begins so."""
    return f"{_GROUPS}{tenant}."


def rights_of(tenant: str) -> list[Right]:
    """List the rights of a tenant's principal; Kafka adds Describe to each."""
    return [
        Right("Write", "topic", own_requests(tenant), is_prefix=True),
        Right("Write", "topic", control_topic(tenant)),
        Right("Read", "topic", results_topic(tenant)),
        Right("Read", "group", own_groups(tenant), is_prefix=True),
    ]
