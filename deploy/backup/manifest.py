"""What a backup says of itself: `manifest.json`, and `files.jsonl` with one line for each file. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

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
