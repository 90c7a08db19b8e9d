"""Start a command that cannot outlive the supervisor: `python launch.py SUPERVISOR_PID NICENESS COMMAND...`.

On Linux a process can ask the kernel (PR_SET_PDEATHSIG) to be killed when its parent dies, however the parent
dies; the request survives exec. A program of its own asks, because Python must not run between fork and exec.
Other systems have no such call: there the processes of a killed supervisor end at the next `up` or `down`.
It imports next to nothing, because it runs before every process of the stack.
"""

import ctypes
import os
import signal
import sys

CANNOT_RUN = 127
_PR_SET_PDEATHSIG = 1


def tied(command: tuple[str, ...], niceness: int = 0) -> tuple[str, ...]:
    """Return the command that runs this one tied to the present process."""
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), str(niceness), *command)


def main() -> None:
    """Become the command; never returns."""
    parent_pid, niceness, *command = sys.argv[1:]
    if sys.platform == "linux":
        die_with(int(parent_pid))
    os.nice(int(niceness))
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


def die_with(parent_pid: int) -> None:
    """Tie this process to its parent: it is killed when the parent dies, and exits now if that has happened."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
