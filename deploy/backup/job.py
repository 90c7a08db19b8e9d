"""What every store must be able to do to be saved and brought back.

The object store: every text under its name, from any URL to any other.

Create, verify, restore: the three things one does with a backup.

The usage sink goes on where the restored rows end: what came between is read from Kafka once more.
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

OnPartProgress = Callable[[str, int, int | None], None]
"""Told a part, how many records of it are done, and how many there are, where that is known."""


class BackupPart(Protocol):
    """One store. Raises TransientError when it is away."""

    @property
    def name(self) -> str:
        """The folder of its files in a backup."""

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        """Adds its files; what it answers stands in the manifest."""

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        """Brings its files back; may be repeated, also after it was cut short. Answers what was done."""


class ObjectsPart:
    """Objects are named by their request and never change, so one that is there is kept."""

    name = "objects"

    def __init__(self, files: Files) -> None:
        self._files = files

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        count = size = 0
        for found in self._files.all():
            size += draft.add(self.name, found.name, self._files.read(found.name), lambda: 1).size
            count += 1
            on_progress(self.name, count, None)
        return {"objects": count, "bytes": size}

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
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


def create(place: str, parts: Sequence[BackupPart], on_progress: OnPartProgress) -> Manifest:
    """A new backup of these parts. When it raises, there is none under that name."""
    with new_backup(place, str(uuid.uuid4())) as draft:
        facts = {part.name: part.save(draft, on_progress) for part in parts}
        return draft.finish(datetime.now(UTC).isoformat(timespec="seconds"), facts)


def verify(place: str, on_progress: OnPartProgress) -> Manifest:
    """Reads all of it. Raises PermanentError naming the first file that is damaged."""
    backup = open_backup(place)
    _verify(backup, list(backup.manifest.parts), on_progress)
    return backup.manifest


def restore(
    place: str, parts: Sequence[BackupPart], replace: bool, on_progress: OnPartProgress
) -> dict[str, PartFacts]:
    """Brings these parts back, having verified them first. May be repeated."""
    backup = open_backup(place)
    for part in parts:
        _checked(backup, part.name)
    _verify(backup, [part.name for part in parts], on_progress)
    return {part.name: part.restore(backup, replace, on_progress) for part in parts}


def facts_of(place: str, part: str) -> PartFacts:
    """What the backup says of that part. Raises PermanentError where it has none."""
    return dict(_checked(open_backup(place), part).manifest.parts[part])


def _checked(backup: Backup, part: str) -> Backup:
    if part not in backup.manifest.parts:
        there = ", ".join(backup.manifest.parts)
        raise PermanentError("no_such_part", f"the backup has no {part}, only {there}", field=part)
    return backup


def _verify(backup: Backup, parts: Sequence[str], on_progress: OnPartProgress) -> None:
    read = 0

    def on_file(entry: FileEntry) -> None:
        nonlocal read
        read += entry.size
        on_progress("verified bytes", read, backup.manifest.size if len(parts) > 1 else None)

    backup.verify(parts, on_file)


def rewind_usage(admin: KafkaAdmin, last_offsets: Mapping[str, int]) -> dict[int, int]:
    """Where each partition goes on. Raises FatalError where the offsets are of another cluster.

    The sink must stand still, which is waited for as long as a session lasts. A partition that the backup knows
    nothing of is read from its beginning.
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
