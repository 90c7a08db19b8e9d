"""What a user does with the stack: start it, stop it, ask for it, change or restart its processes.

`python -m deploy.local.main`: the stack in the foreground. Also the functions that other programs control it by.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from deploy.local import state_files as run_file
from deploy.local.background import DETACHED, LineReport, start_in_background, supervise_in_background
from deploy.local.errors import StackError, already_running, not_running
from deploy.local.machine import check_machine
from deploy.local.root_lock import end_leftovers, supervisor_of
from deploy.local.settings import StackSettings
from deploy.local.stack_run import OnStateChange, StackRun
from deploy.local.state_files import (
    Author,
    Desired,
    RunInfo,
    propose,
    read_desired,
    write_desired,
    write_wanted_restarts,
)

_STOP_SECONDS = 90.0
_ASK_AGAIN_SECONDS = 0.05


def up(settings: StackSettings, detach: bool, on_progress: OnStateChange) -> None:
    """Starts the stack. Detached: returns when all is ready, and it runs on. Else runs until SIGINT or SIGTERM.

    Raises StackError, which names what is missing or failed; then nothing is left running.
    """
    if supervisor := supervisor_of(settings.root):
        raise already_running(settings.root, supervisor)
    check_machine(settings)
    if not detach:
        asyncio.run(StackRun(settings, on_progress).run(on_ready=LineReport().ready))
        return
    try:
        start_in_background(settings, on_progress)
    except StackError:
        raise  # the supervisor has stopped everything itself
    except BaseException:  # Ctrl-C, or a callback that raised: a half-started stack would stay
        down(settings.root)
        raise


def down(root: Path) -> list[str]:
    """Stops the stack and answers the names of what ran; empty if nothing did. Returns when none is left."""
    root = root.absolute()
    processes = _processes_of_last_run(root)
    supervisor = supervisor_of(root)
    if supervisor:
        _end_supervisor(root, supervisor)
    orphans = end_leftovers(root)
    run_file.path_of(root).unlink(missing_ok=True)
    return [name for name, pid in processes.items() if supervisor or pid in orphans]


def scale(root: Path, workers: int) -> None:
    """Asks for that many workers; the supervisor starts and stops some in its own time.

    From then on the autoscaler leaves the number alone, until `scale_automatically` or the next run.
    """
    root, supervisor = _scalable(root, workers)
    write_desired(root, Desired(workers, Author.PERSON))
    _signal(supervisor, signal.SIGHUP)


def scale_automatically(root: Path) -> None:
    """The autoscaler may choose the number of workers again, from what it is now."""
    root, _ = _scalable(root, 0)
    if desired := read_desired(root):
        write_desired(root, Desired(desired.workers, Author.AUTOSCALER))


def propose_scale(root: Path, workers: int) -> bool:
    """The autoscaler's `scale`: False, and nothing is done, where a person has chosen a number."""
    root, supervisor = _scalable(root, workers)
    if not propose(root, workers):
        return False
    _signal(supervisor, signal.SIGHUP)
    return True


def restart(root: Path, name: str) -> list[str]:
    """Asks for a restart of one process, or of each of a kind in turn; answers their names in that order.

    The supervisor goes on when the one before is ready. Raises StackError for a name that nothing has.
    """
    root = root.absolute()
    known = sorted(read_run(root).health_urls)
    names = [found for found in known if found == name or found.rpartition("-")[0] == name]
    if not names:
        raise StackError(f"nothing is called {name}; there are {', '.join(known)}")
    write_wanted_restarts(root, names)
    os.kill(read_run(root).supervisor_pid, signal.SIGHUP)
    return names


def read_run(root: Path) -> RunInfo:
    """Addresses and processes of the running stack. Raises StackError when none runs there."""
    if not is_running(root):
        raise not_running(root.absolute())
    return run_file.read_run(root.absolute())


def is_running(root: Path) -> bool:
    """Whether a supervisor is at work there, be its stack ready or not."""
    return supervisor_of(root.absolute()) is not None


def _scalable(root: Path, workers: int) -> tuple[Path, int]:
    root = root.absolute()
    if workers < 0:
        raise StackError(f"workers: {workers} is less than 0")
    supervisor = supervisor_of(root)
    if not supervisor:
        raise not_running(root)
    return root, supervisor


def _processes_of_last_run(root: Path) -> dict[str, int]:
    try:
        return run_file.read_run(root).processes
    except StackError:
        return {}


def _end_supervisor(root: Path, supervisor: int) -> None:
    _signal(supervisor, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while supervisor_of(root) == supervisor:
        if time.monotonic() > until:
            _signal(supervisor, signal.SIGKILL)
        time.sleep(_ASK_AGAIN_SECONDS)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGINT or SIGTERM. Answers the exit code: 0 stopped as asked, 1 could not start."""
    options = vars(_parser().parse_args(arguments))
    if options.pop("detached"):
        return supervise_in_background(StackSettings())
    settings = StackSettings(**{name: value for name, value in options.items() if value is not None})
    report = LineReport()
    try:
        up(settings, detach=False, on_progress=report.progress)
    except StackError as error:
        report.failed(str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local.main", description="The whole platform on one machine."
    )
    parser.add_argument("--root", type=Path, help="where it keeps everything it writes (.dragoman)")
    parser.add_argument("--workers", type=int, help="translating processes (2)")
    parser.add_argument("--fresh", action="store_const", const=True, help="forget the data of earlier runs")
    parser.add_argument(
        "--stores-only", action="store_const", const=True, help="Kafka and the Valkeys, nothing of the platform"
    )
    parser.add_argument(DETACHED, action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
