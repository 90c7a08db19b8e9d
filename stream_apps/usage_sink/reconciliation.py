"""Compare the books with each other: the results topic, the raw events, the requests, the hourly rollup.

The topic is the truth about answers and words. It is compacted, so the newest answer of each request counts: the
billed events of a request add up to it. An answer that comes while it is compared is in none of the sums, as only
what was completed before `until_ms` is looked at; the sink must have caught up by then.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import TranslationResult
from schemas.records import InboundRecord

Ask = Callable[[str], Sequence[Mapping[str, Any]]]
"""Runs a SELECT and returns its rows by name. May raise TransientError."""

_RAW = """
SELECT tenant, count() AS requests, sum(words) AS words
FROM
(
    SELECT tenant, request_id, sum(source_words) AS words, max(at) AS last
    FROM usage_events
    WHERE kind = 'billed'
    GROUP BY tenant, request_id
    HAVING last >= fromUnixTimestamp64Milli({since}) AND last < fromUnixTimestamp64Milli({until})
)
GROUP BY tenant
"""
_REQUESTS = """
SELECT tenant, count() AS requests, sum(words) AS words
FROM
(
    SELECT tenant, request_id, argMax(source_words, answer) AS words, max(completed_at) AS last
    FROM requests FINAL
    GROUP BY tenant, request_id
    HAVING last >= fromUnixTimestamp64Milli({since}) AND last < fromUnixTimestamp64Milli({until})
)
GROUP BY tenant
"""
_ROLLUP = "SELECT count() AS hours FROM rollup_differences"


class Sums(NamedTuple):
    """Requests with an answer, and their source words."""

    requests: int = 0
    words: int = 0


@dataclass(frozen=True)
class Difference:
    """What one tenant's books say differently. `books`: usage_events or requests."""

    books: str
    tenant: str
    topic: Sums
    found: Sums


@dataclass(frozen=True)
class Reconciliation:
    """The result of a comparison: what was compared, and all differences."""

    topic: Sums
    differences: tuple[Difference, ...] = ()
    rollup_hours: int = 0

    @property
    def is_sound(self) -> bool:
        """Tell whether all books say the same."""
        return not self.differences and not self.rollup_hours

    def off(self, books: str) -> int:
        """Return by how many requests and words a book is off, all tenants together."""
        found = [one for one in self.differences if one.books == books]
        return sum(
            abs(one.topic.requests - one.found.requests) + abs(one.topic.words - one.found.words) for one in found
        )


@dataclass
class TopicSums:
    """Adds up the newest answer of each request. Holds a few bytes for each request of the window."""

    codec: Codec
    since_ms: int
    until_ms: int
    _newest: dict[tuple[str, str], tuple[int, int, int]] = field(default_factory=dict, init=False)

    def add(self, records: Iterable[InboundRecord]) -> None:
        """Take in records of the results topic; what is no result is passed over, as the sink does."""
        for record in records:
            try:
                result = self.codec.decode(record.value, TranslationResult) if record.value else None
            except PermanentError:
                continue
            if result is None:
                continue
            found = (result.version, result.completed_at, result.source_words)
            self._newest[result.key] = max(self._newest.get(result.key, found), found)

    def by_tenant(self) -> dict[str, Sums]:
        """Return the sums of what was completed in the window."""
        requests, words = Counter[str](), Counter[str]()
        for (tenant, _), (_, completed_at, count) in self._newest.items():
            if self.since_ms <= completed_at < self.until_ms:
                requests[tenant] += 1
                words[tenant] += count
        return {tenant: Sums(requests[tenant], words[tenant]) for tenant in requests}


def reconcile(topic: TopicSums, ask: Ask) -> Reconciliation:
    """Compare ClickHouse with what was read of the topic. Raises as `ask` does."""
    truth = topic.by_tenant()
    books = {"usage_events": _RAW, "requests": _REQUESTS}
    window = {"since": topic.since_ms, "until": topic.until_ms}
    differences = [
        Difference(name, tenant, truth.get(tenant, Sums()), found.get(tenant, Sums()))
        for name, sql in books.items()
        for found in [_by_tenant(ask(sql.format(**window)))]
        for tenant in sorted(truth.keys() | found.keys())
        if truth.get(tenant, Sums()) != found.get(tenant, Sums())
    ]
    (rollup,) = ask(_ROLLUP)
    total = Sums(*(sum(column) for column in zip(*truth.values(), strict=True))) if truth else Sums()
    return Reconciliation(total, tuple(differences), int(rollup["hours"]))


def _by_tenant(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sums]:
    return {row["tenant"]: Sums(int(row["requests"]), int(row["words"])) for row in rows}
