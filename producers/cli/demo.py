"""`demo`: start the platform, translate a real document and many short texts, measure, show, stop.

The figures are printed for people and written to demo.json for scripts.
"""

import json
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.clickhouse.client import AnalyticsClient
from connectors.kafka.settings import KafkaSettings
from deploy.local.first_key import read_key
from deploy.local.main import down, read_run, up
from deploy.local.settings import StackSettings
from inference_workers.model_store import discover, load
from producers.cli.demo_run import SOURCE, TARGET, DemoLoad, DemoResults, DemoRun, DemoSize, DemoStack
from producers.cli.errors import CommandError
from producers.cli.output import lines_of, progress_bars
from schemas.segments import count_words, normalise
from stream_apps.pipeline.segmentation import Segmenter

_SAMPLE_CHARACTERS = 700
_SINK_SECONDS = 30.0
# Longest time a process may take to load its model; after that something is broken.
_LOAD_SECONDS = 120.0
_BILLED = "SELECT count() AS found, sum(source_words) AS words FROM usage_events WHERE kind = 'billed'"
_BY_PRIORITY = """
SELECT priority,
       countIf(kind = 'billed') AS requests,
       sumIf(source_words, kind = 'billed') AS words,
       sumIf(cached_words, kind = 'compute') AS cached_words,
       round(sumIf(busy_ms, kind = 'compute') / 1000, 2) AS engine_seconds
FROM usage_events GROUP BY priority ORDER BY priority
"""


@dataclass(frozen=True)
class Figures:
    """The figures of one run. Words are source words; cost is compute cost at the configured prices."""

    words: int
    seconds: float
    words_per_minute: float
    engine_words_per_minute: float
    ratio: float
    requests: int
    results: int
    lost: int
    duplicates: int
    repeated_requests: int
    cache_hit_rate: float
    result_words: int
    clickhouse_words: int
    cost_usd: float
    document_words: int
    document_seconds: float
    p95_seconds: dict[str, float]

    def failures(self) -> list[str]:
        """Return every promise that this run did not keep."""
        checks = {
            f"{self.lost} of {self.requests} requests have no answer": self.lost > 0,
            f"{self.duplicates} answers came twice": self.duplicates > 0,
            f"ClickHouse counts {self.clickhouse_words} words, the results hold {self.result_words}": (
                self.clickhouse_words != self.result_words
            ),
        }
        return [text for text, failed in checks.items() if failed]


@dataclass(frozen=True)
class Bill:
    """Source words billed, US dollars of engine time, and a row per priority."""

    words: int
    cost_usd: float
    by_priority: list[dict[str, Any]]


def demo(
    words: Annotated[int, typer.Option(min=1, help="Words of the document, at least.")] = 20_000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
    root: Annotated[
        Path, typer.Option(help="Where the platform keeps its data; that of earlier runs is deleted.")
    ] = Path(".dragoman"),
) -> None:
    """Translate a real document through real Kafka, Valkey and ClickHouse, and measure it."""
    settings = StackSettings(root=root, workers=workers, fresh=True)
    up(settings, detach=True, on_progress=lambda name, state: typer.echo(f"  {name}: {state}"))
    try:
        figures = _measured(root, DemoSize(words=words), workers)
    finally:
        typer.echo("stopping")
        down(root)
    typer.echo(f"\nWhat was measured\n{lines_of((), _rows(figures))}")
    (root / "demo.json").write_text(json.dumps(asdict(figures), indent=2) + "\n")
    typer.echo(f"written to {root / 'demo.json'}")
    if failures := figures.failures():
        raise CommandError("\n".join(failures))


def words_per_minute(segments: Sequence[str], pair: tuple[str, str], processes: int) -> float:
    """Return the source words a minute of bare engine processes that share the segments evenly.

    The same segments on the same machine, with nothing around the engine. The clock starts when every process has
    loaded its model and ends with the slowest one.
    """
    spawn = multiprocessing.get_context("spawn")
    barrier, seconds = spawn.Barrier(processes + 1), spawn.Queue()
    shares = [segments[number::processes] for number in range(processes)]
    workers = [spawn.Process(target=_translate_share, args=(share, pair, barrier, seconds)) for share in shares]
    for worker in workers:
        worker.start()
    barrier.wait(_LOAD_SECONDS)
    slowest: float = max(seconds.get() for _ in workers)
    for worker in workers:
        worker.join()
    return sum(count_words(segment) for segment in segments) / slowest * 60


