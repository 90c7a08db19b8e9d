"""The report as text. Pure.

A moment as people type it. Pure.

`dragoman replay`: past traffic on another model, into a topic of its own, with the differences.
"""

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.producer import DurableProducer
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from connectors.memory import InMemoryTranslationMemory
from connectors.object_store import ObjectSettings, UrlObjectStore, open_objects
from inference_workers.model_router import ModelRouter
from inference_workers.model_store import ModelInfo, discover
from inference_workers.settings import WorkerLimits
from inference_workers.translating import SegmentTranslator
from producers.cli.arguments import AsJson
from producers.cli.errors import CommandError, UsageError
from producers.cli.output import lines_of
from producers.cli.target import kafka_settings, running
from schemas.priorities import Priority
from schemas.topics import DAY_MS, Topic, catalogue
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.routing import LangidDetector
from stream_apps.replay.comparison import Comparison
from stream_apps.replay.replay import Replay, Replayer, ReplayOutput
from stream_apps.replay.traffic import Exchange, KafkaPast, Traffic

_FIGURES = {
    "requests": "requests replayed",
    "segments": "segments",
    "words": "words",
    "words_per_second": "words/s",
    "equal": "equal",
    "different": "different",
    "only_past_failed": "only the past one failed",
    "only_replay_failed": "only the replay failed",
    "both_failed": "both failed",
    "mean_similarity": "mean similarity (difflib, words)",
}


def lines_of_report(report: dict[str, Any]) -> str:
    """Figures, what was skipped and why, and the most different ones."""
    figures = [(name, "-" if report[key] is None else str(report[key])) for key, name in _FIGURES.items()]
    skipped = [(f"skipped: {reason}", str(count)) for reason, count in report["skipped"].items()]
    blocks = [lines_of((), [*figures, *skipped])]
    if report["most_different"]:
        rows = [(one["request_id"], f"{one['similarity']:.4f}") for one in report["most_different"]]
        blocks.append(lines_of(("most different", "similarity"), rows))
    blocks += [
        f"{one['request_id']}\n  past:     {one['past']}\n  replayed: {one['replayed']}"
        for one in report["most_different"]
        if "past" in one
    ]
    return "\n\n".join(blocks)


_AGO = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment_ms(typed: str, now_ms: int, option: str) -> int:
    """`2h` and `7d` count back from now; else ISO 8601, in UTC where no offset is given. Raises UsageError."""
    if ago := _AGO.fullmatch(typed.strip()):
        return now_ms - int(ago[1]) * _SECONDS[ago[2]] * 1000
    try:
        found = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise UsageError(
            f"{option} is {typed[:40]!r}, which is no moment", "give 2026-07-01T12:00, or 2h, or 7d"
        ) from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


_KEPT_MS = 30 * DAY_MS


def replay(  # noqa: PLR0913, PLR0917  # one parameter for each option
    since: Annotated[str, typer.Option(help="Requests from this moment on: ISO 8601 (UTC), or 2h, or 7d.")],
    model: Annotated[str, typer.Option(help="Folder, its name, or the version that `models list` shows.")],
    to: Annotated[str, typer.Option(help="Topic of the new results; created where it is missing.")],
    until: Annotated[str, typer.Option(help="Requests before this moment.")] = "0s",
    limit: Annotated[int | None, typer.Option(min=1, help="So many requests at most, the oldest.")] = None,
    priority: Annotated[list[Priority] | None, typer.Option(help="Only these; all by default.")] = None,
    most_different: Annotated[int, typer.Option(min=0, help="How many of the most different to name.")] = 10,
    show_texts: Annotated[bool, typer.Option("--show-texts", help="Print their texts, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Translate past requests again on another model and tell what differs. Answers and bills nobody."""
    now_ms = _now_ms()
    since_ms, until_ms = moment_ms(since, now_ms, "--since"), moment_ms(until, now_ms, "--until")
    models, kafka = chosen(model, discover(_paths(model))), kafka_settings()
    check_topic(to, kafka)
    traffic = Traffic(KafkaPast(kafka, KafkaAdmin(kafka)), open_codec(kafka), _objects())
    exchanges = traffic.exchanges(since_ms, until_ms, priority or list(Priority), limit)
    comparison = _replayed(traffic, exchanges, models, Target(kafka, to), is_quiet=as_json)
    report = comparison.report(most_different, with_texts=show_texts)
    typer.echo(json.dumps(report, ensure_ascii=False) if as_json else lines_of_report(report))


def check_topic(name: str, kafka: KafkaSettings) -> None:
    """Raises UsageError for a topic that the platform itself uses."""
    if name in {topic.name for topic in catalogue(kafka.plan)}:
        raise UsageError(f"{name} is a topic of the platform's own", "choose another one for --to")


def chosen(model: str, found: Sequence[ModelInfo]) -> list[ModelInfo]:
    """Every pair of the one model of that name, version or folder. Raises CommandError naming the others."""
    fitting = [info for info in found if model in (info.name, info.version) or info.path == Path(model).absolute()]
    if not fitting:
        known = ", ".join(sorted({info.version for info in found})) or "none"
        raise CommandError(f"there is no model {model!r}; found: {known}", "see: dragoman models list")
    folders = {info.path for info in fitting}
    if len(folders) > 1:
        names = ", ".join(sorted(map(str, folders)))
        raise UsageError(f"{model!r} names several models: {names}", "give the folder")
    return fitting


def _paths(model: str) -> tuple[Path, ...]:
    folder = Path(model).absolute()
    configured = WorkerLimits().model_paths
    return (folder, *configured) if folder.is_dir() else configured


class Target:
    """Where results go: a cluster and a topic, which is created where it is missing."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic

    @contextmanager
    def open(self) -> Iterator[ReplayOutput]:
        """Closed at the end of the context. Raises TransientError."""
        kafka = self._kafka
        topic = Topic(self._topic, "TranslationResult", "request_id", kafka.partitions, _KEPT_MS)
        KafkaAdmin(kafka).create_topic(topic)
        producer = DurableProducer(kafka)
        try:
            yield ReplayOutput(producer, open_codec(kafka), self._topic, kafka.max_message_bytes)
        finally:
            producer.close()


def _replayed(
    traffic: Traffic, exchanges: Sequence[Exchange], models: Sequence[ModelInfo], target: Target, *, is_quiet: bool
) -> Comparison:
    engines = ModelRouter(models, WorkerLimits().device, WorkerLimits().model_memory_mb << 20)
    memory = InMemoryTranslationMemory()
    # Nobody waits for a replay, so a slow text may take its time.
    segments = SegmentTranslator(engines, memory, time.perf_counter, longest_seconds=math.inf)
    try:
        with target.open() as output, _bar(len(exchanges), is_quiet) as step:
            replayer = Replayer(segments, memory, _now_ms)
            detect, limits = LangidDetector().detect, IntakeLimits().batch
            return Replay(traffic, engines, replayer, output, detect, step, limits).run(exchanges)
    finally:
        engines.close()


@contextmanager
def _bar(total: int, is_quiet: bool) -> Iterator[Callable[[], None]]:
    """A bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=is_quiet or not console.is_terminal) as progress:
        task = progress.add_task("requests", total=total)
        yield lambda: progress.advance(task)


def _objects() -> UrlObjectStore:
    """DRAGOMAN_OBJECTS_URL where it is given, else the store of the local platform."""
    settings = ObjectSettings()
    if "url" in settings.model_fields_set or "bootstrap" in KafkaSettings().model_fields_set:
        return open_objects(settings)
    return open_objects(settings.model_copy(update={"url": (Path(running().data_dir) / "objects").as_uri()}))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
