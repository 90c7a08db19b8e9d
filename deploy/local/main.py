"""Control the one-machine stack: start it, stop it, look at it, scale it, restart its processes.

`python -m deploy.local.main` runs the stack in the foreground; with --detached it is the background supervisor.
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

from deploy.local import state_files
from deploy.local.background import DETACHED, LineReport, start_in_background, supervise_in_background
from deploy.local.errors import StackError, already_running, not_running
from deploy.local.machine import check_machine
from deploy.local.observing import check_programs
from deploy.local.root_lock import end_leftovers, supervisor_of
from deploy.local.settings import StackSettings
from deploy.local.stack_run import OnStateChange, StackRun
from deploy.local.state_files import Author, DesiredWorkers, RunInfo

_STOP_SECONDS = 90.0
_POLL_SECONDS = 0.05


def up(settings: StackSettings, detach: bool, on_progress: OnStateChange) -> None:
    """Start the stack. Detached: returns when all is ready, and it runs on. Else runs until SIGINT or SIGTERM.

    Raises StackError, which names what is missing or failed; then nothing is left running.
    """
    if supervisor := supervisor_of(settings.root):
        raise already_running(settings.root, supervisor)
    check_machine(settings)
    check_programs(settings)
    if not detach:
        asyncio.run(StackRun(settings, on_progress).run(on_ready=LineReport().ready))
        return
    try:
        start_in_background(settings, on_progress)
    except StackError:
        raise  # the supervisor has stopped everything itself
    except BaseException:  # Ctrl-C, or a callback that raised: do not leave a half-started stack
        down(settings.root)
        raise


def down(root: Path) -> list[str]:
    """Stop the stack, and return when no process is left. Returns the names of what ran; empty if nothing did."""
    root = root.absolute()
    processes = _processes_of_last_run(root)
    supervisor = supervisor_of(root)
    if supervisor:
        _end_supervisor(root, supervisor)
    orphans = end_leftovers(root)
    state_files.run_file_path(root).unlink(missing_ok=True)
    return [name for name, pid in processes.items() if supervisor or pid in orphans]


def scale(root: Path, workers: int) -> None:
    """Request a number of workers, and return before the supervisor has started or stopped any.

    From then on the autoscaler leaves the number alone, until `scale_automatically` or the next run.
    Raises StackError when no stack runs there.
    """
    root, supervisor = _scalable(root, workers)
    state_files.write_desired(root, DesiredWorkers(workers, Author.PERSON))
    _signal(supervisor, signal.SIGHUP)


def scale_automatically(root: Path) -> None:
    """Let the autoscaler choose the number of workers again. Raises StackError when no stack runs there."""
    root, _ = _scalable(root, 0)
    if desired := state_files.read_desired(root):
        state_files.write_desired(root, DesiredWorkers(desired.workers, Author.AUTOSCALER))


def propose_scale(root: Path, workers: int) -> bool:
    """Request a number of workers for the autoscaler. Returns False, and does nothing, where a person has chosen.

    Raises StackError when no stack runs there.
    """
    root, supervisor = _scalable(root, workers)
    if not state_files.propose(root, workers):
        return False
    _signal(supervisor, signal.SIGHUP)
    return True


def restart(root: Path, name: str) -> list[str]:
    """Request a restart of one process, or of each of a kind in turn; returns their names in that order.

    The supervisor restarts the next one when the one before is ready. Raises StackError for an unknown name.
    """
    root = root.absolute()
    known = sorted(read_run(root).health_urls)
    names = [found for found in known if found == name or found.rpartition("-")[0] == name]
    if not names:
        raise StackError(f"nothing is called {name}; there are {', '.join(known)}")
    state_files.write_restarts(root, names)
    # Not the id in the run file, which may be that of a supervisor before this one.
    if supervisor := supervisor_of(root):
        _signal(supervisor, signal.SIGHUP)
    return names


def read_run(root: Path) -> RunInfo:
    """Return addresses and processes of the running stack. Raises StackError when none runs there."""
    if not is_running(root):
        raise not_running(root.absolute())
    return state_files.read_run_file(root.absolute())


def is_running(root: Path) -> bool:
    """Tell whether a supervisor runs there, whether or not its stack is ready."""
    return supervisor_of(root.absolute()) is not None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM. Returns the exit code: 0 stopped by a signal, 1 could not start."""
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
        return state_files.read_run_file(root).processes
    except StackError:
        return {}


def _end_supervisor(root: Path, supervisor: int) -> None:
    _signal(supervisor, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while supervisor_of(root) == supervisor:
        if time.monotonic() > until:
            _signal(supervisor, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local.main", description="The whole platform on one machine."
    )
    parser.add_argument("--root", type=Path, help="where it keeps everything it writes (.dragoman)")
    parser.add_argument("--workers", type=int, help="translating processes (2)")
    parser.add_argument("--fresh", action="store_const", const=True, help="delete the data of earlier runs")
    parser.add_argument(
        "--stores-only", action="store_const", const=True, help="Kafka and the Valkeys, nothing of the platform"
    )
    parser.add_argument(DETACHED, action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
