"""The stores that the pipeline needs, as protocols; connectors/redis, object_store and memory implement them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from schemas.catalogue import Catalogue
from schemas.ids import JobKey
from schemas.plans import RequestPlan
from schemas.segments import Remembered
from schemas.slots import (
    AnswerOrder,
    Arrival,
    Completion,
    ErasureDecision,
    ErasureOrder,
    RequestRevision,
    SlotDecision,
    Told,
)


class Slots(Protocol):
    """Collects the batches of open requests. Every call may be repeated. Raises TransientError."""

    def decide(self, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        """Decide each entry, in their order."""

    def erase(self, orders: Sequence[ErasureOrder]) -> list[ErasureDecision]:
        """Claim requests for erasure: from now on no other record answers them, whichever revision it is of."""

    def confirm(self, claims: Mapping[RequestRevision, str] = ...) -> None:
        """Confirm that these requests may still be answered, each by the record at those coordinates.

        Raises TransientError when a decision may have been made on a state that is lost by now, or was overruled
        by an erasure.
        """

    def finish(self, completions: Mapping[RequestRevision, Completion], told: Told = ...) -> None:
        """Note that these answers are committed: nothing wins any more, callers see them, slots may go.

        Of a request that is claimed for erasure only the erasure is noted.

        Of several revisions of a request the last one of the mapping is shown. An offset that
        is `told` with this call never falls.
        """

    def told(self) -> Told:
        """Return what was told."""

    def answered(self, requests: Sequence[RequestRevision]) -> list[bool]:
        """Tell for each whether `finish` was called."""

    def reopen(self, requests: Sequence[RequestRevision]) -> None:
        """Forget slots and completers, so that the requests can be answered anew.

        Only while no assembler runs: it would answer a second time what it has under way.
        """


class RequestPlans(Protocol):
    """Remembers what intake made of requests. Losing a plan is harmless (the batches are sent again), one that is
    noted before its batches are delivered is not.
    """

    async def look_up(self, keys: Sequence[JobKey]) -> list[RequestPlan | None]:
        """Return the plan of each request; None for one that was not accepted before. Raises TransientError."""

    async def note(self, plans: Mapping[JobKey, RequestPlan]) -> None:
        """Remember the plans; the first plan of a request stays. Raises TransientError."""

    async def forget(self, keys: Sequence[JobKey]) -> None:
        """Forget these requests, so that they count as new. Raises TransientError."""


class TranslationMemory(Protocol):
    """Remembers translations. For threads. Keys come from TranslationContext.memory_keys. Never raises."""

    def get_many(self, keys: Sequence[str]) -> list[Remembered | None]:
        """Return one answer per key, in the order of the keys."""

    def put_many(self, items: Mapping[str, Remembered]) -> None:
        """Remember these; the latest wins."""


class AsyncTranslationMemory(Protocol):
    """The read side of the memory for an event loop."""

    async def get_many(self, keys: Sequence[str]) -> list[Remembered | None]:
        """Return one answer per key, in the order of the keys."""


class AnsweredRequests(Protocol):
    """Knows which requests are answered. Never raises."""

    def among(self, requests: Collection[RequestRevision]) -> set[RequestRevision]:
        """Return those that are answered; none of them when the store is unreachable."""


class ModelVersions(Protocol):
    """Knows which models the workers serve. For an event loop. Raises TransientError."""

    async def read(self, pool: str) -> Catalogue:
        """Return what the pool's workers translate; an empty catalogue while none of them is ready."""


class ObjectStore(Protocol):
    """Keeps texts. Raises PermanentError naming content_ref, or TransientError when the store is unreachable."""

    def read_text(self, ref: str, limit_bytes: int) -> str:
        """Read the text; it is refused unread when it is larger than `limit_bytes`."""

    def write_text(self, name: str, text: str) -> str:
        """Store the text under the name and return its reference; the same name replaces."""
