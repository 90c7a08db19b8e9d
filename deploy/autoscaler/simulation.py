"""Simulate a pool for a day, with work as a fluid: which service levels hold, and what the autoscaler saves.

`dragoman simulate` prints the days of docs/autoscaling.md. A fluid has no batches, no skew between partitions and
no failures; a replica works at its measured speed from the moment it is ready.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deploy.autoscaler.backlog import ArrivalRate
from deploy.autoscaler.controller import NeedHistory
from deploy.autoscaler.decision import Policy, ScalingDecision, Snapshot, WaitingWork, replicas_wanted
from schemas.priorities import Priority

DAY_SECONDS = 24 * 3600
ARRIVAL_SHARES = {Priority.CRITICAL: 0.1, Priority.HIGH: 0.2, Priority.STANDARD: 0.7}

ArrivalCurve = Callable[[float], float]
"""Words per second that arrive at a second of the day."""


@dataclass(frozen=True)
class Site:
    """The simulated workers, and how often the autoscaler decides."""

    words_per_second: float = 400.0
    startup_seconds: float = 45.0
    interval_seconds: float = 5.0
    arrival_memory_seconds: float = 60.0


@dataclass
class SimulatedDay:
    """Sums over the day. A word is late when it is translated later than the SLA after its arrival."""

    words: dict[Priority, float] = field(default_factory=lambda: dict.fromkeys(Priority, 0.0))
    late_words: dict[Priority, float] = field(default_factory=lambda: dict.fromkeys(Priority, 0.0))
    replica_hours: float = 0.0
    changes: int = 0
    most_replicas: int = 0

    def late_share(self, priority: Priority) -> float:
        """Return the share of a priority's words that were late, 0 to 1."""
        return self.late_words[priority] / self.words[priority] if self.words[priority] else 0.0

    def saving(self, static_replicas: int, seconds: float = DAY_SECONDS) -> float:
        """Return the share of a constant fleet's replica-hours that was not needed."""
        return 1 - self.replica_hours / (static_replicas * seconds / 3600)


@dataclass
class PoolDay:
    """One pool, interval by interval: work arrives, the most urgent is done first, the autoscaler decides."""

    site: Site
    policy: Policy
    outcome: SimulatedDay = field(default_factory=SimulatedDay)
    now: float = 0.0
    _queues: dict[Priority, deque[list[float]]] = field(default_factory=lambda: {one: deque() for one in Priority})
    _rates: dict[Priority, ArrivalRate] = field(init=False)
    _history: NeedHistory = field(init=False)
    _ready_at: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self._rates = {one: ArrivalRate(self.site.arrival_memory_seconds) for one in Priority}
        self._history = NeedHistory(self.policy.scale_in_window_seconds)
        self._ready_at = [0.0] * self.policy.min_replicas

    def run(self, load: ArrivalCurve, seconds: float = DAY_SECONDS) -> SimulatedDay:
        """Simulate the whole day."""
        while self.now < seconds:
            self.advance(load(self.now))
        return self.outcome

    def advance(self, words_per_second: float) -> ScalingDecision:
        """Simulate one interval."""
        self._arrive(words_per_second)
        self._work()
        self.now += self.site.interval_seconds
        decision = replicas_wanted(self._snapshot(), self.policy)
        self._history.add(decision, len(self._ready_at), self.now)
        self._scale_to(decision.replicas)
        return decision

    def _arrive(self, words_per_second: float) -> None:
        for priority, share in ARRIVAL_SHARES.items():
            words = words_per_second * share * self.site.interval_seconds
            self._rates[priority].add(words, self.site.interval_seconds)
            self.outcome.words[priority] += words
            if words:
                self._queues[priority].append([self.now, words])

    def _work(self) -> None:
        end = self.now + self.site.interval_seconds
        seconds = sum(min(max(end - ready_at, 0.0), self.site.interval_seconds) for ready_at in self._ready_at)
        left = seconds * self.site.words_per_second
        for priority in Priority:
            left -= self._serve(priority, left, end)

    def _serve(self, priority: Priority, most_words: float, end: float) -> float:
        queue, left = self._queues[priority], most_words
        while queue and left > 0:
            arrived, words = queue[0]
            done = min(words, left)
            left -= done
            queue[0][1] -= done
            if end - arrived > self.policy.sla_seconds[priority]:
                self.outcome.late_words[priority] += done
            if done == words:
                queue.popleft()
        return most_words - left

    def _snapshot(self) -> Snapshot:
        pending = tuple(at - self.now for at in self._ready_at if at > self.now)
        return Snapshot(
            waiting=self._waiting(),
            replica_words_per_second=self.site.words_per_second,
            startup_seconds=self.site.startup_seconds,
            ready=len(self._ready_at) - len(pending),
            pending_seconds=pending,
            past=self._history.past(self.now),
            steady_seconds=self._history.steady_seconds(self.now),
        )

    def _waiting(self) -> Mapping[Priority, WaitingWork]:
        return {
            priority: WaitingWork(
                sum(words for _, words in queue),
                self._rates[priority].per_second,
                self.now - queue[0][0] if queue else 0.0,
            )
            for priority, queue in self._queues.items()
        }

    def _scale_to(self, replicas: int) -> None:
        have = len(self._ready_at)
        self.outcome.changes += replicas != have
        self.outcome.most_replicas = max(self.outcome.most_replicas, replicas)
        # Paid from the moment it is asked for; the youngest goes first.
        self._ready_at = sorted(self._ready_at)[:replicas]
        self._ready_at += [self.now + self.site.startup_seconds] * (replicas - have)
        self.outcome.replica_hours += replicas * self.site.interval_seconds / 3600


def idle_day(words_per_second: float = 20.0) -> ArrivalCurve:
    """Return a load that hardly occupies one replica."""
    return lambda _: words_per_second


def bursty_day(capacity_words_per_second: float, seed: int, bursts: int = 14) -> ArrivalCurve:
    """Return 5 % of the capacity all day, with bursts of 5 to 12 minutes to 68-85 % of it."""
    chance = random.Random(seed)
    starts = [chance.uniform(0, DAY_SECONDS - 900) for _ in range(bursts)]
    ends = [start + chance.uniform(300, 720) for start in starts]
    heights = [chance.uniform(0.68, 0.85) for _ in starts]

    def load(second: float) -> float:
        burst = max((h for s, e, h in zip(starts, ends, heights, strict=True) if s <= second < e), default=0.05)
        return capacity_words_per_second * burst

    return load
