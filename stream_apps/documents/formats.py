"""What the processes need of formats; connectors/formats/sandbox.py does it in processes of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from connectors.formats import registry
from connectors.formats.protocol import Options
from connectors.formats.registry import Extracted


class Formats(Protocol):
    """Every format that is known. Calls block for as long as a file may take.

    Raises PermanentError with the causes of the filters, TransientError where the machine has no room.
    """

    def extract(self, source: Path, name: str, media_type: str, options: Options) -> Extracted:
        """Recognise a file and find its units."""

    def merge(  # noqa: PLR0913, PLR0917  # what a filter needs
        self, format_name: str, source: Path, skeleton: bytes, units: Sequence[str], output: Path, options: Options
    ) -> None:
        """Write the file with these texts in place of its units' texts."""


class InProcessFormats:
    """Formats without a sandbox, for files that are trusted."""

    def extract(self, source: Path, name: str, media_type: str, options: Options) -> Extracted:
        with source.open("rb") as file:
            return registry.extract(file, name, media_type, options)

    def merge(  # noqa: PLR0913, PLR0917  # what a filter needs
        self, format_name: str, source: Path, skeleton: bytes, units: Sequence[str], output: Path, options: Options
    ) -> None:
        with source.open("rb") as file, output.open("w+b") as written:
            registry.filter_of(format_name).merge(file, skeleton, units, written, options)
