"""Read what was billed from ClickHouse over its HTTP interface."""

import time
from collections.abc import Collection
from contextlib import suppress

import httpx

from deploy.local.state_files import RunInfo
from tests.chaos.verdict import Bill

_ANSWER_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 1.0


def bills(client: httpx.Client, run: RunInfo) -> dict[str, Bill]:
    """Return the bills by the key of the request. Raises httpx.HTTPError when ClickHouse is unreachable."""
    sql = (
        "SELECT concat(tenant, '/', request_id) AS key, toUInt32(count()), toUInt32(sum(source_words)) "
        "FROM usage_events WHERE kind = 'billed' GROUP BY key"
    )
    rows = (line.split("\t") for line in _ask(client, run, sql).splitlines())
    return {key: Bill(int(found), int(words)) for key, found, words in rows}


def is_billed(client: httpx.Client, run: RunInfo, key: str) -> bool:
    """Return whether its row can be queried. Raises httpx.HTTPError when ClickHouse is unreachable."""
    sql = f"SELECT count() FROM usage_events WHERE kind = 'billed' AND concat(tenant, '/', request_id) = '{key}'"
    return int(_ask(client, run, sql)) > 0


def settled_bills(run: RunInfo, keys: Collection[str], longest_seconds: float) -> dict[str, Bill]:
    """Return the bills once each of these requests has one, or after `longest_seconds`."""
    end = time.monotonic() + longest_seconds
    found: dict[str, Bill] = {}
    with httpx.Client() as client:
        while time.monotonic() < end and not set(keys) <= found.keys():
            time.sleep(_ASK_AGAIN_SECONDS)
            with suppress(httpx.HTTPError):
                found = bills(client, run)
    return found


def _ask(client: httpx.Client, run: RunInfo, sql: str) -> str:
    token = {"Authorization": f"Bearer {run.analytics_token()}"}
    answer = client.post(run.analytics_url, content=sql, headers=token, timeout=_ANSWER_SECONDS)
    return answer.raise_for_status().text
