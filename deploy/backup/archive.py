"""Write, read and verify one backup in a folder or below a URL; this file defines its format.

A backup has the files of its parts, a listing (`files.jsonl`, one line for each file) and a manifest
(`manifest.json`). The manifest is written last, so a backup that was cut short has none and cannot be opened.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from connectors.object_files import Digest, Files, open_files
from connectors.object_store import ObjectSettings
from deploy.backup.partial_folder import partial_folder
from schemas.errors import PermanentError

MANIFEST, LISTING = "manifest.json", "files.jsonl"
FORMAT = 1

_CHUNK_BYTES = 1 << 20
_LISTING_MEMORY_BYTES = 8 << 20


@dataclass(frozen=True)
class FileEntry:
    """One file of `size` bytes. `sha256` in hexadecimal digits; `records` are keys, rows, or 1 for an object."""

    name: str
    part: str
    size: int
    sha256: str
    records: int

    def to_line(self) -> bytes:
        """Return its line of the listing."""
        return json.dumps(asdict(self)).encode() + b"\n"


def entry_of(line: bytes) -> FileEntry:
    """Parse one line of the listing. Raises PermanentError for anything else."""
    try:
        return FileEntry(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise damaged(LISTING, "cannot be read") from error


OnFile = Callable[[FileEntry], None]
"""Called with every file that was verified."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself. `size` in bytes; `parts` holds what each part needs at its restore."""

    backup_id: str
    created_at: str
    files: int
    size: int
    listing_sha256: str
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> bytes:
        """Return readable JSON that holds its own checksum."""
        fields = asdict(self)
        return json.dumps({**fields, "sha256": _checksum(fields)}, indent=2).encode() + b"\n"


def manifest_of(data: bytes) -> Manifest:
    """Parse a manifest. Raises PermanentError where it is damaged, or written by a later version."""
    try:
        fields = json.loads(data)
        checksum = fields.pop("sha256")
        manifest = Manifest(**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(MANIFEST, "cannot be read") from error
    if checksum != _checksum(fields):
        raise damaged(MANIFEST, "its checksum is another")
    if manifest.format != FORMAT:
        raise PermanentError(
            "unknown_format",
            f"the backup has format {manifest.format}, this version reads {FORMAT}",
            cure="restore it with the version that made it",
        )
    return manifest


class Draft:
    """A backup that is being written. Its listing grows on disk, not in memory."""

    def __init__(self, files: Files, backup_id: str, listing: IO[bytes]) -> None:
        self.backup_id = backup_id
        self._files = files
        self._listing = listing
        self._count = self._size = 0

    def add(self, part: str, name: str, chunks: Iterable[bytes], records: Callable[[], int]) -> FileEntry:
        """Write `part/name`; `records` is called when all chunks have passed."""
        written = self._files.write(f"{part}/{name}", chunks)
        entry = FileEntry(f"{part}/{name}", part, written.size, written.sha256, records())
        self._listing.write(entry.to_line())
        self._count += 1
        self._size += entry.size
        return entry

    def finish(self, created_at: str, parts: Mapping[str, Mapping[str, Any]]) -> Manifest:
        """Write the listing, then the manifest, which makes it a backup."""
        self._listing.seek(0)
        listing = self._files.write(LISTING, iter(lambda: self._listing.read(_CHUNK_BYTES), b""))
        manifest = Manifest(self.backup_id, created_at, self._count, self._size, listing.sha256, parts)
        self._files.write(MANIFEST, [manifest.to_json()])
        return manifest


@contextmanager
def new_backup(location: str, backup_id: str) -> Iterator[Draft]:
    """Open a draft for that folder or URL. Raises PermanentError where something is there already.

    A folder gets its name when the draft is finished (partial_folder.py). Below a URL nothing can be renamed:
    there the manifest, written last, makes it a backup.
    """
    with tempfile.SpooledTemporaryFile(_LISTING_MEMORY_BYTES) as listing:
        if "://" in location:
            files = open_files(ObjectSettings(url=location))
            _check_free(location, any(True for _ in files.all()))
            yield Draft(files, backup_id, listing)
            return
        path = Path(location).absolute()
        _check_free(location, path.exists())
        with partial_folder(path) as partial:
            yield Draft(open_files(ObjectSettings(url=partial.as_uri())), backup_id, listing)
            partial.rename(path)


class Backup:
    """A backup whose manifest is sound; `verify` checks every byte of the rest."""

    def __init__(self, files: Files, manifest: Manifest) -> None:
        self.manifest = manifest
        self._files = files

    def entries(self, part: str) -> Iterator[FileEntry]:
        """Yield the files of one part, from the listing."""
        return (entry for entry in map(entry_of, self._lines()) if entry.part == part)

    def read(self, entry: FileEntry) -> Iterator[bytes]:
        """Yield the content of a file. Raises PermanentError after the last chunk where it is damaged."""
        digest = Digest()
        yield from digest.over(self._files.read(entry.name))
        found = digest.written
        if found.size != entry.size:
            raise damaged(entry.name, f"{found.size} bytes, {entry.size} were written")
        if found.sha256 != entry.sha256:
            raise damaged(entry.name, "its checksum is another")

    def verify(self, parts: Iterable[str], on_file: OnFile) -> None:
        """Read all files of these parts. Raises PermanentError naming the first that is damaged or missing."""
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


def open_backup(location: str) -> Backup:
    """Open the backup in that folder or below that URL. Raises PermanentError where there is no whole backup."""
    folder = _folder_of(location)
    # Opening it would make it.
    if folder and not folder.is_dir():
        raise _no_backup(location, "there is no such folder")
    url = folder.absolute().as_uri() if folder else location
    files = open_files(ObjectSettings(url=url))
    if files.size(MANIFEST) is None:
        raise _no_backup(location, f"it has no {MANIFEST}, so its making was cut short")
    return Backup(files, manifest_of(b"".join(files.read(MANIFEST))))


def damaged(name: str, how: str) -> PermanentError:
    """Build the error for a file that is not what was written; nothing was restored."""
    cure = "take another backup; nothing of this one was restored"
    return PermanentError("backup_damaged", f"{name} is damaged: {how}", field=name, cure=cure)


def _checksum(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _folder_of(location: str) -> Path | None:
    """Return the folder that is meant; None for a URL of anything else."""
    if "://" not in location:
        return Path(location)
    return Path(unquote(urlsplit(location).path)) if location.startswith("file:") else None


def _check_free(location: str, is_taken: bool) -> None:
    if is_taken:
        raise PermanentError(
            "place_taken",
            f"{location} is there already",
            cure="give every backup a location of its own, such as one with a date",
        )


def _no_backup(location: str, why: str) -> PermanentError:
    return PermanentError("no_backup", f"{location} is no backup: {why}", cure="make one: dragoman backup create")
