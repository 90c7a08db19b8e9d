"""What the processes need of formats: take a file apart, put it together. connectors/formats does it, boxed in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

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
