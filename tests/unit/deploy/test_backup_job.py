"""What is saved of a store that is in use, and where the usage sink goes on after a restore."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import cast

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.object_files import FileInfo, Files, open_files
from connectors.object_store import ObjectSettings
from deploy.backup.archive import Draft
from deploy.backup.job import ObjectsPart, rewind_usage
from schemas.errors import FatalError, PermanentError
from schemas.topics import USAGE


class Cluster:
    """A cluster whose usage topic ends at these offsets."""

    def __init__(self, ends: dict[int, int]) -> None:
        self._ends = ends
        self.moved: tuple[str, Mapping[tuple[str, int], int]] | None = None
        self.emptied: list[str] = []

    def wait_until_empty(self, group: str) -> None:
        self.emptied.append(group)

    def ends(self, topic: str) -> dict[int, int]:
        assert topic == USAGE
        return self._ends

    def move_group(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        assert self.emptied == [group]
        self.moved = group, offsets

    def rewind(self, last_offsets: dict[str, int]) -> dict[int, int]:
        return rewind_usage(cast(KafkaAdmin, self), last_offsets)


def test_the_sink_goes_on_behind_the_last_restored_row_of_each_partition() -> None:
    cluster = Cluster({0: 100, 1: 50, 2: 7})
    assert cluster.rewind({"0": 41, "1": 49}) == {0: 42, 1: 50, 2: 0}
    assert cluster.moved == ("usage_sink", {(USAGE, 0): 42, (USAGE, 1): 50, (USAGE, 2): 0})


def test_offsets_of_another_cluster_are_refused() -> None:
    cluster = Cluster({0: 40})
    with pytest.raises(FatalError, match="another cluster"):
        cluster.rewind({"0": 40})
    assert cluster.moved is None


class FilesInUse:
    """A store whose list names files that are deleted, or cannot be read, before anybody reads them."""

    def __init__(self, files: Files, sizes: Mapping[str, int | None]) -> None:
        self._files = files
        self._sizes = sizes

    def all(self) -> Iterator[FileInfo]:
        yield from (FileInfo(name, 4) for name in self._sizes)

    def size(self, name: str) -> int | None:
        return self._sizes[name]

    def read(self, name: str) -> Iterator[bytes]:
        return self._files.read(name)


def saved(folder: Path, sizes: Mapping[str, int | None]) -> dict[str, object]:
    store, backup = (open_files(ObjectSettings(url=(folder / name).as_uri())) for name in ("store", "backup"))
    store.write("there", [b"text"])
    part = ObjectsPart(cast(Files, FilesInUse(store, sizes)))
    return part.save(Draft(backup, "an id", BytesIO()), lambda *_: None)


def test_a_file_that_is_deleted_during_a_backup_is_left_out(tmp_path: Path) -> None:
    assert saved(tmp_path, {"gone": None, "there": 4}) == {"objects": 1, "bytes": 4}
    assert [file.name for file in (tmp_path / "backup").rglob("*") if file.is_file()] == ["there"]


def test_a_file_that_is_there_and_cannot_be_read_ends_the_backup(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="gone is missing"):
        saved(tmp_path, {"gone": 4, "there": 4})
