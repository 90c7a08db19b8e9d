"""Record what was sent, accepted and answered; the verdict is computed from it."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

from tests.chaos.traffic import Order


@dataclass(frozen=True)
class Answer:
    """One result record as a reader sees it. Times are monotonic seconds."""

    version: int
    status: str
    text: str | None
    source_words: int
    at: float
    is_erased: bool = False


@dataclass
class Ledger:
    """Thread-safe. Accepted: Kafka has acknowledged it, or HTTP has said 202."""

    expected: dict[str, str] = field(default_factory=dict)
    """Key of the request (`tenant/request_id`) -> name of the text that its answer must be a translation of."""
    accepted_at: dict[str, float] = field(default_factory=dict)
    heard: dict[str, str | None] = field(default_factory=dict)
    """The texts that callers got who waited for them, by key."""
    unheard: list[str] = field(default_factory=list)
    """The requests whose callers waited in vain although the answer was there."""
    ordered: set[str] = field(default_factory=set)
    """The requests that somebody wanted to end: they may be answered CANCELLED instead."""
    erased: set[str] = field(default_factory=set)
    """The requests whose erasure is accepted, as requests are: no text of theirs may be left in the end."""
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    copies: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    """What stands in the topic of the one tenant that has its own, by key."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, key: str, reference: str) -> None:
        """Note an accepted request, which must be answered from now on. May be called again."""
        with self._lock:
            self.expected[key] = reference
            self.accepted_at.setdefault(key, time.monotonic())

    def order(self, key: str) -> None:
        """Note that somebody is about to order the end of a request."""
        with self._lock:
            self.ordered.add(key)

    def accept_order(self, key: str, order: Order) -> None:
        """Note an accepted order."""
        with self._lock:
            if order is Order.ERASE:
                self.erased.add(key)

    def answer(self, key: str, answer: Answer) -> None:
        """Note a result of version 1."""
        with self._lock:
            self.answers[key].append(answer)

    def copy(self, key: str, answer: Answer) -> None:
        """Note a copy of a result of version 1."""
        with self._lock:
            self.copies[key].append(answer)

    def hear(self, key: str, text: str | None) -> None:
        """Note what a caller got who waited."""
        with self._lock:
            self.heard[key] = text

    def wait_in_vain(self, key: str, for_seconds: float) -> None:
        """Note a caller who was told nothing, if the answer had been there for that time."""
        answered_at = self.answered_at(key)
        if answered_at is not None and time.monotonic() - answered_at > for_seconds:
            with self._lock:
                self.unheard.append(key)

    def answered_at(self, key: str) -> float | None:
        """Return when the first answer came."""
        with self._lock:
            found = self.answers.get(key)
            return found[0].at if found else None

    def unanswered(self) -> list[str]:
        """Return the accepted requests without an answer."""
        with self._lock:
            return [key for key in self.expected if key not in self.answers]

    def outstanding(self) -> int:
        """Return about how many requests are in flight."""
        with self._lock:
            return max(len(self.expected) - len(self.answers), 0)

    def ended(self) -> dict[str, int]:
        """Count the requests that were to be ended, those that were cancelled, and those that were erased."""
        with self._lock:
            cancelled = [key for key, found in self.answers.items() if found[0].status == "CANCELLED"]
            return {"ordered": len(self.ordered), "cancelled": len(cancelled), "erased": len(self.erased)}

    def progress(self) -> tuple[int, int]:
        """Return how many were accepted and how many answered."""
        with self._lock:
            return len(self.expected), len(self.answers)
