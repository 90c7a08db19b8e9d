"""Starts a supervisor that outlives the command that started it, and waits until it knows how that went."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterable, Sequence

from deploy.local.failures import StackError
from deploy.local.process_log import ProcessLog
from deploy.local.report import JsonReport
from deploy.local.settings import StackSettings, inherited_environment
from deploy.local.stack import build_processes, python_command, python_environment
from deploy.local.stack_run import OnStateChange, ProcessPlan, StackRun

DETACHED = "--detached"
_SUPERVISOR = python_command("deploy.local")


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
