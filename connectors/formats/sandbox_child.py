"""A child of the sandbox: takes its own rights away, does one job, tells how it ended, and is gone."""

import ctypes
import errno
import json
import os
import resource
import traceback
from collections.abc import Mapping
from typing import Any

from connectors.formats.sandbox_job import work
from schemas.errors import PermanentError

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_MEGABYTE = 1_000_000
_OPEN_FILES = 32


def run_child(order: Mapping[str, Any], answers: int) -> None:
    """Run in the forked process; writes one JSON answer to the descriptor. Never returns."""
    try:
        os.setsid()
        os.chdir(order["folder"])
        _take_rights(order["bounds"])
        answer = _answer(order["job"])
        os.write(answers, json.dumps(answer).encode())
    finally:
        os._exit(0)


def _take_rights(bounds: Mapping[str, Any]) -> None:
    memory = bounds["memory_mb"] * _MEGABYTE
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, bounds["output_mb"] * _MEGABYTE),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))
    # The hard limit kills as anything may; the soft one tells that it was the time.
    resource.setrlimit(resource.RLIMIT_CPU, (bounds["cpu_seconds"], bounds["cpu_seconds"] + 5))
    leave_network()


def leave_network() -> bool:
    """Enter a network of one's own, with nothing in it; False where the kernel forbids that to users."""
    try:
        return bool(ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NET) == 0)
    except (OSError, AttributeError):  # no Linux
        return False


def _answer(job: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"end": "done", "told": work(job)}
    except PermanentError as error:
        names = ("cause", "message", "field", "limit", "cure")
        return {"end": "refused", "error": {name: getattr(error, name) for name in names}}
    except MemoryError:
        return {"end": "memory"}
    except OSError as error:
        return {"end": "size" if error.errno == errno.EFBIG else "failed", "at": _place(error)}
    except RecursionError as error:
        return {"end": "failed", "at": _place(error)}
    except Exception as error:  # a parser that stumbles over a file must not look like one that was killed
        return {"end": "failed", "at": _place(error)}


def _place(error: BaseException) -> str:
    """Tell where it failed; never the message, which may quote the document."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, {os.path.basename(last.filename)}:{last.lineno}"
