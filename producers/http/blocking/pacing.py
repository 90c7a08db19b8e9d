"""Let readings of whole topics go slowly, so that requests do not wait for them, and end them with the process."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from schemas.errors import TransientError

# Python changes threads after 5 ms of computing (sys.getswitchinterval); more often it need not be looked at.
_LOOK_SECONDS = 0.005

T = TypeVar("T")


@dataclass(frozen=True)
class Pace:
    """Has a thread compute during `share` of its time at most: one thread computes at a time in a process.

    `ending` is set when the process ends. `clock` is the processor time of the thread, in seconds.
    """

    share: float = 1.0
    ending: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.thread_time

    def over(self, items: Iterable[T], what: str = "") -> Iterator[T]:
        """Pass the items on; `what` names them, for whoever shows progress. Raises TransientError at the end."""
        del what
        began = self.clock()
        for item in items:
            computed = self.clock() - began
            self._check()
            if computed >= _LOOK_SECONDS:
                self.ending.wait(computed * (1 / self.share - 1))
                self._check()
                began = self.clock()
            yield item

    def _check(self) -> None:
        if self.ending.is_set():
            raise TransientError("the process is ending")
