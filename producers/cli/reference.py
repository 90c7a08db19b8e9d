"""`reference`: settings, metrics and interfaces as pages and documents of the documentation, made from the code.

docs/reference/configuration.md comes from the classes that read the environment, metrics.md from the catalogue in
connectors/telemetry/metrics.py, openapi.json from the routes, asyncapi.json from the catalogue of topics. Asks no
server and does not read the environment.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

import typer
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import PREFIX, ProcessSettings, Section
from connectors.telemetry.metric_index import COUNTED, describe
from connectors.telemetry.metrics import CYCLE_BUCKETS, LATENCY_BUCKETS, Metric
from deploy.autoscaler.settings import AutoscalerSettings
from deploy.doctor.settings import DoctorSettings
from deploy.local.settings import StackSettings
from deploy.regions.mirror import RegionSettings
from inference_workers.settings import WorkerLimits, WorkerSettings
from producers.cli.output import markdown_of
from producers.cli.setting_cells import HEADER, cells_of, default_of, nested_models
from producers.cli.target import ApiSettings
from producers.http.settings import HttpSettings
from schemas.asyncapi import asyncapi_document
from schemas.topics import TopicPlan
from stream_apps.assembly.settings import AssemblySettings
from stream_apps.documents.settings import ExtractionSettings, MergingSettings
from stream_apps.intake.settings import IntakeSettings
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.repair.settings import RepairLimits, RepairSettings
from stream_apps.usage_sink.settings import AnalyticsSection, AnalyticsSettings
from stream_apps.webhooks.settings import WebhookSettings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Print what can be set, measured and asked.",
)

Readers = dict[str, type[BaseSettings]]
"""Process -> the class with which it reads a section of the environment."""

PROCESSES: Mapping[str, type[ProcessSettings]] = {
    "http": HttpSettings,
    "intake": IntakeSettings,
    "worker": WorkerSettings,
    "assembly": AssemblySettings,
    "extraction": ExtractionSettings,
    "merging": MergingSettings,
    "repair": RepairSettings,
    "analytics": AnalyticsSettings,
    "webhooks": WebhookSettings,
    "autoscaler": AutoscalerSettings,
}
# These have no class of their own: the command line, and the supervisor of the one-machine stack.
SECTION_READERS: Mapping[str, tuple[type[Section], ...]] = {
    "command line": (
        KafkaSettings,
        RedisSettings,
        ObjectSettings,
        AnalyticsSection,
        CuttingLimits,
        WorkerLimits,
        RepairLimits,
        RequestLimits,
        StackSettings,
        RegionSettings,
        ApiSettings,
        DoctorSettings,
    ),
    "supervisor": (StackSettings,),
}

OF_SCRIPTS = ("DRAGOMAN_STATE_FOLDERS_KEPT",)
"""Variables that no class reads, but a shell script."""

_ABOVE_SETTINGS = """\
# Configuration
Made from the settings classes: `make reference`. A process reads these variables once, when it starts, and
nothing else. A value out of bounds, or a name that no section with its prefix knows, ends the start with a
message that says so.

