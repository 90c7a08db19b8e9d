"""What a backup says of itself."""

import json
from pathlib import Path

import pytest

from deploy.backup.archive import FORMAT, FileEntry, Manifest, entry_of, manifest_of, new_backup, open_backup
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


def made(location: Path, *names: str) -> None:
    with new_backup(str(location), "an id") as draft:
        for name in names:
            draft.add("objects", name, [b"text"], lambda: 1)
        draft.finish("2026-11-30T03:00:00+00:00", {"objects": {"objects": len(names)}})


def test_what_a_killed_attempt_left_is_no_part_of_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / "b.partial" / "objects" / "old"
    left.parent.mkdir(parents=True)
    left.write_text("left")
    made(tmp_path / "b", "a")
    assert sorted(one.name for one in (tmp_path / "b").rglob("*")) == [
        "a",
        "files.jsonl",
        "manifest.json",
        "objects",
    ]


def test_a_backup_that_is_being_made_is_not_thrown_away_by_a_second_one(tmp_path: Path) -> None:
    with new_backup(str(tmp_path / "b"), "an id") as draft:
        draft.add("objects", "a", [b"text"], lambda: 1)
        with (
            pytest.raises(PermanentError, match="is being made by another process"),
            new_backup(str(tmp_path / "b"), "another id"),
        ):
            pass
        draft.add("objects", "b", [b"text"], lambda: 1)
        draft.finish("2026-11-30T03:00:00+00:00", {"objects": {"objects": 2}})
    found: list[FileEntry] = []
    open_backup(str(tmp_path / "b")).verify(["objects"], found.append)
    assert [one.name for one in found] == ["objects/a", "objects/b"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_place_that_is_taken_is_called_so(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "b"
    place.mkdir() if kind == "folder" else place.touch()
    with pytest.raises(PermanentError, match="b is there already") as refused:
        made(place)
    assert refused.value.cure == "give every backup a location of its own, such as one with a date"
