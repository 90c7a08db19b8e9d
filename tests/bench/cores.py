"""Give processes cores of their own, as if they ran on different machines."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench.harness import Platform


@contextmanager
def on_cores(cores: Collection[int]) -> Iterator[None]:
    """Keep this thread, and the processes that it starts meanwhile, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def parted(platform: Platform, name: str, own: Collection[int], others: Collection[int]) -> Iterator[None]:
    """Keep one process of the stack on its `own` cores, all others and this one on the `others`."""
    for process, pid in platform.pids().items():
        _keep(pid, own if process == name else others)
    with on_cores(others):
        yield


def _keep(pid: int, cores: Collection[int]) -> None:
    """Keep all threads of a process on these cores; those to come follow the thread that starts them."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)
