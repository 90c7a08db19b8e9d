"""Starts a command that cannot outlive the supervisor: `python launch.py SUPERVISOR_PID NICENESS COMMAND...`.

The kernel kills a process that asked for it (PR_SET_PDEATHSIG) when its parent dies, however the parent
dies; the wish survives exec. Asking in a program of its own avoids running Python between fork and exec.
Other systems than Linux have no such call: there a killed supervisor's processes end at the next `up` or `down`.
It imports next to nothing, because it runs before every process of the stack.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
CANNOT_RUN = 127


def die_with(parent_pid: int) -> None:
    """From now on this process ends with its parent; at once if the parent is gone already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit(CANNOT_RUN)


def main() -> None:
    """Never returns: becomes the command."""
    parent_pid, niceness, *command = sys.argv[1:]
    if sys.platform == "linux":
        die_with(int(parent_pid))
    os.nice(int(niceness))
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
