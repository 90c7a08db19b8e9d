"""Keep everything of a document in the object store: its copy, its skeleton, its units, its translations.

A file is worked on in a folder of this machine, which is empty again afterwards.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from connectors.object_files import Digest, FileInfo, Written, chunks_of
from connectors.object_store import checked_ref
from schemas.documents import source_name
from schemas.errors import PermanentError
from schemas.ids import JobKey


class FileStore(Protocol):
    """Files by name (connectors.object_files.Files). Raises TransientError, PermanentError for what is missing."""

    def size(self, name: str) -> int | None:
        """Return the size in bytes; None where there is no such file."""

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the content chunk by chunk."""

    def write(self, name: str, chunks: Iterable[bytes]) -> Written:
        """Write a file, which exists once this returns; the same name replaces."""

    def all(self, folder: str | None = None) -> Iterator[FileInfo]:
        """List every file below the folder."""


@dataclass(frozen=True)
class KeptUnit:
    """A unit of a document as merging needs it again; `text` is coded text."""

    text: str
    place: str = ""
    translate: bool = True


@dataclass(frozen=True)
class Source:
    """The file of a document, on this machine for a moment."""

    path: Path
    folder: Path
    written: Written


@dataclass(frozen=True)
class DocumentStore:
    """The documents in one object store. `folder`: where files are worked on; None: the system's own."""

    files: FileStore
    max_bytes: int
    folder: Path | None = None

    @contextmanager
    def source(self, key: JobKey, ref: str) -> Iterator[Source]:
        """Copy the file of a request into its folder, and give it for as long as the context lasts.

        A copy that is there already is taken, so a caller may delete the original. Raises PermanentError for a
        file that is missing or too large.
        """
        kept = source_name(key)
        with TemporaryDirectory(prefix="document-", dir=self.folder) as name:
            folder = Path(name)
            if self.files.size(kept) is not None:
                written = self._fetched(kept, folder / "source")
            else:
                written = self._fetched(checked_ref(ref), folder / "source")
                self.keep_file(kept, folder / "source")
            yield Source(folder / "source", folder, written)

    @contextmanager
    def copy(self, key: JobKey) -> Iterator[Source]:
        """Give the copy of a document that was taken apart."""
        with TemporaryDirectory(prefix="document-", dir=self.folder) as name:
            path = Path(name) / "source"
            yield Source(path, Path(name), self._fetched(source_name(key), path))

    def keep(self, name: str, data: bytes) -> str:
        """Store the bytes under the name, and return it."""
        self.files.write(name, [data])
        return name

    def keep_file(self, name: str, path: Path) -> Written:
        """Store the file under the name."""
        with path.open("rb") as file:
            return self.files.write(name, chunks_of(file))

    def load(self, name: str) -> bytes:
        """Return what was kept. Raises PermanentError where it is gone."""
        return b"".join(self.files.read(name))

    def keep_units(self, name: str, units: Sequence[KeptUnit]) -> str:
        """Store the units, and return the name."""
        return self.keep(name, json.dumps([asdict(unit) for unit in units], ensure_ascii=False).encode())

    def load_units(self, name: str) -> list[KeptUnit]:
        """Return the units that were kept."""
        return [KeptUnit(**unit) for unit in json.loads(self.load(name))]

    def _fetched(self, ref: str, path: Path) -> Written:
        size = self.files.size(ref)
        if size is None:
            raise PermanentError(
                "content_missing",
                f"content_ref {ref!r} does not exist in the object store",
                field="content_ref",
                cure="store the file first, then send the request",
            )
        if size > self.max_bytes:
            raise PermanentError(
                "document_too_large",
                f"the document has {size} bytes",
                field="content_ref",
                limit=f"{self.max_bytes} bytes",
                cure="split the document into smaller ones",
            )
        digest = Digest()
        with path.open("wb") as file:
            for chunk in digest.over(self.files.read(ref)):
                file.write(chunk)
        return digest.written
