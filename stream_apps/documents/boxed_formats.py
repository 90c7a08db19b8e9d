"""The formats of this process: every file is taken apart, and put together, by connectors/formats."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from connectors.formats import registry
from connectors.formats.protocol import Options
from connectors.formats.registry import Extracted
from stream_apps.documents.formats import Formats
from stream_apps.documents.settings import DocumentLimits


class InProcessFormats:
    """Formats without a sandbox: for tests, which trust their files."""

    def extract(self, source: Path, name: str, media_type: str, options: Options) -> Extracted:
        with source.open("rb") as file:
            return registry.extract(file, name, media_type, options)

    def merge(  # noqa: PLR0913, PLR0917  # what a filter needs
        self, format_name: str, source: Path, skeleton: bytes, units: Sequence[str], output: Path, options: Options
    ) -> None:
        with source.open("rb") as file, output.open("w+b") as written:
            registry.filter_of(format_name).merge(file, skeleton, units, written, options)


@contextmanager
def open_formats(_limits: DocumentLimits) -> Iterator[Formats]:
    """Open the formats for as long as the context lasts."""
    yield InProcessFormats()
