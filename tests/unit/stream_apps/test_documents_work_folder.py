"""Files of customers are gone when the process that works on them is."""

import pytest

from schemas.errors import FatalError
from stream_apps.documents.work_folder import open_work_folder


def test_a_folder_is_empty_private_and_gone_at_the_end(tmp_path):
    with open_work_folder(str(tmp_path), "merging", "a/../b") as folder:
        (folder / "letter.docx").write_bytes(b"secret")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.parent == tmp_path
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_of_the_same_name_left_is_removed_and_nothing_of_others(tmp_path):
    killed = open_work_folder(str(tmp_path), "extraction", "one")
    (killed.__enter__() / "letter.docx").write_bytes(b"secret")
    with (
        open_work_folder(str(tmp_path), "extraction", "two") as other,
        open_work_folder(str(tmp_path), "extraction", "one") as again,
    ):
        assert not list(again.iterdir())
        assert other.exists()


def test_a_name_that_somebody_else_has_taken_is_not_used(tmp_path):
    with open_work_folder(str(tmp_path), "extraction", "one") as folder:
        pass
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    with (
        pytest.raises(FatalError, match="DRAGOMAN_DOCUMENTS_FOLDER"),
        open_work_folder(str(tmp_path), "extraction", "one"),
    ):
        pass
