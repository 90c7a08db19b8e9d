"""One backup in a folder or below a URL: written aside, valid only when whole, checked before it is used."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from connectors.objects.files import Digest, Files, open_files
from connectors.objects.settings import ObjectSettings
from deploy.backup.manifest import (
    LISTING,
    MANIFEST,
    FileEntry,
    Manifest,
    damaged,
    entry_of,
    line_of,
    manifest_of,
)
from schemas.errors import PermanentError

_PIECE_BYTES = 1 << 20
_LISTING_MEMORY_BYTES = 8 << 20

OnFile = Callable[[FileEntry], None]
"""Told of every file that was found sound."""


class Draft:
    """A backup that is being written. Its listing grows on disk, not in memory."""

    def __init__(self, files: Files, backup_id: str, listing: IO[bytes]) -> None:
        self.backup_id = backup_id
        self._files = files
        self._listing = listing
        self._count = self._size = 0

    def add(self, part: str, name: str, chunks: Iterable[bytes], records: Callable[[], int]) -> FileEntry:
        """Writes `part/name`; `records` is asked when all chunks have passed."""
        written = self._files.write(f"{part}/{name}", chunks)
        entry = FileEntry(f"{part}/{name}", part, written.size, written.sha256, records())
        self._listing.write(line_of(entry))
        self._count += 1
        self._size += entry.size
        return entry

    def finish(self, created_at: str, parts: Mapping[str, Mapping[str, Any]]) -> Manifest:
        """Listing, then manifest: from now on it is a backup."""
        self._listing.seek(0)
        listing = self._files.write(LISTING, iter(lambda: self._listing.read(_PIECE_BYTES), b""))
        manifest = Manifest(self.backup_id, created_at, self._count, self._size, listing.sha256, parts)
        self._files.write(MANIFEST, [manifest.to_json()])
        return manifest


class Backup:
    """A backup that is whole as far as its manifest says; `verify` looks at every byte."""

    def __init__(self, files: Files, manifest: Manifest) -> None:
        self.manifest = manifest
        self._files = files

    def entries(self, part: str) -> Iterator[FileEntry]:
        """The files of one part, from the listing."""
        return (entry for entry in map(entry_of, self._lines()) if entry.part == part)

    def read(self, entry: FileEntry) -> Iterator[bytes]:
        """Its content. Raises PermanentError behind the last piece where it is not what was written."""
        digest = Digest()
        yield from digest.over(self._files.read(entry.name))
        found = digest.written
        if found.size != entry.size:
            raise damaged(entry.name, f"{found.size} bytes, {entry.size} were written")
        if found.sha256 != entry.sha256:
            raise damaged(entry.name, "its checksum is another")

    def verify(self, parts: Iterable[str], on_file: OnFile) -> None:
        """Reads the files of these parts. Raises PermanentError naming the first that is damaged or missing."""
        digest = hashlib.sha256()
        for line in self._lines():
            digest.update(line)
        if digest.hexdigest() != self.manifest.listing_sha256:
            raise damaged(LISTING, "its checksum is another")
        for part in parts:
            for entry in self.entries(part):
                for _ in self.read(entry):
                    pass
                on_file(entry)

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        for chunk in self._files.read(LISTING):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line + b"\n" for line in lines)
        if rest:
            yield rest


@contextmanager
def new_backup(place: str, backup_id: str) -> Iterator[Draft]:
    """A draft for that folder or URL. Raises PermanentError where something is there already.

    A folder gets its name when the draft is finished; what a killed attempt left beside it goes first. Below a
    URL nothing can be renamed: there the manifest, written last, makes the difference.
    """
    with tempfile.SpooledTemporaryFile(_LISTING_MEMORY_BYTES) as listing:
        if "://" in place:
            files = open_files(ObjectSettings(url=place))
            _check_free(place, any(True for _ in files.all()))
            yield Draft(files, backup_id, listing)
            return
        path = Path(place).absolute()
        _check_free(place, path.exists())
        aside = path.with_name(f"{path.name}.partial")
        shutil.rmtree(aside, ignore_errors=True)
        yield Draft(open_files(ObjectSettings(url=aside.as_uri())), backup_id, listing)
        aside.rename(path)


def open_backup(place: str) -> Backup:
    """Raises PermanentError where there is no whole backup."""
    if "://" not in place and not Path(place).is_dir():
        raise _no_backup(place, "there is no such folder")
    url = place if "://" in place else Path(place).absolute().as_uri()
    files = open_files(ObjectSettings(url=url))
    if files.size(MANIFEST) is None:
        raise _no_backup(place, f"it has no {MANIFEST}, so its making was cut short")
    return Backup(files, manifest_of(b"".join(files.read(MANIFEST))))


def _check_free(place: str, is_taken: bool) -> None:
    if is_taken:
        raise PermanentError(
            "place_taken",
            f"{place} is not empty",
            cure="give every backup a place of its own, such as one with a date",
        )


def _no_backup(place: str, why: str) -> PermanentError:
    return PermanentError("no_backup", f"{place} is no backup: {why}", cure="make one: dragoman backup create")
