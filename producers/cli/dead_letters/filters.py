"""Which letters a command is about. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from producers.cli.dead_letters.summary import DeadLetterSummary
from producers.cli.failures import UsageError

_AGO = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}


@dataclass(frozen=True, kw_only=True)
class DeadLetterFilter:
    """What is None, or empty, leaves that part open. Milliseconds since the epoch; `until_ms` is not included."""

    ids: Sequence[str] = ()
    stage: str | None = None
    cause: str | None = None
    tenant: str | None = None
    request: str | None = None
    topic: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    limit: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing narrows it: every letter is meant."""
        return not any(getattr(self, part.name) for part in fields(self))

    def matches(self, letter: DeadLetterSummary) -> bool:
        """Whether the letter is meant; `limit` counts later."""
        asked = (self.stage, self.cause, self.tenant, self.request, self.topic)
        found = (letter.stage, letter.cause, letter.tenant, letter.request_id, letter.topic)
        return (
            all(wanted in (None, own) for wanted, own in zip(asked, found, strict=True))
            and (not self.ids or letter.dead_letter_id in self.ids)
            and (self.since_ms is None or self.since_ms <= letter.failed_at)
            and (self.until_ms is None or letter.failed_at < self.until_ms)
        )

    def chosen(self, letters: Sequence[DeadLetterSummary]) -> list[DeadLetterSummary]:
        """The first of them that are meant, as many as the limit allows."""
        return [letter for letter in letters if self.matches(letter)][: self.limit]


def moment_ms(text: str, now: datetime) -> int:
    """`90m`, `12h`, `7d`: so long ago; else ISO 8601, in UTC where no zone is named. Raises UsageError."""
    if ago := _AGO.fullmatch(text):
        return round((now.timestamp() - int(ago[1]) * _SECONDS[ago[2]]) * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time", "say 90m, 12h, 7d or 2026-01-31T12:00") from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
