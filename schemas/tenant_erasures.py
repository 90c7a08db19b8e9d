"""How far the erasure of a tenant is, as the HTTP processes tell each other. Pure."""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Self

# A process at work tells of it this often, and is taken for dead after this silence.
TELL_SECONDS, SILENCE_SECONDS = 5.0, 60.0


class ErasureStage(StrEnum):
    """WAITING for another tenant's, READING what Kafka holds, ORDERING, then one of the last three."""

    WAITING = "WAITING"
    READING = "READING"
    ORDERING = "ORDERING"
    ORDERED = "ORDERED"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"


_AT_WORK = (ErasureStage.WAITING, ErasureStage.READING, ErasureStage.ORDERING)


@dataclass(frozen=True, kw_only=True)
class TenantErasure:
    """The last erasure of a tenant. Times are milliseconds since the epoch.

    `requests` were found that are not erased, None before all are; the orders of `ordered` are stored.
    """

    tenant: str
    asked_by: str
    asked_at: int
    told_at: int
    stage: ErasureStage = ErasureStage.WAITING
    requests: int | None = None
    ordered: int = 0

    @property
    def is_under_way(self) -> bool:
        """Tell whether a process is at it, or has it in line."""
        return self.stage in _AT_WORK

    def seen_at(self, now_ms: int) -> Self:
        """Return it as it stands: one of which nobody tells any more was interrupted."""
        is_silent = now_ms - self.told_at > SILENCE_SECONDS * 1000
        if not self.is_under_way or not is_silent:
            return self
        return replace(self, stage=ErasureStage.INTERRUPTED)

    def encode(self) -> str:
        """Return the text that `decode` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """Return what `encode` wrote."""
        fields = json.loads(text)
        return cls(**fields | {"stage": ErasureStage(fields["stage"])})
