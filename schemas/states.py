"""The names that messages carry for stages, statuses, actions and kinds.

Enums in code, plain strings on the wire. A name is checked when its message is decoded.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeVar

from schemas.errors import PermanentError

E = TypeVar("E", bound=StrEnum)

_HOUR_MS = 3_600_000


class RequestKind(StrEnum):
    """What is translated: one text, an array of texts, or a document."""

    TEXT = "text"
    TEXTS = "texts"
    DOCUMENT = "document"


class JobStage(StrEnum):
    """How far a request has come, in the order of the stages. EXTRACTING and MERGING are those of documents."""

    ACCEPTED = "ACCEPTED"
    EXTRACTING = "EXTRACTING"
    SEGMENTED = "SEGMENTED"
    TRANSLATED = "TRANSLATED"
    MERGING = "MERGING"
    FINISHED = "FINISHED"


class ResultStatus(StrEnum):
    """How a request ended. PARTIAL: some segments could not be translated."""

    COMPLETED = "COMPLETED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class ControlAction(StrEnum):
    """What an order does to a request: each ends it without a text. ERASE does so to an answered one, too."""

    CANCEL = "CANCEL"
    EXPIRE = "EXPIRE"
    FAIL = "FAIL"
    ERASE = "ERASE"


class UsageKind(StrEnum):
    """BILLED: what a tenant pays for, one event per answer. COMPUTE: work of a worker, one event per batch."""

    BILLED = "billed"
    COMPUTE = "compute"


class OperationKind(StrEnum):
    """WORKER: how long a worker has been in a state. SCALING: a decision of the autoscaler."""

    WORKER = "worker"
    SCALING = "scaling"


class WorkerState(StrEnum):
    """What a worker does: load models, work or wait for work, finish what it has in hand."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


def parse_member(enum: type[E], field: str, value: str) -> E:
    """Return the member of that value. Raise PermanentError `unknown_<field>` for any other value."""
    try:
        return enum(value)
    except ValueError:
        names = ", ".join(enum)
        raise PermanentError(
            f"unknown_{field}",
            f"{field} is {value!r}, which is none of {names}",
            field=field,
            limit=names,
            cure=f"send one of {names}",
        ) from None


def parse_optional_member(enum: type[E], field: str, value: str | None) -> E | None:
    """Return the member of that value, or None for no value. Raise as `parse_member` does."""
    return parse_member(enum, field, value) if value else None


def cut_at_full_hours(since_ms: int, until_ms: int) -> Iterator[tuple[int, int]]:
    """Yield an interval in pieces that lie in one hour each, as [since, until) in milliseconds since the epoch."""
    while since_ms < until_ms:
        at = min(since_ms - since_ms % _HOUR_MS + _HOUR_MS, until_ms)
        yield since_ms, at
        since_ms = at
