"""One supervisor per root."""

import os
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.root_lock import RootLock, supervisor_of


def test_the_holder_is_known_while_it_holds(tmp_path: Path) -> None:
    with RootLock(tmp_path):
        assert supervisor_of(tmp_path) == os.getpid()


def test_nobody_holds_a_lock_that_was_let_go(tmp_path: Path) -> None:
    with RootLock(tmp_path):
        pass

    assert supervisor_of(tmp_path) is None


def test_nobody_holds_the_lock_of_a_root_that_never_was(tmp_path: Path) -> None:
    assert supervisor_of(tmp_path / "nowhere") is None


def test_a_second_supervisor_is_told_who_runs_and_how_to_stop_it(tmp_path: Path) -> None:
    with (
        RootLock(tmp_path),
        pytest.raises(StackError, match=rf"is running \(process {os.getpid()}\); stop it first: dragoman down"),
        RootLock(tmp_path),
    ):
        pass
