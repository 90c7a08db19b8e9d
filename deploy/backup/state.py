"""Back up the state Redis, key by key, in one Avro file.

The file is not a snapshot of one moment: a request may be answered while its keys are read. That is enough,
because each key can be lost or old without harm: where markers and slots are missing, work is repeated and
recognised as a repeat, and what was accepted and never answered is found by comparing the topics.
"""

import io
from collections.abc import Iterable, Iterator

from fastavro import parse_schema, reader
from fastavro.write import Writer

from connectors.redis.client import Client
from connectors.redis.dump import Entry, Restored, count_keys, dump, restore
from deploy.backup.archive import Backup, Draft
from deploy.backup.job import OnPartProgress, PartFacts
from stream_apps.runtime.state_watch import read_state_server

_FILE = "keys.avro"
_SCHEMA = parse_schema(
    {
        "type": "record",
        "name": "RedisKey",
        "fields": [
            {"name": "key", "type": "bytes"},
            {"name": "value", "type": "bytes", "doc": "As DUMP returns it."},
            {"name": "ttl_ms", "type": "long", "doc": "Time to live when it was read; 0: none."},
        ],
    }
)
_CHUNK_BYTES = 1 << 20


class StatePart:
    """Keys are restored with the time to live that was left, so a marker may live too long, never too short."""

    name = "state"

    def __init__(self, client: Client) -> None:
        self._client = client

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        """Add one file with all keys."""
        total = count_keys(self._client)
        count = 0

        def counted() -> Iterator[Entry]:
            nonlocal count
            for entry in dump(self._client):
                count += 1
                on_progress(self.name, count, total)
                yield entry

        draft.add(self.name, _FILE, _encoded(counted()), lambda: count)
        return {"keys": count}

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        """Write all keys; without `replace` only those that are missing.

        Raises FatalError for a server that may evict them.
        """
        read_state_server(self._client).check()
        total = int(backup.manifest.parts[self.name]["keys"])
        done = Restored()
        for file in backup.entries(self.name):
            for portion in restore(self._client, _decoded(backup.read(file)), replace):
                done.written += portion.written
                done.kept += portion.kept
                on_progress(self.name, done.written + done.kept, total)
        return {"written": done.written, "kept": done.kept}


def _encoded(entries: Iterable[Entry]) -> Iterator[bytes]:
    buffer = io.BytesIO()
    writer = Writer(buffer, _SCHEMA, codec="deflate")
    for entry in entries:
        writer.write(vars(entry))
        if buffer.tell() >= _CHUNK_BYTES:
            yield _drain(buffer)
    writer.flush()
    yield _drain(buffer)


def _drain(buffer: io.BytesIO) -> bytes:
    data = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return data


def _decoded(chunks: Iterator[bytes]) -> Iterator[Entry]:
    for datum in reader(_file_over(chunks)):
        assert isinstance(datum, dict)
        yield Entry(**datum)


def _file_over(chunks: Iterator[bytes]) -> io.BufferedReader:
    """Open chunks as a file for libraries that want one; `read` raises what the chunks raise."""
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
