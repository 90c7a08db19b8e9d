"""Records with header names that are no UTF-8, which aiokafka refuses to read, and so never gets past.

The protocol calls the names strings, but no broker checks it. All on private parts of the pinned version.
"""

from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

_LEGACY_BELOW = 2


def forgive_header_names() -> None:
    """From now on every consumer of this process reads them, with U+FFFD for what is no UTF-8."""
    fetcher.MemoryRecords = ForgivingRecords


class ForgivingRecords(_MemoryRecordsPy):  # type: ignore[misc]  # an untyped base
    """The batches of one fetch."""

    def next_batch(self, *args: int) -> Any:
        """As usual; formats before Kafka 0.11 have no headers."""
        data = self._next_slice
        batch = super().next_batch(*args)
        return batch if batch is None or batch.magic < _LEGACY_BELOW else ForgivingBatch(batch, bytes(data))


class ForgivingBatch:
    """Reads on with the slower Python code where the compiled one stumbles over a name."""

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
    """Bytes whose slices decode whatever they hold."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _LenientName(found) if isinstance(found, bytes) else found


class _LenientName(bytes):
    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
