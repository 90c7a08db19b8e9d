"""`dragoman demo`: start the stack, run the main job on it, measure, show, stop."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from connectors.clickhouse.analytics_client import AnalyticsClient
from connectors.kafka.settings import KafkaSettings
from deploy.local.main import down, read_run, up
from deploy.local.run_file import RunInfo
from deploy.local.settings import StackSettings
from producers.cli.demo import report
from producers.cli.demo.bare_engine import words_per_minute
from producers.cli.demo.billing import Bill, billed
from producers.cli.demo.load import SOURCE, TARGET
from producers.cli.demo.run import DemoRun, DemoLoad, DemoSize, DemoStack
from schemas.segments import normalise
from stream_apps.intake.segmentation import Segmenter

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
    report.show(figures, console)
    report.write(figures, root / "demo.json")
    console.print(f"written to {root / 'demo.json'}")
    if failures := figures.failures():
        console.print("\n".join(failures), style="red")
        raise typer.Exit(1)


def _measured(run: RunInfo, size: DemoSize, workers: int, console: Console) -> report.Figures:
    load = DemoLoad.of(size)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        stack = DemoStack(run.http_url, KafkaSettings(bootstrap=run.kafka_bootstrap))
        done = DemoRun(stack, load, size.spread_seconds, progress)
        done.run()
    _show_sample(done, console)
    bill = billed(AnalyticsClient(run.analytics_url), done.results)
    report.show_usage(bill.by_priority, console)
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


def _figures(done: DemoRun, bill: Bill, bare_words_per_minute: float) -> report.Figures:
    results = done.results
    seconds = (results.last_arrival_ms() - done.started_ms) / 1000
    rate = results.words / seconds * 60
    document = results.results[done.load.document_id]
    return report.Figures(
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