def bill_of(analytics: AnalyticsClient, results: DemoResults) -> Bill:
    """Return the bill once the sink has caught up. The demo's data is fresh, so every row is of this run."""
    end = time.monotonic() + _SINK_SECONDS
    while True:
        (row,) = analytics.query(_BILLED)
        if int(row["found"]) >= len(results.results) or time.monotonic() > end:
            break
        time.sleep(0.5)
    (cost,) = analytics.query("SELECT round(sum(cost), 8) AS cost_usd FROM cost")
    return Bill(int(row["words"]), float(cost["cost_usd"]), analytics.query(_BY_PRIORITY))


def _measured(root: Path, size: DemoSize, workers: int) -> Figures:
    run = read_run(root)
    load = DemoLoad.of(size)
    with progress_bars(is_shown=True) as bars:
        stack = DemoStack(run.http_url, read_key(root), KafkaSettings(bootstrap=run.kafka_bootstrap))
        done = DemoRun(stack, load, size.spread_seconds, bars)
        done.run()
    typer.echo(f"a sample of the translation:\n{_sample(done)} ...")
    bill = bill_of(AnalyticsClient(run.analytics_url, run.analytics_token()), done.results)
    typer.echo(f"\nUsage in ClickHouse\n{_usage_table(bill.by_priority)}")
    typer.echo(f"now the bare engine, {workers} processes, the same text")
    bare = words_per_minute(_segments(load), (SOURCE, TARGET), workers)
    return _figures(done, bill, bare)


def _segments(load: DemoLoad) -> list[str]:
    """Return the segments that the workers were given, of all requests."""
    segmenter = Segmenter()
    texts = [load.document, *load.texts]
    return [normalise(segment) for text in texts for segment in segmenter.split(text, SOURCE).texts]


def _translate_share(
    segments: Sequence[str], pair: tuple[str, str], barrier: Barrier, seconds: "multiprocessing.Queue[float]"
) -> None:
    engine = load(next(info for info in discover() if info.translates(*pair))).engine(*pair)
    engine.translate(segments[:1], {})
    barrier.wait(_LOAD_SECONDS)
    started = time.perf_counter()
    engine.translate(segments, {})
    seconds.put(time.perf_counter() - started)


def _figures(done: DemoRun, bill: Bill, bare_words_per_minute: float) -> Figures:
    results = done.results
    seconds = (results.last_arrival_ms() - done.started_ms) / 1000
    rate = results.words / seconds * 60
    document = results.results[done.load.document_key]
    return Figures(
        words=results.words,
        seconds=round(seconds, 3),
        words_per_minute=round(rate),
        engine_words_per_minute=round(bare_words_per_minute),
        ratio=round(rate / bare_words_per_minute, 3),
        requests=len(results.expected),
        results=len(results.results),
        lost=results.lost,
        duplicates=results.duplicates,
        repeated_requests=done.repeated_requests,
        cache_hit_rate=round(results.reused_share, 4),
        result_words=results.words,
        clickhouse_words=bill.words,
        cost_usd=bill.cost_usd,
        document_words=document.source_words,
        document_seconds=round((results.arrived_ms[document.key] - done.started_ms) / 1000, 3),
        p95_seconds=results.p95_seconds(),
    )


def _rows(figures: Figures) -> list[tuple[str, str]]:
    p95 = ", ".join(f"{priority} {seconds:.1f} s" for priority, seconds in figures.p95_seconds.items())
    return [
        ("requests", f"{figures.requests} ({figures.repeated_requests} of them sent twice)"),
        ("answers", f"{figures.results}, lost {figures.lost}, duplicates {figures.duplicates}"),
        ("document", f"{figures.document_words:,} words in {figures.document_seconds:.1f} s"),
        ("all words", f"{figures.words:,} in {figures.seconds:.1f} s"),
        ("throughput", f"{figures.words_per_minute:,.0f} words a minute"),
        ("bare engine, same processes and text", f"{figures.engine_words_per_minute:,.0f} words a minute"),
        ("ratio", f"{figures.ratio:.2f}"),
        ("segments not translated again", f"{figures.cache_hit_rate:.0%}"),
        ("95 % answered within", p95),
        ("words billed in ClickHouse", f"{figures.clickhouse_words:,}"),
        ("compute cost", f"${figures.cost_usd:.6f}"),
    ]


def _usage_table(rows: Sequence[dict[str, Any]]) -> str:
    header = [name.replace("_", " ") for name in rows[0]] if rows else []
    return lines_of(header, [[str(value) for value in row.values()] for row in rows])


def _sample(done: DemoRun) -> str:
    text = done.results.results[done.load.document_key].text or ""
    middle = text.find("\n\n", len(text) // 3)
    return text[middle : middle + _SAMPLE_CHARACTERS].strip()
