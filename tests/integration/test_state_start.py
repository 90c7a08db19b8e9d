"""The state server starts whatever happened to its append-only file; what cannot be read is put aside."""

import os
import resource
import shutil
from pathlib import Path

import pytest

from connectors.redis.state_epoch import StateEpoch
from deploy.local.stack import START_STATE, server_binary
from tests.state_server import State

CLOCK_MS = 1_000
LAST_TRANSACTION = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\nlast\r\n$3\r\n123\r\n*1\r\n$4\r\nEXEC\r\n"
ENDS_AT_ONCE = ("--no-such-setting", "1")
"""With it the server refuses its settings, after the script has done its work."""


@pytest.fixture
def state(tmp_path):
    """It was used, has a snapshot and later writes, and was killed."""
    state = State(tmp_path)
    try:
        state.start()
        state.client.mset({f"early-{number}": "x" * 50 for number in range(50)})
        epoch = StateEpoch(state.client, lambda: CLOCK_MS)
        assert epoch.settle(epoch.begin(epoch.look()))
        state.rewrite()
        for number in range(50):
            state.client.set(f"late-{number}", "x" * 50)
        assert epoch.look().is_sound
        with state.client.pipeline(transaction=True) as transaction:
            transaction.set("last", "123")
            transaction.set("also", "123")
            transaction.delete("also")
            transaction.execute()
        state.kill()
        yield state
    finally:
        state.kill()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def zero(file: Path, start: int, length: int) -> None:
    held = bytearray(file.read_bytes())
    held[start : start + length] = bytes(length)
    file.write_bytes(held)


def cut(file: Path, length: int) -> None:
    os.truncate(file, file.stat().st_size - length)


def command_in_the_middle(state: State) -> int:
    held = state.increment.read_bytes()
    return held.index(b"*3\r\n", len(held) // 2)


def hole(state: State) -> None:
    zero(state.increment, command_in_the_middle(state), 20)


def test_a_sound_file_is_loaded(state):
    state.start()

    assert state.client.mget("early-49", "late-49", "last") == [b"x" * 50, b"x" * 50, b"123"]
    assert state.aside() == []


def test_the_server_has_the_process_id_of_the_script(state):
    state.start()

    assert state.client.info("server")["process_id"] == state.server.pid


def test_a_file_that_ends_within_a_command_is_loaded_up_to_there(state):
    cut(state.increment, 10)

    state.start()

    assert state.client.mget("early-49", "late-49", "last") == [b"x" * 50, b"x" * 50, None]
    assert state.aside() == []


def test_a_file_is_kept_wherever_its_end_is_cut(state):
    held = state.increment.read_bytes()
    for length in range(1, len(LAST_TRANSACTION) + 1):
        state.increment.write_bytes(held + LAST_TRANSACTION[:length])

        said = state.run(*ENDS_AT_ONCE)

        assert "no-such-setting" in said.stdout + said.stderr
        assert state.increment.read_bytes() == held + LAST_TRANSACTION[:length]
        assert state.aside() == []


@pytest.mark.parametrize(
    "spoil",
    [
        hole,
        lambda state: zero(state.increment, command_in_the_middle(state) + 1, 20),
        lambda state: state.increment.write_bytes(state.increment.read_bytes() + bytes(100)),
        lambda state: state.increment.write_bytes(state.increment.read_bytes() + b"*3\r\n$3" + bytes(20)),
        lambda state: state.increment.unlink(),
        lambda state: zero(state.snapshot, 200, 100),
        lambda state: cut(state.snapshot, 30),
        lambda state: state.snapshot.write_bytes(b""),
        lambda state: state.manifest.write_bytes(bytes(80)),
        lambda state: state.manifest.write_bytes(b""),
        lambda state: cut(state.manifest, 1),
        lambda state: state.manifest.unlink(),
    ],
    ids=[
        "a hole",
        "a hole within a command",
        "zeros at the end",
        "zeros after half a length",
        "a missing file",
        "a hole in the snapshot",
        "half a snapshot",
        "an empty snapshot",
        "a manifest of zeros",
        "an empty manifest",
        "half a manifest",
        "no manifest",
    ],
)
def test_what_cannot_be_read_is_put_aside_as_it_was_and_the_server_starts_empty(state, spoil):
    spoil(state)
    before = bytes_of(state.files)

    state.start()

    assert state.client.dbsize() == 0
    assert [bytes_of(folder) for folder in state.aside()] == [before]


def test_only_the_last_file_may_end_within_a_command(state):
    cut(state.increment, 10)
    (state.files / "appendonly.aof.3.incr.aof").touch()
    with state.manifest.open("a") as manifest:
        manifest.write("file appendonly.aof.3.incr.aof seq 3 type i\n")

    state.start()

    assert state.client.dbsize() == 0
    assert len(state.aside()) == 1


def test_the_log_says_what_was_put_aside_where_and_how_much_is_kept_but_nothing_of_what_it_holds(state):
    at = command_in_the_middle(state)
    hole(state)

    said = state.run(*ENDS_AT_ONCE).stderr

    size = (state.aside()[0] / "appendonly.aof.2.incr.aof").stat().st_size
    assert f"appendonly.aof.2.incr.aof of {size} bytes is spoiled" in said
    assert f"from byte {at} on; put aside as {state.aside()[0]}" in said
    assert "3 such folders are kept (DRAGOMAN_STATE_FOLDERS_KEPT)" in said
    assert "late-" not in said


def test_a_state_that_was_put_aside_is_lost_for_the_platform_and_not_taken_for_whole_when_it_is_put_back(state):
    at = command_in_the_middle(state)
    hole(state)
    state.start()
    epoch = StateEpoch(state.client, lambda: 2 * CLOCK_MS)
    assert (epoch.look().epoch, epoch.look().clock_ms) == ("", None)
    assert epoch.settle(epoch.begin(epoch.look()))
    state.kill()

    shutil.rmtree(state.files)
    state.aside()[0].rename(state.files)
    os.truncate(state.increment, at)
    state.start()

    assert state.client.exists("early-49")
    assert epoch.look().epoch != ""
    assert not epoch.look().is_sound


@pytest.mark.parametrize("fake", ['exec "$REAL" "$@"', "exit 0", "exit 1", "echo AOF analyzed: ; exit 1"])
def test_a_server_that_cannot_check_is_not_started_and_no_file_is_touched(state, tmp_path, fake):
    hole(state)
    before = bytes_of(state.files)
    server = tmp_path / "no-checker"
    server.write_text(f"#!/bin/sh\n{fake}\n")
    server.chmod(0o755)

    said = state.run(command=("sh", str(START_STATE), str(server), "--dir", str(state.data)), REAL=server_binary())

    assert said.returncode == 1
    assert f"not started, nothing was touched: {server} cannot check" in said.stderr
    assert bytes_of(state.files) == before
    assert state.aside() == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "no server called ''"),
        (("no-such-server",), "no server called 'no-such-server'"),
        (("sh", "state.conf"), "not in a file"),
        (("sh", "--appenddirname", "else"), "--appenddirname: its default is needed here"),
    ],
)
def test_what_the_script_cannot_know_is_refused(state, arguments, complaint):
    said = state.run(command=("sh", str(START_STATE), *arguments))

    assert said.returncode == 1
    assert complaint in said.stderr


