"""Open the tracer that the settings ask for. OpenTelemetry is imported only where it is used."""

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.tracing.settings import TracingSettings
from connectors.tracing.spans import NO_TRACER, Tracer
from schemas.errors import FatalError


@contextmanager
def tracing(settings: TracingSettings, process: str, instance: str) -> Iterator[Tracer]:
    """Trace inside the context; its end sends what is left, for seconds at most.

    Raises FatalError where spans are wanted and OpenTelemetry is not installed.
    """
    tracer = open_tracer(settings, process, instance)
    try:
        yield tracer
    finally:
        tracer.close()


def open_tracer(settings: TracingSettings, process: str, instance: str) -> Tracer:
    """Return a tracer, which the caller closes. Raises FatalError as above."""
    if not settings.endpoint:
        return NO_TRACER
    try:
        # An optional extra, and a tenth of a second at the start.
        from connectors.tracing.otel import OtelTracer  # noqa: PLC0415
    except ImportError as error:
        raise FatalError(
            f"DRAGOMAN_TRACING_ENDPOINT is set, and {error.name} is not installed: "
            "pip install 'dragoman[tracing]', or unset it"
        ) from error
    return OtelTracer(settings, process, instance)
