"""Create, verify and restore a backup, and continue the usage sink after a restore.

A backup has parts, one for each store. The part of the object store is here; those of Redis, ClickHouse and the
tables in Kafka have modules of their own.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from connectors.kafka.admin import KafkaAdmin
from connectors.object_files import Files
from deploy.backup.archive import Backup, Draft, FileEntry, Manifest, new_backup, open_backup
from schemas.errors import FatalError, PermanentError
from schemas.topics import USAGE
from stream_apps.usage_sink.main import GROUP

PartFacts = dict[str, Any]
"""What the manifest says about a part, or what the restore of a part has done."""

OnPartProgress = Callable[[str, int, int | None], None]
"""Called with a part, how many of its records are done, and how many there are, where that is known."""


class BackupPart(Protocol):
    """One store. Raises TransientError when it is unreachable."""

    @property
    def name(self) -> str:
        """Return the name of the part, which is the folder of its files in a backup."""

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        """Add its files to the draft, and return what the manifest should say about it."""

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        """Bring its files back and return what was done. May be repeated, also after it was cut short."""


class ObjectsPart:
    """The object store. An object is named after its request and never changes, so an existing one is kept."""

    name = "objects"

    def __init__(self, files: Files) -> None:
        self._files = files

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        """Add every object that is still there when its turn comes."""
        count = size = 0
        for found in self._files.all():
            if entry := self._save(draft, found.name):
                size += entry.size
                count += 1
                on_progress(self.name, count, None)
        return {"objects": count, "bytes": size}

    def _save(self, draft: Draft, name: str) -> FileEntry | None:
        """Add one object; None where it was deleted after it was listed, as retention and erasure do."""
        try:
            return draft.add(self.name, name, self._files.read(name), lambda: 1)
        except PermanentError:
            if self._files.size(name) is not None:
                raise
            return None

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        """Write every object; without `replace` only those that are missing or have another size."""
        total = int(backup.manifest.parts[self.name]["objects"])
        written = kept = 0
        for entry in backup.entries(self.name):
            name = entry.name.removeprefix(f"{self.name}/")
            if not replace and self._files.size(name) == entry.size:
                kept += 1
            else:
                self._files.write(name, backup.read(entry))
                written += 1
            on_progress(self.name, written + kept, total)
        return {"written": written, "kept": kept}


def create(location: str, parts: Sequence[BackupPart], on_progress: OnPartProgress) -> Manifest:
    """Create a backup of these parts in that folder or below that URL. When it raises, there is no backup."""
    with new_backup(location, str(uuid.uuid4())) as draft:
        facts = {part.name: part.save(draft, on_progress) for part in parts}
        return draft.finish(datetime.now(UTC).isoformat(timespec="seconds"), facts)


def verify(location: str, on_progress: OnPartProgress) -> Manifest:
    """Read a whole backup. Raises PermanentError naming the first file that is damaged."""
    backup = open_backup(location)
    _verify(backup, list(backup.manifest.parts), on_progress)
    return backup.manifest


def restore(
    location: str, parts: Sequence[BackupPart], replace: bool, on_progress: OnPartProgress
) -> dict[str, PartFacts]:
    """Verify these parts of a backup, then restore them. May be repeated."""
    backup = open_backup(location)
    for part in parts:
        _check_has(backup, part.name)
    _verify(backup, [part.name for part in parts], on_progress)
    return {part.name: part.restore(backup, replace, on_progress) for part in parts}


def facts_of(location: str, part: str) -> PartFacts:
    """Return what the manifest says about that part. Raises PermanentError where the backup does not have it."""
    backup = open_backup(location)
    _check_has(backup, part)
    return dict(backup.manifest.parts[part])


def rewind_usage(admin: KafkaAdmin, last_offsets: Mapping[str, int]) -> dict[int, int]:
    """Let the usage sink continue after the last restored rows; return its new offset by partition.

    What came after them is read from Kafka once more. A partition that the backup does not know is read from its
    beginning. Waits up to the length of a session for the sink to stop. Raises FatalError where the offsets belong
    to another cluster.
    """
    ends = admin.ends(USAGE)
    begins = {partition: int(last_offsets.get(str(partition), -1)) + 1 for partition in ends}
    for partition, begin in begins.items():
        if begin > ends[partition]:
            raise FatalError(
                f"the backup ends at offset {begin} of {USAGE}-{partition}, the topic at {ends[partition]}: "
                "it is of another cluster; leave the sink where it is"
            )
    admin.wait_until_empty(GROUP)
    admin.move_group(GROUP, {(USAGE, partition): begin for partition, begin in begins.items()})
    return begins


def _check_has(backup: Backup, part: str) -> None:
    if part not in backup.manifest.parts:
        there = ", ".join(backup.manifest.parts)
        cure = "name the parts that it has, each by --only"
        raise PermanentError("no_such_part", f"the backup has no {part}, only {there}", field=part, cure=cure)


def _verify(backup: Backup, parts: Sequence[str], on_progress: OnPartProgress) -> None:
    read = 0

    def on_file(entry: FileEntry) -> None:
        nonlocal read
        read += entry.size
        on_progress("verified bytes", read, backup.manifest.size if len(parts) > 1 else None)

    backup.verify(parts, on_file)
