"""Create, verify, restore: the three things one does with a backup."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from deploy.backup.archive import Backup, new_backup, open_backup
from deploy.backup.manifest import FileEntry, Manifest
from deploy.backup.parts import PartFacts, OnPartProgress, BackupPart
from schemas.errors import PermanentError


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


def restore(place: str, parts: Sequence[BackupPart], replace: bool, on_progress: OnPartProgress) -> dict[str, PartFacts]:
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
