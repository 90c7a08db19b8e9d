"""What the machine must have, what the user is told when it is missing, and which port each process gets."""

from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.machine import (
    FIRST_PORT,
    LAST_PORT,
    PortBook,
    check_machine,
    first_port_of,
    java_version,
    open_port_book,
    save_port_book,
)
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


def book(previous: dict[str, int] | None = None, taken: set[int] | None = None, start: int = 20_000) -> PortBook:
    return PortBook(start, previous or {}, lambda port: port not in (taken or set()))


def test_no_port_is_given_twice() -> None:
    ports = book()

    assert len({ports.port(name) for name in ("kafka", "http", "worker-1")}) == 3


def test_a_name_keeps_its_port() -> None:
    ports = book()

    assert ports.port("kafka") == ports.port("kafka")


def test_a_taken_port_is_passed_over() -> None:
    assert book(taken={20_000, 20_001}).port("kafka") == 20_002


def test_the_port_of_the_run_before_is_preferred() -> None:
    assert book(previous={"kafka": 23_456}).port("kafka") == 23_456


def test_the_port_of_the_run_before_is_left_when_somebody_took_it() -> None:
    assert book(previous={"kafka": 23_456}, taken={23_456}).port("kafka") == 20_000


def test_the_old_port_of_one_name_is_not_given_to_another() -> None:
    assert book(previous={"kafka": 20_000}).port("http") == 20_001


def test_the_search_goes_round_at_the_end_of_the_range() -> None:
    assert book(start=LAST_PORT, taken={LAST_PORT}).port("kafka") == FIRST_PORT


def test_a_range_without_a_free_port_is_an_error_that_names_the_process() -> None:
    with pytest.raises(StackError, match="free for kafka"):
        PortBook(FIRST_PORT, {}, lambda _: False).port("kafka")


def test_a_port_that_the_user_chose_is_given() -> None:
    assert book().fixed("http", 8080, "DRAGOMAN_LOCAL_HTTP_PORT") == 8080


def test_a_chosen_port_may_be_asked_for_again() -> None:
    ports = book()

    assert ports.fixed("http", 8080, "SETTING") == ports.fixed("http", 8080, "SETTING")


def test_a_chosen_port_is_given_again_at_the_next_run_whoever_had_it() -> None:
    assert book(previous={"http": 8080}).fixed("http", 8080, "DRAGOMAN_LOCAL_HTTP_PORT") == 8080
    ports = book(previous={"kafka": 8080})
    assert ports.fixed("http", 8080, "DRAGOMAN_LOCAL_HTTP_PORT") == 8080
    assert ports.port("kafka") != 8080


@pytest.mark.parametrize("left", ["", "[]", '{"http": "x"}', '{"http": 2'])
def test_a_book_that_a_loss_of_power_left_damaged_is_begun_anew(tmp_path: Path, left: str) -> None:
    (tmp_path / "ports.json").write_text(left)

    assert FIRST_PORT <= open_port_book(tmp_path).port("http") <= LAST_PORT


def test_a_chosen_port_that_is_taken_is_an_error_with_its_cure() -> None:
    with pytest.raises(StackError, match=r"DRAGOMAN_LOCAL_HTTP_PORT: port 8080 is taken; choose another, or 0"):
        book(taken={8080}).fixed("http", 8080, "DRAGOMAN_LOCAL_HTTP_PORT")


def test_the_book_is_kept_between_runs(tmp_path: Path) -> None:
    first = open_port_book(tmp_path)
    port = first.port("kafka")
    save_port_book(tmp_path, first)

    assert open_port_book(tmp_path).port("kafka") == port


def test_two_roots_search_from_different_places() -> None:
    assert first_port_of(Path("/a/.dragoman")) != first_port_of(Path("/b/.dragoman"))
