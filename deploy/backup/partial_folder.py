"""The folder in which a backup is made, until it gets its name: of one process at a time."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import FatalError, PermanentError


@contextmanager
def partial_folder(path: Path) -> Iterator[Path]:
    """Make the empty folder `NAME.partial` beside the path; what a killed attempt left in it is deleted.

    Raises PermanentError while another process makes a backup in it, FatalError where it cannot be made.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise FatalError(f"{partial} cannot be made: {error.strerror}") from error
    try:
        _lock(descriptor, partial)
        _empty(partial)
        yield partial
    finally:
        # Also when the process dies: the kernel frees the lock then.
        os.close(descriptor)


def _lock(descriptor: int, partial: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermanentError(
            "place_taken",
            f"{partial} is being made by another process",
            cure="wait for it, or give this backup a location of its own",
        ) from None
    except OSError:
        return  # a file system without locks


def _empty(partial: Path) -> None:
    for one in partial.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink(missing_ok=True)
