"""Write and read the Avro files of a backup as chunks of bytes, however long they are."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastavro import reader
from fastavro.write import Writer

_CHUNK_BYTES = 1 << 20


def encoded(schema: Any, rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield a file of these rows in chunks of about a megabyte. `schema` is parsed."""
    buffer = io.BytesIO()
    writer = Writer(buffer, schema, codec="deflate")
    for row in rows:
        writer.write(dict(row))
        if buffer.tell() >= _CHUNK_BYTES:
            yield _drain(buffer)
    writer.flush()
    yield _drain(buffer)


def decoded(chunks: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file. Raises what the chunks raise."""
    for row in reader(io.BufferedReader(_Chunks(chunks))):
        assert isinstance(row, dict)
        yield row


def _drain(buffer: io.BytesIO) -> bytes:
    data = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return data


class _Chunks(io.RawIOBase):
    """Chunks as a file, for a library that wants one."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # narrower than "any buffer"
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
