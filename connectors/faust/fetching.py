"""Keep a fetch short that leaves partitions out.

aiokafka asks a broker for the partitions of which nothing waits to be consumed and which are not paused, and asks
for nothing more until that fetch has ended. Where nothing comes for these, the broker holds it for 1.5 s, and all
others wait: intake stood still for half of the time while thousands of requests waited for it. Uses private parts
of a pinned version.
"""

from typing import Any

from aiokafka.consumer import consumer
from aiokafka.consumer.fetcher import Fetcher

# Long enough to cost next to nothing, soon enough for what was left out.
_LONGEST_MS = 50


def hurry_partial_fetches() -> None:
    """Make every consumer of this process that starts from now on use `HurryingFetcher`."""
    consumer.Fetcher = HurryingFetcher


class HurryingFetcher(Fetcher):  # type: ignore[misc]  # an untyped base
    """A fetcher that lets a broker hold an empty fetch for long only if all of its partitions are in it."""

    def _get_actions_per_node(self, assignment: Any) -> Any:
        requests, *others = super()._get_actions_per_node(assignment)
        for node, request in requests:
            asked = sum(len(partitions) for _, partitions in request.topics)
            if asked < self._held_of(node, assignment):
                request._max_wait_ms = min(request._max_wait_ms, _LONGEST_MS)
        return requests, *others

    def _held_of(self, node: int, assignment: Any) -> int:
        return sum(self._select_read_replica(partition) == node for partition in assignment.tps)
