"""Give each store a small disk of its own (tmpfs of limited size), so that it can run full. Needs root."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

MEGABYTES = {"redis-state": 512, "objects": 64, "kafka": 1024}
# A fifth of the requests are documents, and each of these has five small files: 4 KB for each request on average.
_OBJECTS_KILOBYTES = 16

_CLONE_NEWNS = 0x00020000
_FILLER = "filler"
_PAGE_BYTES = 4096


class Disks:
    """The disks below one folder. Only this process and its children see them; they vanish with the last one.

    That of the objects has room for so many requests.
    """

    def __init__(self, data: Path, requests: int) -> None:
        self._data = data
        self._megabytes = MEGABYTES | {
            "objects": max(MEGABYTES["objects"], requests * _OBJECTS_KILOBYTES // 1024),
        }

    def mount(self) -> None:
        """Mount them, before the stack starts. Raises CalledProcessError or OSError where that is not allowed."""
        _enter_own_mount_namespace()
        for name, megabytes in self._megabytes.items():
            folder = self._data / name
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder), check=True)

    def fill(self, name: str) -> None:
        """Fill the disk: nothing more can be written."""
        file = os.open(self._filler(name), os.O_WRONLY | os.O_CREAT)
        try:
            _take_all(file)
        finally:
            os.close(file)

    def free(self, name: str) -> None:
        """Free the space again."""
        self._filler(name).unlink(missing_ok=True)

    def _filler(self, name: str) -> Path:
        return self._data / name / _FILLER


def open_disks(data: Path, requests: int) -> Disks | None:
    """Return mounted disks with room for so many requests, or None where this process may not mount."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return None
    disks = Disks(data, requests)
    try:
        disks.mount()
    except (OSError, subprocess.CalledProcessError):
        return None
    return disks


def _enter_own_mount_namespace() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(("mount", "--make-rprivate", "/"), check=True)


def _take_all(file: int) -> None:
    """Allocate ever smaller pieces, because other processes write at the same time."""
    space = os.fstatvfs(file)
    taken, piece = 0, space.f_bavail * space.f_frsize
    while piece >= _PAGE_BYTES:
        try:
            os.posix_fallocate(file, taken, piece)
            taken += piece
        except OSError:
            piece //= 2
