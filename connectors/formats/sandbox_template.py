"""The template process: has imported the parsers, has one thread, and forks a child for every document.

Orders come on standard input and answers go to standard output, one JSON line each. It ends with its input.
"""

import gc
import json
import os
import select
import signal
import time
from collections.abc import Mapping
from typing import Any

from connectors.formats.sandbox_child import run_child

_CHUNK = 65_536
_MOST_ANSWER_BYTES = 1_000_000


def main() -> None:
    """Serve orders until the input ends."""
    # What is there now is never collected, so children do not copy its pages.
    gc.freeze()
    while line := _line():
        answer = _served(json.loads(line))
        os.write(1, json.dumps(answer).encode() + b"\n")


def _line() -> bytes:
    # Byte by byte of what is there: a buffer would hide the end of the input from select.
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, _CHUNK)
        if not piece:
            return b""
        line += piece
    return line


def _served(order: Mapping[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        run_child(order, writing)
    os.close(writing)
    try:
        answer = _heard(reading, order["bounds"]["wall_seconds"])
    finally:
        os.close(reading)
        _end(child)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return _outcome(answer, status)


def _heard(reading: int, seconds: float) -> bytes | None:
    """Return what the child wrote until it was gone; None when its time is over."""
    until = time.monotonic() + seconds
    heard = b""
    while len(heard) < _MOST_ANSWER_BYTES:
        ready, _, _ = select.select([reading, 0], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return None
        if reading not in ready:
            # Nobody sends a second order before the first one's answer: the input has ended, and so do we.
            raise SystemExit
        piece = os.read(reading, _CHUNK)
        if not piece:
            break
        heard += piece
    return heard


def _end(child: int) -> None:
    """Kill the child and whatever it started."""
    for kill, name in ((os.kill, child), (os.killpg, child)):
        try:
            kill(name, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _outcome(answer: bytes | None, status: int) -> dict[str, Any]:
    if answer is None or status == -signal.SIGXCPU:
        return {"end": "time"}
    try:
        found = json.loads(answer)
    except ValueError:
        return {"end": "crash", "signal": -status}
    return found if isinstance(found, dict) else {"end": "crash", "signal": -status}


if __name__ == "__main__":
    main()
