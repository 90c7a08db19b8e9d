"""What the supervisor hears of a template, whatever the order of events. The template is a fake."""

import asyncio
import signal
from pathlib import Path

import pytest

from deploy.local import forking
from deploy.local.forking import Template
from deploy.local.process_spec import ProcessLog
from deploy.local.stack import python_command


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Template:
    made = Template((), {}, ProcessLog(tmp_path, "template"))

    async def runs() -> None:
        return None

    monkeypatch.setattr(made, "start", runs)
    return made


async def fork(template: Template) -> object:
    return await template.fork("worker-1", python_command("worker"), {}, Path("worker-1.log"), 0)


def test_a_child_whose_order_was_not_taken_in_time_is_killed_when_it_starts(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[int, int]] = []

    async def never(_order: object) -> None:
        await asyncio.Event().wait()

    async def check() -> None:
        monkeypatch.setattr(forking, "_START_SECONDS", 0.01)
        monkeypatch.setattr(template, "_send", never)
        monkeypatch.setattr("os.kill", lambda pid, number: killed.append((pid, number)))
        with pytest.raises(OSError, match="did not answer"):
            await fork(template)
        template._hear({"number": 0, "pid": 4711})

    asyncio.run(check())
    assert killed == [(4711, signal.SIGKILL)]


def test_a_child_that_ended_before_it_could_be_killed_ends_nothing_else(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(_pid: int, _number: int) -> None:
        raise ProcessLookupError

    async def check() -> None:
        monkeypatch.setattr("os.kill", ended)
        template._ordered[0] = asyncio.get_running_loop().create_future()
        template._ordered[0].cancel()
        template._hear({"number": 0, "pid": 4711})
        template._hear({"ended": 4711, "code": 0})
        assert not template._alive

    asyncio.run(check())
