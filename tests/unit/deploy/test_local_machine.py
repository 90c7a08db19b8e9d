"""What the machine must have, and what the user is told when it lacks it."""

from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.machine import check_machine, java_version
from deploy.local.settings import StackSettings


def tools(folder: Path, **scripts: str) -> str:
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def said(version: str) -> str:
    return f"""echo 'openjdk version "{version}" 2025-04-15' >&2"""


@pytest.mark.parametrize(
    ("version", "release"), [("17.0.15", 17), ("1.8.0_402", 8), ("21", 21), ("25-ea", 25), ("none", None)]
)
def test_the_release_of_java_is_read(version: str, release: int | None) -> None:
    assert java_version(f'openjdk version "{version}" 2025-04-15\n') == release


def test_no_java_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", tools(tmp_path))

    with pytest.raises(StackError, match=r"no java found.*openjdk-17-jre-headless"):
        check_machine(StackSettings(root=tmp_path / "root"))


def test_an_old_java_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", tools(tmp_path, java=said("11.0.2")))

    with pytest.raises(StackError, match=r"java is version 11; install a JDK 17 or newer"):
        check_machine(StackSettings(root=tmp_path / "root"))


def test_no_maven_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", tools(tmp_path, java=said("17.0.15")))

    with pytest.raises(StackError, match=r"no mvn found.*apt-get install maven"):
        check_machine(StackSettings(root=tmp_path / "root"))


def test_a_full_disk_says_how_much_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", tools(tmp_path, java=said("17.0.15"), mvn="true"))

    with pytest.raises(StackError, match=r"MB free, 1000000000 are needed; free some space"):
        check_machine(StackSettings(root=tmp_path / "root", minimum_free_megabytes=1_000_000_000))
