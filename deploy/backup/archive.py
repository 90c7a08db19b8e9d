"""What a backup says of itself: `manifest.json`, and `files.jsonl` with one line for each file. Pure.

One backup in a folder or below a URL: written aside, valid only when whole, checked before it is used.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from connectors.object_files import Digest, Files, open_files
from connectors.object_store import ObjectSettings
from schemas.errors import PermanentError

MANIFEST, LISTING = "manifest.json", "files.jsonl"
FORMAT = 1


@dataclass(frozen=True)
class FileEntry:
    """One file of `size` bytes. `sha256` in hexadecimal digits; `records` are keys, rows, or 1 for an object."""

    name: str
    part: str
    size: int
    sha256: str
    records: int


@dataclass(frozen=True)
class Manifest:
    """Written last: a backup without it is none. `size` in bytes.

    `parts` holds what each part must know when it is restored.
    """

    backup_id: str
    created_at: str
    files: int
    size: int
    listing_sha256: str
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> bytes:
        """For people, too. Holds its own checksum."""
        fields = asdict(self)
        return json.dumps({**fields, "sha256": _checksum(fields)}, indent=2).encode() + b"\n"


def manifest_of(data: bytes) -> Manifest:
    """Raises PermanentError for what is no manifest, was changed, or is one of a later version."""
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


def _checksum(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def line_of(entry: FileEntry) -> bytes:
    """One line of the listing."""
    return json.dumps(asdict(entry)).encode() + b"\n"


def entry_of(line: bytes) -> FileEntry:
    """Raises PermanentError for what is no line of the listing."""
    try:
        return FileEntry(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise damaged(LISTING, "cannot be read") from error


def damaged(name: str, how: str) -> PermanentError:
    """A file that is not what was written; nothing was restored."""
    cure = "take another backup; nothing of this one was restored"
    return PermanentError("backup_damaged", f"{name} is damaged: {how}", field=name, cure=cure)


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
