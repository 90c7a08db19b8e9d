"""What a tenant has used: billed answers, in the books that the analytics process keeps seconds behind Kafka.

This module knows the question and its SQL; connectors/clickhouse/client.py asks it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from schemas.errors import PermanentError, TransientError

_RETRY_AFTER_SECONDS = 10
# Days, pairs or values of a label of one answer.
MOST_ROWS = 1000

Row = dict[str, Any]


class By(StrEnum):
    """What each row is about."""

    DAY = "day"
    PAIR = "pair"
    LABEL = "label"


@dataclass(frozen=True)
class UsageQuestion:
    """The usage of a tenant from the day `since` to the day `until`, both included, in UTC.

    `tenant` is a DNS label and `label` holds neither quotes nor backslashes, so that both may stand in SQL.
    """

    tenant: str
    since: date
    until: date
    by: By = By.DAY
    label: str = ""

    @property
    def sql(self) -> str:
        """Return the SQL: a row for each name, of requests, words and characters; corrections add to theirs."""
        name = {
            By.DAY: "toString(toDate(at))",
            By.PAIR: "concat(source_language, '-', target_language)",
            By.LABEL: f"labels['{self.label}']",
        }[self.by]
        return (
            f"SELECT {name} AS name, uniqExact(request_id) AS requests, sum(source_words) AS words,"
            " sum(source_characters) AS characters FROM usage_events"
            f" WHERE kind = 'billed' AND tenant = '{self.tenant}'"
            f" AND at >= toDateTime('{self.since} 00:00:00', 'UTC')"
            f" AND at < toDateTime('{self.until + timedelta(days=1)} 00:00:00', 'UTC')"
            f" GROUP BY name ORDER BY name LIMIT {MOST_ROWS}"
        )


class Books(Protocol):
    """Tells what was used."""

    async def usage(self, question: UsageQuestion) -> list[Row]:
        """Return the rows, ordered by name. Raises TransientError while the books cannot be read."""


class NoBooks:
    """Stands where no address of the analytics process is configured."""

    async def usage(self, question: UsageQuestion) -> list[Row]:  # noqa: ARG002  # the protocol's
        cure = "operators set DRAGOMAN_BOOKS_URL"
        raise TransientError(f"this process knows no address of the books; {cure}", _RETRY_AFTER_SECONDS)


class Client(Protocol):
    """The part of connectors.clickhouse.client.AnalyticsClient that is needed here."""

    def query(self, sql: str) -> list[Row]:
        """Return one dict per row. Raises TransientError or PermanentError."""


@dataclass(frozen=True)
class AnalyticsBooks:
    """Asks the analytics process, or a ClickHouse server. The client blocks, so it works in threads."""

    open_client: Callable[[], Client]

    async def usage(self, question: UsageQuestion) -> list[Row]:
        try:
            return await asyncio.to_thread(lambda: self.open_client().query(question.sql))
        except (PermanentError, TransientError) as error:
            raise unread_books(error) from error


def unread_books(error: PermanentError | TransientError) -> TransientError:
    """Build the error for books that do not answer: whoever asks did nothing wrong, whatever the books say."""
    return TransientError(f"the books cannot be read: {error}", _RETRY_AFTER_SECONDS)


def today(now_ms: int) -> date:
    """Return the day in UTC."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).date()
