"""Measure how soon a result is in the books, and whether they agree to the word: `make bench-books`.

One sentence each tenth of a second. The time begins when the committed result can be read from Kafka, and ends
when its row in `requests` and its bill in `usage_events` can be queried. Exits with 1 above the goal, or where
words differ.
"""

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.clickhouse.client import AnalyticsClient
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from schemas.messages import TranslationResult
from schemas.priorities import Priority
from tests.bench.driver import Driver
from tests.bench.figures import Figure, Findings, nearest_rank
from tests.bench.harness import Options, Platform, Size, main, running
from tests.bench.latency import warm_up
from tests.bench.texts import sentences

DEFAULTS = Options(seconds=30, processes=1)
EVERY_SECONDS = 0.1
GOAL_SECONDS = 3.0
_LOOK_SECONDS = 0.1
_LONGEST_SECONDS = 60.0
_TABLES = {
    "its row in requests": ("requests", ""),
    "its bill in usage_events": ("usage_events", "WHERE kind = 'billed'"),
}


@dataclass
class Watch:
    """Looks for new rows of one table on a thread of its own. `seen` has the driver's time of the first sight."""

    client: AnalyticsClient
    table: str
    where: str
    seen: dict[bytes, float] = field(default_factory=dict)
    words: dict[bytes, int] = field(default_factory=dict)
    _ends: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._look_again_and_again, daemon=True)
        self._thread.start()

    def wait_for(self, keys: Sequence[bytes]) -> None:
        """Wait until all are there, and end. Raises TimeoutError."""
        end = time.perf_counter() + _LONGEST_SECONDS
        while not set(keys) <= self.seen.keys():
            if time.perf_counter() > end:
                raise TimeoutError(f"{len(set(keys) - self.seen.keys())} requests are not in {self.table}")
            time.sleep(_LOOK_SECONDS)
        self._ends.set()
        self._thread.join()

    def _look_again_and_again(self) -> None:
        sql = (
            f"SELECT concat(tenant, '/', request_id) AS key, sum(source_words) AS words "
            f"FROM {self.table} {self.where} GROUP BY key"
        )
        while not self._ends.wait(_LOOK_SECONDS):
            rows = self.client.query(sql)
            now = time.perf_counter()
            for row in rows:
                self.seen.setdefault(row["key"].encode(), now)
                self.words[row["key"].encode()] = row["words"]


def measure(options: Options) -> Findings:
    """Send, watch both tables, and compare the words of results, rows and bills."""
    with running(Size()) as platform:
        warm_up(platform)
        watches = {name: _watch(platform, *table) for name, table in _TABLES.items()}
        driver = Driver(platform, linger_ms=0)
        records = driver.records(sentences(round(options.seconds / EVERY_SECONDS)), Priority.STANDARD)
        leg = driver.paced("platform, Kafka", records, EVERY_SECONDS)
        driver.check()
        driver.close()
        arrived = driver.traffic.arrived
        for watch in watches.values():
            watch.wait_for(list(arrived))
        answered = _words_of(platform, driver.traffic.values)
    figures = [figure for name, watch in watches.items() for figure in _figures(name, watch, arrived, answered)]
    return Findings(figures, [leg])


def _watch(platform: Platform, table: str, where: str) -> Watch:
    client = AnalyticsClient(platform.run.analytics_url, platform.run.analytics_token())
    return Watch(client, table, where)


def _figures(
    name: str, watch: Watch, arrived: Mapping[bytes, float], answered: Mapping[bytes, int]
) -> list[Figure]:
    waits = [watch.seen[key] - at for key, at in arrived.items()]
    different = sum(watch.words[key] != words for key, words in answered.items())
    return [
        Figure(f"a result until {name} can be queried, p95", nearest_rank(waits, 0.95), "s", at_most=GOAL_SECONDS),
        Figure(f"results whose words differ from {name}", different, "", at_most=0),
    ]


def _words_of(platform: Platform, values: Sequence[bytes]) -> dict[bytes, int]:
    codec = open_codec(KafkaSettings(bootstrap=platform.run.kafka_bootstrap))
    results = [codec.decode(value, TranslationResult) for value in values]
    return {result.key.encode(): result.source_words for result in results}


if __name__ == "__main__":
    sys.exit(main("books", measure, DEFAULTS, __doc__))
