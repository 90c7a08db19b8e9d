"""Measure the pages of the dashboard on ten million usage events: `make bench-dashboard`. No server is needed.

The events are made by SQL in an embedded engine of its own, through the views that fill the rollups. The pages are
asked for as a browser does: all panels of a page and the filters at once, over six connections, through the query
queue with its two connections. Each page is asked five times; the median counts. Exits with 1 where a page takes
longer than the goal. Processor seconds are printed too: a busy machine makes the others longer.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from connectors.clickhouse.database import Database
from stream_apps.dashboard.panels import PAGES
from stream_apps.dashboard.panels.jobs import CHOICES
from stream_apps.dashboard.settings import DashboardSection
from stream_apps.usage_sink.prices import EXAMPLE_PRICES, EXAMPLE_WORD_PRICES
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.settings import AnalyticsSection
from tests.dashboard.books import fill
from tests.servers import CHECKOUT

REPORT = CHECKOUT / ".dragoman" / "dashboard.json"
GOAL_SECONDS = 1.0
TOKEN = "a token of this benchmark"
# A browser's, to one server.
_CONNECTIONS = 6
_ROUNDS = 5


def main() -> int:
    """Return 0 when every page reaches the goal."""
    options = _options()
    with ExitStack() as opened:
        folder = options.keep or Path(opened.enter_context(TemporaryDirectory(prefix="dragoman-dashboard-")))
        end = _books(folder, options.events, options.days)
        client = opened.enter_context(_served(folder))
        found = {
            f"{page.id}, {name}": _measured(
                client, f"{page.id}, {name}", [*(panel.id for panel in page.panels), CHOICES.id], asked
            )
            for name, asked in _questions(end, options.days).items()
            for page in PAGES
        }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"events": options.events, "goal": GOAL_SECONDS, "pages": found}, indent=2))
    missed = [name for name, one in found.items() if one["seconds"] > GOAL_SECONDS]
    print(
        f"{len(found) - len(missed)} of {len(found)} within {GOAL_SECONDS:g} s"
        + "".join(f"; {one}" for one in missed)
    )
    return 1 if missed else 0


def _books(folder: Path, events: int, days: int) -> int:
    """Return the time of the newest event, in seconds since 1970; make the books where the folder has none."""
    with closing(Database(f"chdb://{folder}")) as database:
        database.create(EXAMPLE_PRICES, EXAMPLE_WORD_PRICES)
        ((rows,),) = database.rows("SELECT count() FROM usage_events")
        if not rows:
            began = time.monotonic()
            fill(database, events // 2, days)
            print(f"{events} events of {days} days made in {time.monotonic() - began:.0f} s")
        ((end,),) = database.rows("SELECT toUnixTimestamp(max(at)) FROM usage_events")
    return int(end)


@contextmanager
def _served(folder: Path) -> Iterator[httpx.Client]:
    section = AnalyticsSection()
    with ExitStack() as opened:
        readers = [opened.enter_context(closing(Database(f"chdb://{folder}"))) for _ in range(section.max_queries)]
        access = Access("127.0.0.1", 0, TOKEN)
        server = opened.enter_context(
            closing(QueryServer(readers, access, section.query_limits, DashboardSection()))
        )
        headers = {"Authorization": f"Bearer {TOKEN}"}
        limits = httpx.Limits(max_connections=_CONNECTIONS)
        url = f"http://127.0.0.1:{server.port}/dashboard/api/panels/"
        yield opened.enter_context(httpx.Client(base_url=url, headers=headers, limits=limits, timeout=120))


def _questions(end: int, days: int) -> dict[str, dict[str, str]]:
    long = {"from": f"now-{days}d", "to": "now"}
    return {
        "1 day": {"from": "now-1d", "to": "now"},
        f"{days} days": long,
        f"{days} days of a tenant": {**long, "tenant": "acme"},
        # Raw rows are read for both ends.
        f"{days - 1} days that are over": {"from": str(end - days * 86_400), "to": str(end - 80_000)},
    }


def _measured(client: httpx.Client, name: str, panels: list[str], asked: dict[str, str]) -> dict[str, float]:
    taken = []
    worked = time.process_time()
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        with ThreadPoolExecutor(_CONNECTIONS) as threads:
            for answer in threads.map(lambda panel: client.get(panel, params=asked), panels):
                answer.raise_for_status()
        taken.append(time.perf_counter() - began)
    seconds, processor = statistics.median(taken), (time.process_time() - worked) / _ROUNDS
    print(f"{name:34} {seconds:5.2f} s, {processor:5.2f} s of processor, {len(panels)} panels")
    return {"seconds": round(seconds, 3), "fastest": round(min(taken), 3), "processor": round(processor, 3)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000, help="usage events; half of them are answers")
    parser.add_argument("--days", type=int, default=30, help="over so many days")
    parser.add_argument("--keep", type=Path, help="a folder in which the books stay for the next time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
