"""What the pipeline asks of its stores; connectors/redis, object_store and memory implement it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from schemas.segments import Remembered
from schemas.slots import AnswerOrder, Arrival, RequestRevision, SlotDecision


class Slots(Protocol):
    """Every call may be repeated. Raises TransientError."""

    def decide(self, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        """One decision per entry; they take effect in their order."""

    def confirm(self) -> None:
        """Raises TransientError when decisions made before this call may have been made on a lost state."""

    def finish(self, completers: Mapping[RequestRevision, str]) -> None:
        """These answers (subject -> coordinates) are committed: nothing wins any more, slots may go."""

    def answered(self, request_revisions: Sequence[RequestRevision]) -> list[bool]:
        """Whether `finish` was called for each."""

    def reopen(self, request_revisions: Sequence[RequestRevision]) -> None:
        """Forget slots and completers, so that the subjects can be answered anew.

        Only while no assembler runs: one under way would answer a second time.
        """


class Results(Protocol):
    """Raises TransientError."""

    def put_many(self, encoded: Mapping[str, bytes]) -> None:
        """Request -> framed TranslationResult; the latest wins."""

    def get(self, request_id: str) -> bytes | None:
        """The framed TranslationResult; None where there is none (any more)."""


class SeenRequests(Protocol):
    """Losing a marker is harmless (the same batches are sent again); a marker too early would not be."""

    async def look_up(self, request_id: str) -> str | None:
        """The fingerprint of the payload that was accepted, or None. Raises TransientError."""

    async def mark(self, fingerprints: Mapping[str, str], ttl_seconds: int) -> None:
        """Remember request id -> fingerprint; the first payload of an id stays. Raises TransientError."""

    async def forget(self, request_ids: Sequence[str]) -> None:
        """These requests are new again. Raises TransientError."""


class TranslationMemory(Protocol):
    """For threads. Keys come from schemas.segments.memory_key. Never raises because it is away."""

    def get_many(self, keys: Sequence[str]) -> list[Remembered | None]:
        """One answer per key, in the order of the keys."""

    def put_many(self, items: Mapping[str, Remembered]) -> None:
        """Remember these; the latest wins."""


class AsyncTranslationMemory(Protocol):
    """The read side for an event loop."""

    async def get_many(self, keys: Sequence[str]) -> list[Remembered | None]:
        """One answer per key, in the order of the keys."""


class AnsweredRequests(Protocol):
    """Never raises."""

    def among(self, request_revisions: Collection[RequestRevision]) -> set[RequestRevision]:
        """Those that are answered; none of them when that cannot be asked."""


class ModelVersions(Protocol):
    """The read side for an event loop."""

    async def read(self, pool: str) -> dict[str, str]:
        """Pair (`en-pt`) -> model version; empty when no worker of the pool is ready."""


class ObjectStore(Protocol):
    """Keeps texts. Raises PermanentError naming content_ref, or TransientError when the store is away."""

    def read_text(self, ref: str, limit_bytes: int) -> str:
        """The text; refused before it is read when it is larger than `limit_bytes`."""

    def write_text(self, name: str, text: str) -> str:
        """Stores the text under the name and returns its reference; the same name replaces."""
