"""Read the log files of a stack: what they hold, in the order of time, and what is added to them.

A file that grows too long is copied to `NAME.log.1` and emptied (process_spec.py), so a process never has more
than two files, of 32 MB each.
"""

import heapq
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.log_lines import LogFilter, LogLine, parse_line, wanted_lines

_POLL_SECONDS = 0.25
_MOST_READ = 8_000_000
_LONGEST_LINE = 1_000_000
_LOOKED_AT = 50
_COPY = ".log.1"
_by_time = attrgetter("at_ms")


def log_files(folder: Path, wanted: LogFilter) -> dict[str, Path]:
    """Return the file of each wanted process. Raises StackError where there is none, with what to do."""
    found = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if not found:
        raise StackError(f"no logs in {folder}", "start the platform (dragoman up), or name its folder: --root")
    chosen = {name: path for name, path in found.items() if wanted.wants_process(name)}
    if not chosen:
        asked = ", ".join(wanted.processes)
        raise StackError(f"no log of {asked} in {folder}", f"name one of: {', '.join(found)}")
    return chosen


def read_lines(
    files: dict[str, Path], wanted: LogFilter, until: Mapping[Path, int] | None = None
) -> Iterator[LogLine]:
    """Return the wanted lines of all files in the order of time, of each up to its offset in `until`.

    No more than a line of each file is in memory.
    """
    ends = until or {}
    yield from heapq.merge(
        *(
            wanted_lines(name, _texts(path, ends.get(path)), wanted, _first_ms(path))
            for name, path in files.items()
        ),
        key=_by_time,
    )


@dataclass
class Follower:
    """Returns what is added to the files of a folder, also to files that appear, and behind a rotation."""

    folder: Path
    wanted: LogFilter
    sleep: Callable[[float], object] = time.sleep
    _read_to: dict[Path, int] = field(default_factory=dict, init=False)
    _copied_at: dict[Path, int] = field(default_factory=dict, init=False)

    def start(self) -> dict[Path, int]:
        """Begin behind what the files hold now, and return these offsets: `read_lines` ends there."""
        for path in self.folder.glob("*.log"):
            self._read_to[path] = _after_last_line(path)
            self._copied_at[path] = _copy_of(path)[0]
        return dict(self._read_to)

    def lines(self) -> Iterator[LogLine]:
        """Return the lines as they come, for ever. Blocks."""
        while True:
            yield from self.added()
            self.sleep(_POLL_SECONDS)

    def added(self) -> list[LogLine]:
        """Return what was added since the last call, in the order of time."""
        found: list[LogLine] = []
        for path in sorted(self.folder.glob("*.log")):
            # Gone since it was listed: `dragoman up --fresh` deletes the logs of earlier runs.
            with suppress(FileNotFoundError):
                if self.wanted.wants_process(path.stem):
                    now_ms = round(path.stat().st_mtime * 1000)
                    found += wanted_lines(path.stem, self._added_to(path), self.wanted, now_ms)
        return sorted(found, key=_by_time)

    def _added_to(self, path: Path) -> list[str]:
        read_to, size = self._read_to.get(path, 0), path.stat().st_size
        texts: list[str] = []
        copied_at, copied = _copy_of(path)
        # While it is being copied it still holds all that its copy does.
        if copied_at != self._copied_at.get(path, 0) and size < copied:
            texts, _ = _texts_from(path.with_suffix(_COPY), read_to)
            read_to, self._copied_at[path] = 0, copied_at
        elif size < read_to and copied_at in (0, self._copied_at.get(path, 0)):
            # Shorter without a copy: another file by the same name.
            read_to, self._copied_at[path] = 0, copied_at
        added, self._read_to[path] = _texts_from(path, read_to) if size > read_to else ([], read_to)
        return texts + added


def _copy_of(path: Path) -> tuple[int, int]:
    """Return when the copy of a file was written, in nanoseconds, and its size; zeros where there is none."""
    copy = path.with_suffix(_COPY)
    if not copy.exists():
        return 0, 0
    found = copy.stat()
    return found.st_mtime_ns, found.st_size


def _first_ms(path: Path) -> int:
    """Return the first time that the first lines of a file tell; where they tell none, when it was written."""
    known = (parse_line("", text).at_ms for text in islice(_texts(path), _LOOKED_AT))
    return next(filter(None, known), round(path.stat().st_mtime * 1000))


def _texts(path: Path, until: int | None = None) -> Iterator[str]:
    """Return the lines of a file and before them those of its copy; of the file up to an offset."""
    copy = path.with_suffix(_COPY)
    if copy.exists():
        with copy.open("rb") as file:
            yield from (line.decode(errors="replace").rstrip("\n") for line in file)
    with path.open("rb") as file:
        read = 0
        for line in file:
            read += len(line)
            if until is not None and read > until:
                return
            yield line.decode(errors="replace").rstrip("\n")


def _texts_from(path: Path, offset: int) -> tuple[list[str], int]:
    """Return the whole lines behind an offset, of 8 MB at most, and the offset behind them.

    A line that is longer than that is taken in pieces.
    """
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        read = file.read(_MOST_READ)
    whole = read[: read.rfind(b"\n") + 1] or (read if len(read) == _MOST_READ else b"")
    # Not `splitlines`, which parts at characters that a line may hold.
    lines = whole.decode(errors="replace").removesuffix("\n").split("\n") if whole else []
    return lines, offset + len(whole)


def _after_last_line(path: Path) -> int:
    """Return the offset behind the last whole line."""
    size = path.stat().st_size
    start = max(size - _LONGEST_LINE, 0)
    with path.open("rb") as file:
        file.seek(start)
        return start + file.read(size - start).rfind(b"\n") + 1
