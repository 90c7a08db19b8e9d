"""Note in a file which texts the engine has in hand: a text that ends the process does so a few times only.

A crash inside a library leaves nothing to catch, and the same batch comes again. After a crash the texts of the
note are tried one by one, and one that was alone in hand at `MOST_CRASHES` crashes is refused. A kill from outside
hits the same lonely text so often only by a rare chance.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog

from inference_workers.engines.protocol import EngineError
from schemas.ids import fingerprint

log = structlog.get_logger()

MOST_CRASHES = 3
# Texts of earlier crashes that never came again, as another worker took them.
_MOST_SUSPECTS = 1000


class CrashJournal:
    """The note of one worker. `file` outlives the process; without one nothing is noted. For one thread."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = _opened(file) if file else None
        in_hand, self._suspects = _read(self._file)
        for name in in_hand:
            self._suspects[name] = self._suspects.pop(name, 0) + (len(in_hand) == 1)
        self._suspects = dict(list(self._suspects.items())[-_MOST_SUSPECTS:])
        self._write(())

    def check(self, texts: Sequence[str]) -> None:
        """Raise EngineError for a text that must be tried alone, or not at all."""
        crashes = [self._suspects[name] for name in map(_name, texts) if name in self._suspects]
        if crashes and len(texts) > 1:
            raise EngineError("a text that was in hand when the process died is tried alone")
        if crashes and crashes[0] >= MOST_CRASHES:
            raise EngineError(f"the process died {crashes[0]} times with this text in hand")

    def take(self, texts: Sequence[str]) -> None:
        """Note that the engine has these texts."""
        if self._file is not None:
            self._write([_name(text) for text in texts])

    def done(self, texts: Sequence[str]) -> None:
        """Note that it came back from them."""
        if self._file is not None:
            for name in map(_name, texts) if self._suspects else ():
                self._suspects.pop(name, None)
            self._write(())

    def _write(self, in_hand: Sequence[str]) -> None:
        if self._file is None:
            return
        # The first line counts; what longer notes left behind it does not.
        note = json.dumps([in_hand, self._suspects]) if in_hand or self._suspects else ""
        try:
            os.pwrite(self._file, f"{note}\n".encode(), 0)
        except OSError as error:
            log.warning("no_crash_journal", error=str(error))
            self._file = None


def _name(text: str) -> str:
    return fingerprint(text.encode())


def _opened(file: Path) -> int | None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        log.warning("no_crash_journal", file=str(file), error=str(error))
        return None


def _read(file: int | None) -> tuple[list[str], dict[str, int]]:
    if file is None:
        return [], {}
    try:
        note = os.pread(file, os.fstat(file).st_size, 0).partition(b"\n")[0]
        found = json.loads(note or b"[[], {}]")
    except ValueError:  # torn by the crash
        return [], {}
    match found:
        case [list(in_hand), dict(suspects)] if _are(str, in_hand) and _are(int, suspects.values()):
            return in_hand, suspects
    return [], {}


def _are(kind: type, values: Iterable[object]) -> bool:
    return all(isinstance(one, kind) for one in values)
