"""Have aiokafka read records whose header names are not UTF-8.

The protocol says that they are strings, but no broker checks it, and aiokafka would fail on such a record for
ever. Uses private parts of a pinned version.
"""

from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

_FIRST_FORMAT_WITH_HEADERS = 2


def forgive_header_names() -> None:
    """Make every consumer of this process replace bytes of header names that are not UTF-8 by U+FFFD."""
    fetcher.MemoryRecords = ForgivingRecords


class ForgivingRecords(_MemoryRecordsPy):  # type: ignore[misc]  # an untyped base
    """The record batches of one fetch."""

    def next_batch(self, *args: int) -> Any:
        """Return the next batch; formats before Kafka 0.11 have no headers and stay as they are."""
        data = self._next_slice
        batch = super().next_batch(*args)
        return (
            batch
            if batch is None or batch.magic < _FIRST_FORMAT_WITH_HEADERS
            else ForgivingBatch(batch, bytes(data))
        )


class ForgivingBatch:
    """A batch that continues with the slower Python code where the compiled code fails on a header name."""

    def __init__(self, batch: Any, data: bytes) -> None:
        self._batch = batch
        self._data = data
        self._taken = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> "ForgivingBatch":
        iter(self._batch)
        return self

    def __next__(self) -> Any:
        try:
            record = next(self._batch)
        except UnicodeDecodeError:
            self._batch = _leniently(self._data, self._taken)
            record = next(self._batch)
        self._taken += 1
        return record


def _leniently(data: bytes, taken: int) -> Any:
    batch = _DefaultRecordBatchPy(data)
    batch._maybe_uncompress()
    batch._buffer = _LenientBuffer(batch._buffer)
    for _ in range(taken):
        next(batch)
    return batch


class _LenientBuffer(bytes):
    """Bytes whose slices can always be decoded."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _LenientName(found) if isinstance(found, bytes) else found


class _LenientName(bytes):
    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
