"""Compare requests with results again and again, and read each record once.

`Reconciler.reconcile` reads a whole window: right for an operator and after a loss, but an hour of records each
minute costs more than the work it watches. Here what is open, and what was answered of late, stays in memory, and
a comparison reads only what was stored since the last one.

Why that finds the same: requests are read up to an end that is measured before the end of the results, so a result
may be read before its request. The next comparison therefore reads the results again from where they ended when
the requests were measured: whatever was stored before belongs to requests that were read. What cannot be decided
from memory starts over with the whole window: an error half-way, and the refusal of a request that counts as open.
"""

from dataclasses import dataclass, field, replace

from connectors.kafka.partition_reader import Span
from schemas.topics import DEAD_LETTERS, RESULTS
from stream_apps.repair.open_requests import OpenRequests
from stream_apps.repair.reconcile import (
    CLOCK_SKEW_MS,
    OnReadProgress,
    Reconciler,
    ReconcileReport,
    Tally,
)


@dataclass
class _Memory:
    """What is open and was answered, and the offset up to which each partition was read."""

    requests: OpenRequests
    read_to: dict[tuple[str, int], int] = field(default_factory=dict)

    def new_in(self, spans: list[Span]) -> list[Span]:
        """Leave out what was read."""
        return [span.without(self.read_to.get((span.topic, span.partition), 0)) for span in spans]

    def note_read(self, spans: list[Span]) -> None:
        """Note that these were read to their ends."""
        self.read_to |= {(span.topic, span.partition): span.end for span in spans}


@dataclass
class FollowingReconciler:
    """Call `compare` again and again, with a window that moves on. Not thread-safe."""

    reconciler: Reconciler
    _memory: _Memory | None = None

    def compare(self, since_ms: int, on_progress: OnReadProgress) -> ReconcileReport:
        """Compare as `Reconciler.reconcile` does; `answered` and `unanswerable` count what was read this time.

        The first call reads the whole window. Where that has more requests than the limit of ids, every call does.
        """
        # Nothing is kept of a comparison that an error ends.
        memory, self._memory = self._memory or self._nothing_read(), None
        admin, limits = self.reconciler.admin, self.reconciler.limits
        watermarks = self.reconciler.watermarks()
        refusals = memory.new_in(admin.spans([DEAD_LETTERS], since_ms))
        refused = self.reconciler.refused(refusals)
        if memory.requests.holds(refused):
            return self.compare(since_ms, on_progress)
        first_results = admin.spans([RESULTS], since_ms - CLOCK_SKEW_MS)
        requests = memory.new_in(admin.spans(self.reconciler.request_topics, since_ms))
        if len(memory.requests) + sum(span.length for span in requests) > limits.most_ids:
            return self.reconciler.reconcile(since_ms, on_progress)
        memory.requests.begin(refused)
        self._read(memory, requests, since_ms, on_progress)
        memory.requests.forget(since_ms, limits.most_ids)
        tally = Tally()
        tally.add(memory.requests, watermarks, limits.loss_policy)
        redriven = self.reconciler.redrive(tally.lost, on_progress)
        memory.note_read([*refusals, *requests, *first_results])
        self._memory = memory
        return replace(tally.report(), redriven=redriven)

    def _nothing_read(self) -> _Memory:
        return _Memory(OpenRequests(self.reconciler.codec, set(), answered={}))

    def _read(self, memory: _Memory, requests: list[Span], since_ms: int, on_progress: OnReadProgress) -> None:
        for record in self.reconciler.read(requests, "requests", on_progress):
            memory.requests.add_request(record)
        results = memory.new_in(self.reconciler.admin.spans([RESULTS], since_ms - CLOCK_SKEW_MS))
        for record in self.reconciler.read(results, "results", on_progress):
            memory.requests.add_result(record)
