"""The supervisor over real processes, in this very process."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.machine import open_port_book
from deploy.local.process_spec import (
    AnswersOk,
    AnswersPing,
    Completes,
    ProcessSpec,
    ProcessState,
    ReadyCheck,
    RestartPolicy,
    TcpOpen,
    is_ready,
)
from deploy.local.root_lock import OWNER_VARIABLE, leftovers
from deploy.local.supervisor import ProcessContext, StackSupervisor
from stream_apps.runtime.retry import RetryPolicy
from tests.integration.local_stack_small import broken, server

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


class Trial:
    """A supervisor, and what it told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = open_port_book(root).port
        self.told: list[tuple[str, ProcessState]] = []
        context = ProcessContext(root / "logs", {**ENVIRONMENT, OWNER_VARIABLE: str(root)})
        self.supervisor = StackSupervisor(context, lambda name, state, _pid: self.told.append((name, state)))

    def states_of(self, name: str) -> list[ProcessState]:
        return [state for told, state in self.told if told == name]

    async def run(self, *specs: ProcessSpec) -> None:
        try:
            await self.supervisor.start(specs)
        finally:
            await self.supervisor.stop()


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def one_shot(name: str, shell: str, attempts: int = 3) -> ProcessSpec:
    policy = RestartPolicy(RetryPolicy(0.02), start_attempts=attempts)
    return ProcessSpec(name, ("sh", "-c", shell), 1, Completes(), restart=policy)


def test_stages_stop_in_the_reverse_order_of_their_start(trial: Trial) -> None:
    names = ("store", "broker", "worker")
    asyncio.run(trial.run(*(server(name, trial.port(name), stage) for stage, name in enumerate(names, 1))))

    assert [name for name, state in trial.told if state is ProcessState.READY] == ["store", "broker", "worker"]
    assert [name for name, state in trial.told if state is ProcessState.STOPPED] == ["worker", "broker", "store"]
    assert trial.told.index(("worker", ProcessState.STOPPED)) < trial.told.index(("broker", ProcessState.STOPPING))
    assert leftovers(trial.root) == []


def test_a_restarted_process_that_is_not_ready_in_time_is_tried_on_until_it_is(trial: Trial) -> None:
    spec = server("worker", trial.port("worker"), 2)
    away = trial.root / "away"
    command = ("sh", "-c", f'test -e {away} && exit 1; exec "$@"', "sh", *spec.command)

    async def check() -> None:
        await trial.supervisor.start([replace(spec, command=command, ready_timeout_seconds=1.0)])
        away.touch()
        with pytest.raises(StackError, match="worker was not ready in time and is tried on"):
            await trial.supervisor.restart("worker")
        away.unlink()
        while trial.states_of("worker").count(ProcessState.READY) < 2:
            await asyncio.sleep(0.05)

    async def ended() -> None:
        try:
            await asyncio.wait_for(check(), 10)
        finally:
            await trial.supervisor.stop()

    asyncio.run(ended())
    assert trial.states_of("worker")[-1] is ProcessState.STOPPED
    assert leftovers(trial.root) == []


def test_processes_of_a_stage_start_together(trial: Trial) -> None:
    asyncio.run(trial.run(*(server(f"worker-{n}", trial.port(f"worker-{n}"), 1) for n in range(3))))

    assert [state for _, state in trial.told[:3]] == [ProcessState.STARTING] * 3


def test_a_process_that_is_deaf_to_sigterm_is_killed_with_its_children(trial: Trial) -> None:
    asyncio.run(trial.run(server("store", trial.port("store"), 1, "deaf", "with-child")))

    assert trial.states_of("store")[-1] is ProcessState.STOPPED
    assert leftovers(trial.root) == []


def test_a_one_shot_process_is_done_when_it_exits_with_0(trial: Trial) -> None:
    asyncio.run(trial.run(one_shot("topics", "true")))

    assert trial.states_of("topics") == [ProcessState.STARTING, ProcessState.DONE]


