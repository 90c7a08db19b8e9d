"""Every sample of every format: the files of these folders, and what the makers make."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.formats import makers

FOLDER = Path(__file__).parent


class Sample(NamedTuple):
    """A document. Its id is its format and its name. `is_kept` in a file, so always the same bytes."""

    format: str
    name: str
    data: bytes
    is_kept: bool = False

    @property
    def id(self) -> str:
        return f"{self.format}-{self.name}"


def samples() -> Iterator[Sample]:
    """Yield the samples; those that libraries make are small and made in milliseconds."""
    for path in sorted(FOLDER.glob("*/*.*")):
        if path.parent.name != "__pycache__":
            yield Sample(path.parent.name, path.name, path.read_bytes(), is_kept=True)
    for format_name in ("docx", "ods", "odp", "odt", "pdf", "pptx", "xlsx"):
        make = getattr(makers, f"make_{format_name}")
        yield Sample(format_name, f"made.{format_name}", make())
