"""docs/reference/metrics.md: every metric, from the catalogue of `connectors.telemetry`."""

from collections.abc import Sequence

from connectors.telemetry.catalogue import COUNTED, Metric, describe
from connectors.telemetry.metrics import CYCLE_BUCKETS, LATENCY_BUCKETS
from producers.cli.table import markdown_of

_HEADER = ("metric", "type", "labels", "meaning")


def metrics_page() -> str:
    """Whole, with its last newline."""
    sections = [_section(processes, found) for processes, found in COUNTED.items()]
    return "\n\n".join([_above(), *sections]) + "\n"


def _above() -> str:
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


def _section(processes: Sequence[str], metrics: Sequence[Metric]) -> str:
    return f"## {', '.join(processes)}\n{markdown_of(_HEADER, [_cells(metric) for metric in metrics])}"


def _cells(metric: Metric) -> tuple[str, ...]:
    found = describe(metric)
    return (f"`{found.name}`", found.kind, ", ".join(found.labels), found.meaning)


def _listed(buckets: Sequence[float]) -> str:
    return ", ".join(f"{bucket:g}" for bucket in buckets)
