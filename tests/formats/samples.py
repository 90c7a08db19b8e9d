"""Every sample of every format: the files of these folders, and what the makers make."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
_MADE = ("docx", "ods", "odp", "odt", "pdf", "pptx", "xlsx")


class Sample(NamedTuple):
    """A document. Its id is its format and its name. `content` is that of one that is no sample."""

    format: str
    name: str
    content: bytes | None = None

    @property
    def id(self) -> str:
        return f"{self.format}-{self.name}"

    @property
    def is_kept(self) -> bool:
        """Tell whether it is a file, and so has the same bytes in every run."""
        return self.content is None and not self.name.startswith("made.")

    @property
    def data(self) -> bytes:
        return _data(self.format, self.name) if self.content is None else self.content


def samples() -> Iterator[Sample]:
    """Yield the samples. Nothing is read or made before it is needed: every process collects all tests."""
    for path in sorted(FOLDER.glob("*/*.*")):
        if path.parent.name != "__pycache__":
            yield Sample(path.parent.name, path.name)
    for format_name in _MADE:
        yield Sample(format_name, f"made.{format_name}")


@cache
def _data(format_name: str, name: str) -> bytes:
    if not name.startswith("made."):
        return (FOLDER / format_name / name).read_bytes()
    from tests.formats import makers

    made = getattr(makers, f"make_{format_name}")()
    assert isinstance(made, bytes)
    return made
