"""Chunks as a file that can be read from, for libraries that want one."""

import io
from collections.abc import Iterator


def opened(chunks: Iterator[bytes]) -> io.BufferedReader:
    """Reads on as far as it is asked; what the chunks raise comes out of its `read`."""
    return io.BufferedReader(_Chunks(chunks))


class _Chunks(io.RawIOBase):
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
