"""What a backup says of itself."""

import json

import pytest

from deploy.backup.archive import FORMAT, FileEntry, Manifest, entry_of, manifest_of
from schemas.errors import PermanentError

MANIFEST = Manifest("b1", "2026-01-31T00:00:00+00:00", 3, 1000, "aa", {"state": {"keys": 7}})


def test_a_manifest_and_its_lines_come_back_as_they_were() -> None:
    assert manifest_of(MANIFEST.to_json()) == MANIFEST
    entry = FileEntry("state/keys.avro", "state", 10, "bb", 7)
    assert entry_of(entry.to_line()) == entry


@pytest.mark.parametrize(
    "change", [{"size": 999}, {"parts": {"state": {"keys": 8}}}, {"sha256": "x"}, {"more": 1}]
)
def test_a_manifest_that_was_changed_is_refused(change: dict[str, object]) -> None:
    fields = json.loads(MANIFEST.to_json()) | change
    with pytest.raises(PermanentError, match=r"manifest.json is damaged"):
        manifest_of(json.dumps(fields).encode())


def test_a_backup_of_a_later_version_says_so() -> None:
    later = Manifest("b1", "", 0, 0, "", {}, FORMAT + 1)
    with pytest.raises(PermanentError, match=f"format {FORMAT + 1}, this version reads {FORMAT}"):
        manifest_of(later.to_json())


@pytest.mark.parametrize("line", [b"", b"{}", b'"text"', b"\xff"])
def test_what_is_no_line_of_the_listing_is_refused(line: bytes) -> None:
    with pytest.raises(PermanentError, match=r"files.jsonl is damaged"):
        entry_of(line)
