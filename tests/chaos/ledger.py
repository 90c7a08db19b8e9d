"""Record what was sent, accepted and answered; the verdict is computed from it."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """One result record as a reader sees it. Times are monotonic seconds."""

    version: int
    status: str
    text: str | None
    source_words: int
    at: float


@dataclass
class Ledger:
    """Thread-safe. Accepted: Kafka has acknowledged it, or HTTP has said 202."""

    expected: dict[str, str] = field(default_factory=dict)
    """Request id -> name of the text that its answer must be a translation of."""
    accepted_at: dict[str, float] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, request_id: str, reference: str) -> None:
        """Note an accepted request, which must be answered from now on. May be called again."""
        with self._lock:
            self.expected[request_id] = reference
            self.accepted_at.setdefault(request_id, time.monotonic())

    def answer(self, request_id: str, answer: Answer) -> None:
        """Note a result of version 1."""
        with self._lock:
            self.answers[request_id].append(answer)

    def answered_at(self, request_id: str) -> float | None:
        """Return when the first answer came."""
        with self._lock:
            found = self.answers.get(request_id)
            return found[0].at if found else None

    def unanswered(self) -> list[str]:
        """Return the accepted requests without an answer."""
        with self._lock:
            return [request_id for request_id in self.expected if request_id not in self.answers]

    def outstanding(self) -> int:
        """Return about how many requests are in flight."""
        with self._lock:
            return max(len(self.expected) - len(self.answers), 0)

    def progress(self) -> tuple[int, int]:
        """Return how many were accepted and how many answered."""
        with self._lock:
            return len(self.expected), len(self.answers)
