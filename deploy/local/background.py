"""Run a supervisor in the background: start it, watch it until it is ready, relay what it reports.

A supervisor in the foreground prints lines for people. One in the background writes JSON lines: to its own log
all the time, and to the command that started it until that command knows whether the start succeeded.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from deploy.local.errors import StackError
from deploy.local.process_spec import ProcessLog
from deploy.local.settings import StackSettings, inherited_environment
from deploy.local.stack import build_processes, python_command, python_environment
from deploy.local.stack_run import OnStateChange, ProcessPlan, StackRun

DETACHED = "--detached"
_SUPERVISOR = python_command("deploy.local.main")


def start_in_background(
    settings: StackSettings, on_progress: OnStateChange, command: Sequence[str] = _SUPERVISOR
) -> None:
    """Start a supervisor that outlives this process, and return when the whole stack is ready.

    Raises StackError with the supervisor's reason when it does not get ready. Whatever else is raised meanwhile
    ends the supervisor, too.
    """
    log = ProcessLog(settings.logs, "supervisor")
    with log.open_for_start() as output:
        starter = subprocess.Popen(
            (*command, DETACHED),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            env={**inherited_environment(), **python_environment(), **settings.as_environment()},
            start_new_session=True,
        )
    with starter:
        try:
            _relay_progress(starter.stdout or (), on_progress, log)
        except StackError:
            raise  # the supervisor ends itself
        except BaseException:  # Ctrl-C, perhaps before the supervisor has written down where it is found
            with suppress(ProcessLookupError):
                os.killpg(starter.pid, signal.SIGTERM)
            raise


def supervise_in_background(settings: StackSettings, plan: ProcessPlan = build_processes) -> int:
    """Run as the supervisor that `start_in_background` started.

    Returns the exit code: 0 when it was stopped by a signal, 1 when the stack could not start.
    """
    if os.fork():  # the parent ends here, so that init and not the starter inherits the supervisor
        os._exit(0)
    report = JsonReport()
    try:
        asyncio.run(StackRun(settings, report.progress, plan).run(report.ready))
    except (StackError, OSError) as error:
        report.failed(str(error))
        return 1
    return 0


class LineReport:
    """The report of a supervisor in the foreground: one line for each change."""

    def progress(self, name: str, state: str) -> None:
        """Print the new state of a process."""
        print(f"{time.strftime('%H:%M:%S')} {name}: {state}", flush=True)

    def ready(self) -> None:
        """Print that every process is ready."""
        self.progress("stack", "ready; Ctrl-C stops it")

    def failed(self, message: str) -> None:
        """Print to standard error why the stack did not start."""
        print(message, file=sys.stderr, flush=True)


class JsonReport:
    """The report of a supervisor in the background: JSON lines to its log and, until all is ready, its starter."""

    def __init__(self) -> None:
        self._starter_listens = True

    def progress(self, name: str, state: str) -> None:
        """Report the new state of a process."""
        self._send({"name": name, "state": state})

    def ready(self) -> None:
        """Report that every process is ready; the starter stops listening."""
        self._send({"ready": True})
        self._starter_listens = False
        _redirect_to_null(sys.stdout.fileno())

    def failed(self, message: str) -> None:
        """Report why the stack did not start."""
        self._send({"failed": message})

    def _send(self, event: dict[str, Any]) -> None:
        print(json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **event}), file=sys.stderr, flush=True)
        if self._starter_listens:
            try:
                print(json.dumps(event), flush=True)
            except BrokenPipeError:  # the starter was killed; the stack runs on without it
                self._starter_listens = False
                _redirect_to_null(sys.stdout.fileno())


def _redirect_to_null(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def _relay_progress(lines: Iterable[bytes], on_progress: OnStateChange, log: ProcessLog) -> None:
    for line in lines:
        match json.loads(line):
            case {"name": name, "state": state}:
                on_progress(name, state)
            case {"failed": message}:
                raise StackError(message)
            case {"ready": True}:
                return
    raise StackError("\n    ".join([f"the supervisor ended. The end of {log.path} says:", *log.last_lines()]))
