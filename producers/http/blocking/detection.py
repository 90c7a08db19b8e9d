"""Detect languages in the HTTP process, with the detector of intake, which is loaded at the first call."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from producers.http.blocking.waiting_line import WaitingLine
from stream_apps.pipeline.language_detection import Detection, LangidDetector

_REFUSAL = "too many detect languages at the same time"


class Detector(Protocol):
    """Names languages."""

    async def guess_each(self, texts: Sequence[str], among: Collection[str]) -> list[Detection]:
        """Return a language for each text that has letters, the likeliest of `among` where none is likely enough.

        Raises OverloadedError while many wait.
        """


@dataclass
class ThreadedDetector:
    """Detects on another thread, one call at a time: the model is loaded once (90 MB, 1 s).

    `most_waiting` calls are under way or in line at a time.
    """

    detect: Callable[[Sequence[str], Collection[str]], list[Detection]] = field(
        default_factory=lambda: LangidDetector().guess_each
    )
    most_waiting: int = 50
    _line: WaitingLine = field(init=False)

    def __post_init__(self) -> None:
        self._line = WaitingLine(1, self.most_waiting, _REFUSAL)

    async def guess_each(self, texts: Sequence[str], among: Collection[str]) -> list[Detection]:
        return await self._line.run(self.detect, texts, among)
