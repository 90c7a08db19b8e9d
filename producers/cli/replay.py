"""`replay`: translate past requests on another model, into a topic of its own, and print what differs."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings, UrlObjectStore, open_objects
from inference_workers.model_router import ModelRouter
from inference_workers.model_store import ModelInfo, choose_model, discover
from inference_workers.settings import WorkerLimits
from producers.cli.arguments import AsJson, parse_time_ms
from producers.cli.errors import UsageError
from producers.cli.output import lines_of, print_json, progress_bars
from producers.cli.target import kafka_settings, running
from schemas.errors import PermanentError
from schemas.priorities import Priority
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.replay.comparison import Comparison
from stream_apps.replay.replay import KafkaReplay
from stream_apps.replay.traffic import Selection
from stream_apps.runtime.process import now_ms

_WRONG_USAGE = ("bad_topic", "platform_topic", "ambiguous_model")
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


def replay(  # noqa: PLR0913, PLR0917  # one parameter for each option
    since: Annotated[str, typer.Option(help="Requests from this time on: ISO 8601 (UTC), or 2h, 7d, 2w ago.")],
    model: Annotated[str, typer.Option(help="Folder, its name, or the version that `models list` shows.")],
    to: Annotated[str, typer.Option(help="Topic of the new results; created where it is missing.")],
    until: Annotated[str, typer.Option(help="Requests before this time.")] = "0s",
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many requests, the oldest.")] = None,
    priority: Annotated[list[Priority] | None, typer.Option(help="Only these; all by default.")] = None,
    most_different: Annotated[int, typer.Option(min=0, help="How many of the most different to name.")] = 10,
    show_texts: Annotated[bool, typer.Option("--show-texts", help="Print their texts, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Translate past requests again on another model and tell what differs. Answers and bills nobody."""
    at_ms = now_ms()
    since_ms, until_ms = parse_time_ms(since, "--since", at_ms), parse_time_ms(until, "--until", at_ms)
    if since_ms >= until_ms:
        raise UsageError("--since is not before --until, so no request is of that time", "give an earlier --since")
    selection = Selection(since_ms, until_ms, priority or list(Priority), limit)
    try:
        comparison = _run(selection, choose_model(model, _models(model)), to, is_quiet=as_json)
    except PermanentError as error:
        if error.cause in _WRONG_USAGE:
            raise UsageError(error.message, error.cure) from None
        raise
    report = comparison.report(most_different, with_texts=show_texts)
    if as_json:
        print_json(report)
    else:
        typer.echo(lines_of_report(report))
    if not (report["requests"] or report["skipped"]):
        typer.echo("no request of that time was found", err=True)


def lines_of_report(report: dict[str, Any]) -> str:
    """Write the figures, what was skipped and why, and the most different pairs."""
    figures = [(name, "-" if report[key] is None else str(report[key])) for key, name in _FIGURES.items()]
    skipped = [(f"skipped: {reason}", str(count)) for reason, count in report["skipped"].items()]
    blocks = [lines_of((), [*figures, *skipped])]
    if report["most_different"]:
        rows = [(one["key"], f"{one['similarity']:.4f}") for one in report["most_different"]]
        blocks.append(lines_of(("most different", "similarity"), rows))
    blocks += [
        f"{one['key']}\n  past:     {one['past']}\n  replayed: {one['replayed']}"
        for one in report["most_different"]
        if "past" in one
    ]
    return "\n\n".join(blocks)


def _run(selection: Selection, models: list[ModelInfo], topic: str, *, is_quiet: bool) -> Comparison:
    kafka, limits = kafka_settings(), WorkerLimits()
    kafka_replay = KafkaReplay(kafka, open_codec(kafka), _objects(), CuttingLimits())
    engines = ModelRouter(models, limits.device, limits.model_memory_mb << 20, most_spans=limits.max_spans)
    try:
        with progress_bars(is_shown=not is_quiet) as bars:
            return kafka_replay.run(selection, engines, topic, partial(bars.show_count, "requests"))
    finally:
        engines.close()


def _models(model: str) -> list[ModelInfo]:
    """Return the configured models, and those in the folder where `model` is one."""
    folder, configured = Path(model).absolute(), WorkerLimits().model_paths
    return discover((folder, *configured) if folder.is_dir() else configured)


def _objects() -> UrlObjectStore:
    """Open DRAGOMAN_OBJECTS_URL where it or Kafka's address is set, else the local platform's store."""
    settings = ObjectSettings()
    if "url" in settings.model_fields_set or "bootstrap" in KafkaSettings().model_fields_set:
        return open_objects(settings)
    return open_objects(settings.model_copy(update={"url": (Path(running().data_dir) / "objects").as_uri()}))