def test_only_so_many_folders_are_kept_and_the_oldest_go(state):
    older, old, in_the_future = (
        state.data / f"appendonlydir.unreadable-{year}0101T000000Z" for year in (2001, 2002, 2999)
    )
    for folder in (older, old, in_the_future):
        folder.mkdir()
    hole(state)

    said = state.run(*ENDS_AT_ONCE, DRAGOMAN_STATE_FOLDERS_KEPT="2").stderr

    new, kept = state.aside()
    assert kept == in_the_future
    assert bytes_of(new).keys() >= {"appendonly.aof.manifest"}
    assert f"2 such folders are kept (DRAGOMAN_STATE_FOLDERS_KEPT), removed now: {older} {old}" in said


def test_a_clock_that_was_set_back_does_not_make_the_new_folder_the_oldest(state):
    (state.data / "appendonlydir.unreadable-29990101T000000Z").mkdir()
    hole(state)
    before = bytes_of(state.files)

    state.run(*ENDS_AT_ONCE, DRAGOMAN_STATE_FOLDERS_KEPT="1")

    assert [bytes_of(folder) for folder in state.aside()] == [before]


@pytest.mark.parametrize("kept", ["0", "-1", "many"])
def test_a_number_of_folders_that_makes_no_sense_is_refused(state, kept):
    hole(state)

    said = state.run(DRAGOMAN_STATE_FOLDERS_KEPT=kept)

    assert said.returncode == 1
    assert f"DRAGOMAN_STATE_FOLDERS_KEPT={kept}: 1 or more" in said.stderr
    assert state.aside() == []


def test_the_hole_that_a_full_disk_leaves_after_a_rewrite_is_survived(tmp_path):
    state = State(tmp_path)
    try:
        state.start()
        state.client.set("early", "yes")
        state.rewrite()
        fill_and_relieve(state)
        state.client.set("late", "yes")
        state.kill()
        assert bytes(20) in state.increment.read_bytes()
        alone = state.run(command=state.command[2:])
        assert "Bad file format reading the append only file" in alone.stdout
        before = bytes_of(state.files)

        state.start()

        assert state.client.dbsize() == 0
        assert [bytes_of(folder) for folder in state.aside()] == [before]
    finally:
        state.kill()


def fill_and_relieve(state: State) -> None:
    """A write is stored in part, undone, and stored later."""
    assert state.server is not None
    pid = state.server.pid
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (state.increment.stat().st_size + 60, most))
    state.client.set("in between", "x" * 1000)
    state.until(lambda: state.client.info("persistence")["aof_last_write_status"] == "err")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
    state.until(lambda: state.client.info("persistence")["aof_last_write_status"] == "ok")
