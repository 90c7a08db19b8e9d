"""One suite for files in a folder and in memory; any other URL is the same library."""

import pytest
from obstore.store import LocalStore, MemoryStore

from connectors.object_files import FileInfo, Files, open_files
from connectors.object_store import ObjectSettings
from schemas.errors import FatalError, PermanentError, TransientError

LARGE = 12_000_000


@pytest.fixture(params=["folder", "memory"])
def files(request, tmp_path) -> Files:
    return Files(LocalStore(tmp_path) if request.param == "folder" else MemoryStore())


def test_what_was_written_is_read_with_its_size_and_checksum(files):
    written = files.write("a/b.txt", [b"Bom ", b"dia."])
    assert (written.size, written.sha256[:8]) == (8, "b51add27")
    assert b"".join(files.read("a/b.txt")) == b"Bom dia."
    assert files.size("a/b.txt") == 8


def test_a_large_file_passes_in_pieces(files):
    written = files.write("large", (bytes([number]) * 1_000_000 for number in range(12)))
    pieces = list(files.read("large"))
    assert written.size == sum(map(len, pieces)) == LARGE
    assert pieces[-1][-1] == 11


def test_an_empty_file_is_a_file(files):
    assert files.write("empty", []).size == 0
    assert files.size("empty") == 0


def test_all_files_below_a_folder_are_listed(files):
    for name in ("a/1", "a/2", "b/1"):
        files.write(name, [b"x"])
    assert sorted(found.name for found in files.all()) == ["a/1", "a/2", "b/1"]
    assert sorted(files.all("a"), key=lambda found: found.name) == [FileInfo("a/1", 1), FileInfo("a/2", 1)]


def test_a_missing_file_is_named(files):
    assert files.size("nowhere") is None
    with pytest.raises(PermanentError, match="nowhere is missing"):
        list(files.read("nowhere"))


@pytest.mark.parametrize("before", [b"", bytes(LARGE)])
def test_a_write_that_fails_leaves_no_file(files, before):
    def chunks():
        yield before
        raise KeyError

    with pytest.raises(KeyError):
        files.write("half", chunks())
    assert files.size("half") is None
    assert list(files.all()) == []


def test_a_store_that_is_away_is_transient(monkeypatch):
    for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("ENDPOINT", "http://127.0.0.1:1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    far = open_files(ObjectSettings(url="s3://bucket/prefix", timeout_seconds=1, retries=0))
    with pytest.raises(TransientError):
        far.write("a", [b"x"])
    with pytest.raises(TransientError):
        far.size("a")


def test_a_url_that_means_nothing_is_fatal():
    with pytest.raises(FatalError, match="cannot be opened"):
        open_files(ObjectSettings(url="nowhere://x"))