def test_a_one_shot_process_that_fails_is_tried_again(trial: Trial) -> None:
    asyncio.run(
        trial.run(one_shot("topics", f"test -e {trial.root}/there || {{ touch {trial.root}/there; exit 1; }}"))
    )

    starting, restarting, done = ProcessState.STARTING, ProcessState.RESTARTING, ProcessState.DONE
    assert trial.states_of("topics") == [starting, restarting, starting, done]


def test_a_failing_process_stops_the_start_of_the_stages_after_it(trial: Trial) -> None:
    with pytest.raises(StackError, match="sick ended 2 times"):
        asyncio.run(trial.run(broken("sick", 1), server("worker", trial.port("worker"), 2)))

    assert trial.states_of("worker") == []


def test_the_log_of_a_talkative_process_is_bounded_while_it_lives(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.process_spec._ROTATE_BYTES", 10_000)
    monkeypatch.setattr("deploy.local.supervisor._LOG_CHECK_SECONDS", 0.05)
    asyncio.run(trial.run(one_shot("talker", "for n in $(seq 30); do seq 1000; sleep 0.02; done")))

    sizes = [path.stat().st_size for path in sorted((trial.root / "logs").glob("talker*"))]
    assert len(sizes) == 2
    # All it said has 116,790 bytes.
    assert sum(sizes) < 100_000


def test_a_process_that_is_not_ready_in_time_fails_the_start(trial: Trial) -> None:
    slow = ProcessSpec("slow", ("sleep", "600"), 1, TcpOpen(1), ready_timeout_seconds=0.3)

    with pytest.raises(StackError, match=r"slow was not ready in 0\.3 s"):
        asyncio.run(trial.run(slow))
    assert leftovers(trial.root) == []


def test_a_command_that_does_not_exist_is_named(trial: Trial) -> None:
    with pytest.raises(StackError, match="cannot run no-such-command: No such file or directory"):
        asyncio.run(
            trial.run(
                ProcessSpec("odd", ("no-such-command",), 1, Completes(), restart=RestartPolicy(RetryPolicy(0.01)))
            )
        )


def test_a_process_is_told_its_own_environment_and_the_inherited_one(trial: Trial) -> None:
    asyncio.run(
        trial.run(
            ProcessSpec(
                "env", ("sh", "-c", "echo $DRAGOMAN_INSTANCE $PATH"), 1, Completes(), {"DRAGOMAN_INSTANCE": "w"}
            )
        )
    )

    assert (trial.root / "logs" / "env.log").read_text() == "w /usr/bin:/bin\n"


@pytest.mark.parametrize(
    ("answer", "ready"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", True), (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False), (b"", False)],
)
def test_only_a_200_is_ready(answer: bytes, ready: bool) -> None:
    assert asyncio.run(is_ready_after(answer, lambda port: AnswersOk(f"http://127.0.0.1:{port}/ready"))) is ready


@pytest.mark.parametrize(("answer", "ready"), [(b"+PONG\r\n", True), (b"-LOADING\r\n", False)])
def test_a_store_that_still_loads_is_not_ready(answer: bytes, ready: bool) -> None:
    assert asyncio.run(is_ready_after(answer, AnswersPing)) is ready


def test_a_port_where_nobody_listens_is_not_ready() -> None:
    assert asyncio.run(is_ready(TcpOpen(1))) is False


def test_a_silent_server_is_not_ready_and_does_not_hold_up_the_question() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        check = AnswersPing(silent.getsockname()[1])

        assert asyncio.run(is_ready(check, timeout_seconds=0.1)) is False
        assert time.monotonic() - began < 1


async def is_ready_after(answer: bytes, check: Callable[[int], ReadyCheck]) -> bool:
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()
        await writer.wait_closed()
        served.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        ready = await is_ready(check(listening.sockets[0].getsockname()[1]))
        await served.wait()
        return ready


def test_a_process_runs_as_nicely_as_it_is_told_to(trial: Trial) -> None:
    told = trial.root / "niceness"
    before = os.getpriority(os.PRIO_PROCESS, 0)
    asyncio.run(trial.run(replace(one_shot("nice", f"nice > {told}"), niceness=3)))

    assert int(told.read_text()) == min(before + 3, 19)
