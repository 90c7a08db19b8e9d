"""How a supervisor tells what it does: lines for people, or JSON lines for the process that started it.

Starts a supervisor that outlives the command that started it, and waits until it knows how that went.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from deploy.local.errors import StackError
from deploy.local.process_spec import ProcessLog
from deploy.local.settings import StackSettings, inherited_environment
from deploy.local.stack import build_processes, python_command, python_environment
from deploy.local.stack_run import OnStateChange, ProcessPlan, StackRun


class LineReport:
    """For a supervisor in the foreground."""

    def progress(self, name: str, state: str) -> None:
        """One line on standard output."""
        print(f"{time.strftime('%H:%M:%S')} {name}: {state}", flush=True)

    def ready(self) -> None:
        """All are up."""
        self.progress("stack", "ready; Ctrl-C stops it")

    def failed(self, message: str) -> None:
        """The stack did not start."""
        print(message, file=sys.stderr, flush=True)


class JsonReport:
    """For a supervisor in the background: to its log for ever, to its starter until that knows the outcome."""

    def __init__(self) -> None:
        self._starter_listens = True

    def progress(self, name: str, state: str) -> None:
        """A process changed its state."""
        self._tell({"name": name, "state": state})

    def ready(self) -> None:
        """All are up; the starter may go."""
        self._tell({"ready": True})
        self._starter_listens = False
        _point_to_nothing(sys.stdout.fileno())

    def failed(self, message: str) -> None:
        """The stack did not start."""
        self._tell({"failed": message})

    def _tell(self, event: dict[str, Any]) -> None:
        print(json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **event}), file=sys.stderr, flush=True)
        if self._starter_listens:
            try:
                print(json.dumps(event), flush=True)
            except BrokenPipeError:  # the starter was killed; the stack is none the worse
                self._starter_listens = False
                _point_to_nothing(sys.stdout.fileno())


def _point_to_nothing(descriptor: int) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)


DETACHED = "--detached"
_SUPERVISOR = python_command("deploy.local.main")


def start_in_background(
    settings: StackSettings, on_progress: OnStateChange, command: Sequence[str] = _SUPERVISOR
) -> None:
    """Returns when all are ready. Raises StackError with the supervisor's reason when they are not."""
    log = ProcessLog(settings.logs, "supervisor")
    with log.open_life() as output:
        starter = subprocess.Popen(
            (*command, DETACHED),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            env={**inherited_environment(), **python_environment(), **settings.as_environment()},
            start_new_session=True,
        )
    with starter:
        _follow(starter.stdout or (), on_progress, log)


def supervise_in_background(settings: StackSettings, plan: ProcessPlan = build_processes) -> int:
    """The supervisor that was started. Answers the exit code: 0 stopped as asked, 1 could not start."""
    if os.fork():  # the parent ends here, so that init and not the starter inherits the supervisor
        os._exit(0)
    report = JsonReport()
    try:
        asyncio.run(StackRun(settings, report.progress, plan).run(report.ready))
    except (StackError, OSError) as error:
        report.failed(str(error))
        return 1
    return 0


def _follow(lines: Iterable[bytes], on_progress: OnStateChange, log: ProcessLog) -> None:
    for line in lines:
        match json.loads(line):
            case {"name": name, "state": state}:
                on_progress(name, state)
            case {"failed": message}:
                raise StackError(message)
            case {"ready": True}:
                return
    raise StackError("\n    ".join([f"the supervisor ended. The end of {log.path} says:", *log.last_lines()]))