*Types.* `bool` is `true` or `false`; what has parts is JSON: `DRAGOMAN_KAFKA_POOLS='["default", "gpu"]'`.
*Units.* `MB` are 2^20 bytes for models, the cache and Java's heaps, else 10^6; a `share` is 1 for all.
Not set means empty. What the limits mean for memory: [bounds](../bounds.md); who waits for what, and how
long: [retries](../retries.md). `dragoman up` sets addresses, ports and names itself, and hands on everything
else. Access to an object store comes from its cloud's own variables. One variable is a script's:
`DRAGOMAN_STATE_FOLDERS_KEPT` (3, at least 1), read by deploy/valkey/start_state.sh, is the number of unreadable
states that are kept."""
_METRIC_HEADER = ("metric", "type", "labels", "meaning")


@app.command()
def configuration() -> None:
    """Print docs/reference/configuration.md: every setting."""
    typer.echo(configuration_page(), nl=False)


@app.command()
def metrics() -> None:
    """Print docs/reference/metrics.md: every metric."""
    typer.echo(metrics_page(), nl=False)


@app.command()
def openapi() -> None:
    """Print docs/reference/openapi.json: every operation of HTTP."""
    # The routes take a second to load, which no other command should wait for.
    from producers.http.app import bare_app  # noqa: PLC0415

    typer.echo(_document(bare_app().openapi()))


@app.command()
def asyncapi() -> None:
    """Print docs/reference/asyncapi.json: every topic of one pool, with its schema."""
    typer.echo(_document(asyncapi_document(TopicPlan())))


def _document(found: Mapping[str, object]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1)


def configuration_page() -> str:
    """Write the whole page of settings, with its last newline."""
    sections = [_settings_section(prefix, readers) for prefix, readers in sorted(readers_by_prefix().items())]
    return "\n\n".join([_ABOVE_SETTINGS, *sections]) + "\n"


def metrics_page() -> str:
    """Write the whole page of metrics, with its last newline."""
    sections = [_metrics_section(processes, found) for processes, found in COUNTED.items()]
    return "\n\n".join([_above_metrics(), *sections]) + "\n"


def readers_by_prefix() -> dict[str, Readers]:
    """Return for each prefix of the environment which process reads it, and with which class."""
    found: dict[str, Readers] = {}
    for name, classes in classes_by_reader().items():
        for one in classes:
            found.setdefault(prefix_of(one), {})[name] = one
    return found


def classes_by_reader() -> dict[str, tuple[type[BaseSettings], ...]]:
    """Return for each process all classes that it builds from the environment."""
    processes: dict[str, tuple[type[BaseSettings], ...]] = {
        name: (ProcessSettings, *sections_of(settings)) for name, settings in PROCESSES.items()
    }
    return {**processes, **SECTION_READERS}


def sections_of(settings: type[ProcessSettings]) -> list[type[Section]]:
    """Return the sections that the class of a process is composed of."""
    kinds = [field.annotation for field in settings.model_fields.values()]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)]


def prefix_of(settings: type[BaseSettings]) -> str:
    """Return the prefix of the class's variables, such as `DRAGOMAN_KAFKA_`."""
    return settings.model_config["env_prefix"]


def _settings_section(prefix: str, readers: Readers) -> str:
    title = f"{prefix}*" if prefix != PREFIX else f"{prefix}*, of every process"
    about = _about(prefix, _broadest(readers))
    told = f"{about}\n\n" if about else ""
    return (
        f"## {title}\n{told}Read by: {', '.join(readers)}.\n\n{markdown_of(HEADER, list(_rows(prefix, readers)))}"
    )


def _about(prefix: str, settings: type[BaseSettings]) -> str:
    """Return the docstring of the class without the prefix that it opens with."""
    said = (settings.__doc__ or "").removeprefix(f"{prefix}*").lstrip(".,: ")
    return said[:1].upper() + said[1:]


def _broadest(readers: Readers) -> type[BaseSettings]:
    """Return the class that all others of a prefix derive from."""
    return next(one for one in readers.values() if all(issubclass(other, one) for other in readers.values()))


def _rows(prefix: str, readers: Readers) -> Iterator[tuple[str, ...]]:
    for name, field in _broadest(readers).model_fields.items():
        variable = f"{prefix}{name}".upper()
        yield cells_of(variable, field, _other_defaults(name, field, readers))
        for model in nested_models(field.annotation):
            for key, part in model.model_fields.items():
                yield cells_of(f"{variable}[].{key}", part, {})


def _other_defaults(name: str, field: FieldInfo, readers: Readers) -> dict[str, str]:
    found = {process: default_of(settings.model_fields[name]) for process, settings in readers.items()}
    return {process: default for process, default in found.items() if default != default_of(field)}


def _above_metrics() -> str:
    return f"""\
# Metrics
Made from `connectors/telemetry/metrics.py`: `make reference`. Every process serves them at `/metrics` of its
health port (`DRAGOMAN_HEALTH_PORT`), HTTP on its own port too, beside the `process_*` and `python_*` metrics of
the client library.

A histogram is scraped as `_bucket`, `_sum` and `_count`. Times of one step have the buckets
{_listed(CYCLE_BUCKETS)} s; times that a caller sees
{_listed(LATENCY_BUCKETS)} s, among them the service levels.
A metric without labels is shown, with 0, by processes that do not count it too; the headings say who counts.

Labels are bounded: `stage` is a process, `priority` one of three, `pool` a pool of workers, `pair` such as
`en-pt`; the others are named with the metric. None is a tenant, an id or an address."""


def _metrics_section(processes: Sequence[str], found: Sequence[Metric]) -> str:
    return f"## {', '.join(processes)}\n{markdown_of(_METRIC_HEADER, [_cells(metric) for metric in found])}"


def _cells(metric: Metric) -> tuple[str, ...]:
    found = describe(metric)
    return (f"`{found.name}`", found.kind, ", ".join(found.labels), found.meaning)


def _listed(buckets: Sequence[float]) -> str:
    return ", ".join(f"{bucket:g}" for bucket in buckets)
