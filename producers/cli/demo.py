"""The figures of a demo run: one frozen record, shown to people and written for scripts.

What ClickHouse says of the demo's requests: the usage rows of its run, no others.

`dragoman demo`: start the stack, run the main job on it, measure, show, stop.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from connectors.clickhouse.client import AnalyticsClient
from connectors.kafka.settings import KafkaSettings
from deploy.local.main import down, read_run, up
from deploy.local.settings import StackSettings
from deploy.local.state_files import RunInfo
from producers.cli.demo_load import SOURCE, TARGET, words_per_minute
from producers.cli.demo_run import DemoLoad, DemoResults, DemoRun, DemoSize, DemoStack
from schemas.segments import normalise
from stream_apps.pipeline.segmentation import Segmenter


@dataclass(frozen=True)
class Figures:
    """Words are source words; cost is compute cost at the configured prices."""

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
        """What a user was promised and this run did not keep."""
        checks = {
            f"{self.lost} of {self.requests} requests have no answer": self.lost > 0,
            f"{self.duplicates} answers came twice": self.duplicates > 0,
            f"ClickHouse counts {self.clickhouse_words} words, the results hold {self.result_words}": (
                self.clickhouse_words != self.result_words
            ),
        }
        return [text for text, failed in checks.items() if failed]


def write(figures: Figures, path: Path) -> None:
    """As JSON, for scripts."""
    path.write_text(json.dumps(asdict(figures), indent=2) + "\n")


def show(figures: Figures, console: Console) -> None:
    """As tables, for people."""
    table = Table(title="What was measured", show_header=False)
    for name, value in _rows(figures):
        table.add_row(name, value)
    console.print(table)


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
        ("segments not translated anew", f"{figures.cache_hit_rate:.0%}"),
        ("95 % answered within", p95),
        ("words billed in ClickHouse", f"{figures.clickhouse_words:,}"),
        ("compute cost", f"${figures.cost_usd:.6f}"),
    ]


def show_usage(rows: list[dict[str, Any]], console: Console) -> None:
    """Usage as ClickHouse has it, a row per priority."""
    table = Table(title="Usage in ClickHouse")
    for name in rows[0] if rows else ():
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)


_SINK_SECONDS = 30.0
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
class Bill:
    """Source words billed, US dollars of engine time, and a row per priority."""

    words: int
    cost_usd: float
    by_priority: list[dict[str, Any]]


def billed(analytics: AnalyticsClient, results: DemoResults) -> Bill:
    """The bill, once the sink has caught up. The demo's stack is fresh, so every row is of this run."""
    end = time.monotonic() + _SINK_SECONDS
    while True:
        (row,) = analytics.query(_BILLED)
        if int(row["found"]) >= len(results.results) or time.monotonic() > end:
            break
        time.sleep(0.5)
    (cost,) = analytics.query("SELECT round(sum(cost), 8) AS cost_usd FROM cost")
    return Bill(int(row["words"]), float(cost["cost_usd"]), analytics.query(_BY_PRIORITY))


_SAMPLE_CHARACTERS = 700


def demo(
    words: Annotated[int, typer.Option(help="Words of the document, at least.")] = 20_000,
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 2,
    root: Annotated[Path, typer.Option(help="Where the stack keeps its data.")] = Path(".dragoman"),
) -> None:
    """Translate a real document through real Kafka, Valkey and ClickHouse, and measure it."""
    console = Console()
    settings = StackSettings(root=root, workers=workers, fresh=True)
    up(settings, detach=True, on_progress=lambda name, state: console.print(f"  {name}: {state}", style="dim"))
    try:
        figures = _measured(read_run(root), DemoSize(words=words), workers, console)
    finally:
        console.print("stopping", style="dim")
        down(root)
    show(figures, console)
    write(figures, root / "demo.json")
    console.print(f"written to {root / 'demo.json'}")
    if failures := figures.failures():
        console.print("\n".join(failures), style="red")
        raise typer.Exit(1)


def _measured(run: RunInfo, size: DemoSize, workers: int, console: Console) -> Figures:
    load = DemoLoad.of(size)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        stack = DemoStack(run.http_url, KafkaSettings(bootstrap=run.kafka_bootstrap))
        done = DemoRun(stack, load, size.spread_seconds, progress)
        done.run()
    _show_sample(done, console)
    bill = billed(AnalyticsClient(run.analytics_url), done.results)
    show_usage(bill.by_priority, console)
    console.print(f"now the bare engine, {workers} processes, the same text", style="dim")
    bare = words_per_minute(_segments(load), (SOURCE, TARGET), workers)
    return _figures(done, bill, bare)


def _segments(load: DemoLoad) -> list[str]:
    """What the workers were given, of all requests."""
    segmenter = Segmenter()
    texts = [load.document, *load.texts]
    return [normalise(segment) for text in texts for segment in segmenter.split(text, SOURCE).texts]


def _show_sample(done: DemoRun, console: Console) -> None:
    text = done.results.results[done.load.document_id].text or ""
    middle = text.find("\n\n", len(text) // 3)
    console.print("a sample of the translation:", style="bold")
    console.print(text[middle : middle + _SAMPLE_CHARACTERS].strip() + " ...", markup=False, highlight=False)


def _figures(done: DemoRun, bill: Bill, bare_words_per_minute: float) -> Figures:
    results = done.results
    seconds = (results.last_arrival_ms() - done.started_ms) / 1000
    rate = results.words / seconds * 60
    document = results.results[done.load.document_id]
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
        document_seconds=round((results.arrived_ms[document.request_id] - done.started_ms) / 1000, 3),
        p95_seconds=results.p95_seconds(),
    )
