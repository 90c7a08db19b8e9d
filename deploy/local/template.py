"""The template process: has imported the platform, has one thread, and forks a child for each order.

`python -m deploy.local.template MODULE...` imports these modules. Imports take each process of the platform one to
two seconds of processor time, most of what its start costs; a fork takes milliseconds. Where a dozen processes
share a few cores, and some were killed at once, that is most of the time until they work again.

Orders come on standard input and reports go to standard output, one JSON line each. It ends with its input, and
its children end with it, however it ends.
"""

import ctypes
import gc
import json
import os
import runpy
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from select import select
from typing import Any, NoReturn

from deploy.local.launch import die_with

_THREADS = "/proc/self/task"
_CHUNK = 65_536
_PR_SET_NAME = 15


def main() -> None:
    """Import the modules, then serve orders; in a child, become what was ordered."""
    for module in sys.argv[1:]:
        import_module(module)
    if len(threads := os.listdir(_THREADS)) > 1:
        # Only the thread that forks goes on in a child: what the others hold stays locked for ever.
        print(f"the imports started {len(threads) - 1} threads, and then a process must not fork", file=sys.stderr)
        os._exit(1)  # an orderly end would wait for them
    gc.collect()
    # What is there now is never collected, so children do not copy its pages.
    gc.freeze()
    if order := serve():
        become(order)


def serve() -> dict[str, Any] | None:
    """Fork a child for each order. Returns None at the end of the input, and in a child its order."""
    wakeup, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pieces = b""
    while True:
        ready, _, _ = select([0, wakeup], [], [])
        if wakeup in ready:
            os.read(wakeup, _CHUNK)
            _report_ends()
        if 0 in ready:
            heard = os.read(0, _CHUNK)
            if not heard:
                return None
            *lines, pieces = (pieces + heard).split(b"\n")
            for order in map(json.loads, lines):
                if _forked(order):
                    return order  # type: ignore[no-any-return]  # json is untyped


def become(order: dict[str, Any]) -> NoReturn:
    """Run the module as `python -m` does, in this process, with the order's arguments, environment and output."""
    os.nice(order["niceness"])
    _redirect(order["output"])
    os.environ.clear()
    os.environ.update(order["environment"])
    ctypes.CDLL(None).prctl(_PR_SET_NAME, order["name"].encode(), 0, 0, 0)
    module = order["module"]
    sys.argv = [module, *order["arguments"]]
    # It runs as __main__ now, as it would if nobody had imported it.
    sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit(0)


def _forked(order: dict[str, Any]) -> bool:
    """Fork and report the child; True in the child."""
    template = os.getpid()
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        die_with(template)
        return True
    # Both do it: whoever hears of the child may signal its group at once.
    with suppress(PermissionError, ProcessLookupError):
        os.setpgid(child, child)
    _report({"number": order["number"], "pid": child})
    return False


def _report_ends() -> None:
    for child, status in _ended():
        _report({"ended": child, "code": os.waitstatus_to_exitcode(status)})


def _ended() -> Iterator[tuple[int, int]]:
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def _report(report: dict[str, int]) -> None:
    os.write(1, json.dumps(report).encode() + b"\n")


def _redirect(output: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)


if __name__ == "__main__":
    main()
