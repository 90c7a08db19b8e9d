"""Back up the state Redis, key by key, in one Avro file.

The file is not a snapshot of one moment: a request may be answered while its keys are read. That is enough,
because each key can be lost or old without harm: where markers and slots are missing, work is repeated and
recognised as a repeat, and what was accepted and never answered is found by comparing the topics.
"""

from collections.abc import Iterator

from fastavro import parse_schema

from connectors.redis.client import Client
from connectors.redis.dump import Entry, Restored, count_keys, dump, restore
from deploy.backup.archive import Backup, Draft
from deploy.backup.avro_files import decoded, encoded
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


class StatePart:
    """Keys are restored with the time to live that was left, so a marker may live too long, never too short."""

    name = "state"

    def __init__(self, client: Client) -> None:
        self._client = client

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        """Add one file with all keys."""
        total = count_keys(self._client)
        count = 0

        def counted() -> Iterator[dict[str, object]]:
            nonlocal count
            for entry in dump(self._client):
                count += 1
                on_progress(self.name, count, total)
                yield vars(entry)

        draft.add(self.name, _FILE, encoded(_SCHEMA, counted()), lambda: count)
        return {"keys": count}

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        """Write all keys; without `replace` only those that are missing.

        Raises FatalError for a server that may evict them.
        """
        read_state_server(self._client).check()
        total = int(backup.manifest.parts[self.name]["keys"])
        done = Restored()
        for file in backup.entries(self.name):
            entries = (Entry(**row) for row in decoded(backup.read(file)))
            for portion in restore(self._client, entries, replace):
                done.written += portion.written
                done.kept += portion.kept
                on_progress(self.name, done.written + done.kept, total)
        return {"written": done.written, "kept": done.kept}
