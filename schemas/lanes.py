"""The lanes in which batches wait for workers: one of each priority, and a bulk lane beside it for long requests.

A long request of some priority must not keep every short one of the same priority waiting behind it. Critical has
no bulk lane: what is long is refused there (docs/decisions/0047-long-requests-have-lanes-of-their-own.md).
"""

from enum import StrEnum
from functools import cached_property

from schemas.priorities import Priority

DEFAULT_BULK_WORDS = 2000
_BULK = ".bulk"


class Lane(StrEnum):
    """In the order in which workers serve them. The lane for short requests has the name of its priority."""

    CRITICAL = "critical"
    HIGH = "high"
    HIGH_BULK = "high.bulk"
    STANDARD = "standard"
    STANDARD_BULK = "standard.bulk"

    # Workers ask between any two sentences.
    @cached_property
    def priority(self) -> Priority:
        """Return the priority of the requests in it."""
        return Priority(self.value.removesuffix(_BULK))

    @cached_property
    def is_bulk(self) -> bool:
        """Tell whether it is for long requests."""
        return self.value.endswith(_BULK)


LANES_OF = {one: tuple(lane for lane in Lane if lane.priority is one) for one in Priority}


_UP_TO = {lane: tuple(Lane)[: number + 1] for number, lane in enumerate(Lane)}


def lanes_up_to(lane: Lane) -> tuple[Lane, ...]:
    """Return the lane, behind all that are served before it."""
    return _UP_TO[lane]


def lane_of(priority: Priority, words: int, bulk_words: int) -> Lane:
    """Return the lane of a request of so many words, all its batches together; `bulk_words` 0: no bulk lanes."""
    is_long = bool(bulk_words) and words > bulk_words
    return LANES_OF[priority][-1 if is_long else 0]
