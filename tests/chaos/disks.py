"""Small disks of their own for the stores, so that one can run full: tmpfs of limited size. Needs root."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

MEGABYTES = {"redis-state": 512, "objects": 64, "kafka": 1024}

_CLONE_NEWNS = 0x00020000
_FILLER = "filler"
_PAGE_BYTES = 4096


class Disks:
    """Below one folder. They are seen by this process and its children only, and vanish with the last of them."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def mount(self) -> None:
        """Before the stack starts. Raises CalledProcessError or OSError where that is not allowed."""
        _leave_the_mounts_of_others_alone()
        for name, megabytes in MEGABYTES.items():
            folder = self._data / name
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder), check=True)

    def fill(self, name: str) -> None:
        """Nothing more can be written from now on."""
        file = os.open(self._filler(name), os.O_WRONLY | os.O_CREAT)
        try:
            _take_all(file)
        finally:
            os.close(file)

    def relieve(self, name: str) -> None:
        """There is space again."""
        self._filler(name).unlink(missing_ok=True)

    def _filler(self, name: str) -> Path:
        return self._data / name / _FILLER


def open_disks(data: Path) -> Disks | None:
    """Mounted; None where this process may not."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return None
    disks = Disks(data)
    try:
        disks.mount()
    except (OSError, subprocess.CalledProcessError):
        return None
    return disks


def _leave_the_mounts_of_others_alone() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(("mount", "--make-rprivate", "/"), check=True)


def _take_all(file: int) -> None:
    """In ever smaller pieces, because others write meanwhile."""
    space = os.fstatvfs(file)
    taken, piece = 0, space.f_bavail * space.f_frsize
    while piece >= _PAGE_BYTES:
        try:
            os.posix_fallocate(file, taken, piece)
            taken += piece
        except OSError:
            piece //= 2
