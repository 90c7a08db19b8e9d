"""Stream files of any size below one URL: what backups are made of, and what they copy."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError

from connectors.object_store import ObjectSettings, ObjectStoreClient, first_line, open_store
from schemas.errors import FatalError, PermanentError, TransientError

_CHUNK_BYTES = 1 << 20
# The least that S3 takes, except for the last part.
_PART_BYTES = 5 << 20
_CONCURRENT_PARTS = 4


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of an open file, a megabyte at a time."""
    return iter(partial(file.read, _CHUNK_BYTES), b"")


@dataclass(frozen=True)
class FileInfo:
    """An existing file of `size` bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Written:
    """What went into a file: `size` bytes; `sha256` in hexadecimal digits."""

    size: int
    sha256: str


class Files:
    """The files below one URL; a few chunks of a megabyte are in memory at once, however large the files are.

    Raises TransientError when the store is unreachable, PermanentError for a file that does not exist.
    """

    def __init__(self, store: ObjectStoreClient) -> None:
        self._store = store

    def all(self, folder: str | None = None) -> Iterator[FileInfo]:
        """List every file below the folder, in no order."""
        with _store_errors(folder or "the store"):
            for page in obstore.list(self._store, folder):
                for found in page:
                    yield FileInfo(found["path"], found["size"])

    def size(self, name: str) -> int | None:
        """Return the size in bytes; None where there is no such file."""
        try:
            return int(obstore.head(self._store, name)["size"])
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise TransientError(f"{name}: {first_line(error)}") from error

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the content chunk by chunk."""
        with _store_errors(name):
            for chunk in obstore.get(self._store, name).stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)

    def write(self, name: str, chunks: Iterable[bytes]) -> Written:
        """Write a file, which exists once this returns. When `chunks` raises, there is no file of that name."""
        digest = Digest()
        with (
            _store_errors(name),
            obstore.open_writer(
                self._store, name, buffer_size=_PART_BYTES, max_concurrency=_CONCURRENT_PARTS
            ) as writer,
        ):
            for chunk in digest.over(chunks):
                writer.write(chunk)
        return digest.written


def open_files(settings: ObjectSettings) -> Files:
    """Open the files below that URL; connects at the first use. Raises FatalError for a URL that means nothing."""
    try:
        return Files(open_store(settings))
    except (BaseError, ValueError, OSError) as error:
        raise FatalError(f"{settings.url!r} cannot be opened: {first_line(error)}") from error


class Digest:
    """The size and the SHA-256 of the chunks that pass through it."""

    def __init__(self) -> None:
        self._size = 0
        self._sha256 = hashlib.sha256()

    @property
    def written(self) -> Written:
        """Return the size and the digest of all chunks so far."""
        return Written(self._size, self._sha256.hexdigest())

    def over(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the chunks on unchanged."""
        for chunk in chunks:
            self._size += len(chunk)
            self._sha256.update(chunk)
            yield chunk


@contextmanager
def _store_errors(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise PermanentError("file_missing", f"{name} is missing", field=name) from error
    except (BaseError, OSError) as error:
        raise TransientError(f"{name}: {first_line(error)}") from error
