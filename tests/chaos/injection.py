"""Inject a fault into the stack, and undo it when its time is over."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import redis

from tests.chaos.disks import Disks
from tests.chaos.faults import Action, hit_role
from tests.chaos.refusing_clickhouse import Refusal
from tests.chaos.schedule import Fault
from tests.chaos.stack import ChaosStack

# The autoscaler's lower bound: a single worker that is killed every few seconds proves nothing about the platform.
FEWEST_WORKERS, MOST_WORKERS = 2, 4

_SIGNALS = {Action.KILL: signal.SIGKILL, Action.TERM: signal.SIGTERM, Action.FREEZE: signal.SIGSTOP}

Undo = Callable[[], None]
"""Ends a lasting fault. May be called again."""


class Injector:
    """For one thread. `disks` is None where disks cannot be filled."""

    def __init__(self, stack: ChaosStack, disks: Disks | None) -> None:
        self._stack = stack
        self._disks = disks
        self._undos: list[Undo] = []
        self.counts: Counter[str] = Counter()

    def inject(self, fault: Fault) -> Undo | None:
        """Inject it; return how to end it, or None when no process of the role is alive: try again later."""
        victims = sorted(self._stack.processes(hit_role(fault.kind)).values())
        if not victims:
            return None
        try:
            undo = self._strike(fault, victims[int(fault.choice * len(victims))])
        except ProcessLookupError:
            return None
        self.counts[fault.kind.name] += 1
        self._undos.append(undo)
        return undo

    def kills(self) -> int:
        """Return how many processes were killed so far."""
        return sum(count for name, count in self.counts.items() if name.startswith(Action.KILL))

    def undo_all(self) -> None:
        """End every fault that still lasts."""
        while self._undos:
            self._undos.pop()()

    def _strike(self, fault: Fault, victim: int) -> Undo:
        match fault.kind.action:
            case Action.REFUSE:
                return self._refuse(fault.choice)
            case Action.FILL:
                return self._fill(fault.kind.target)
            case Action.FORGET:
                return self._forget()
            case Action.SCALE:
                return self._scale(FEWEST_WORKERS + int(fault.choice * (MOST_WORKERS - FEWEST_WORKERS + 1)))
            case action:
                os.kill(victim, _SIGNALS[action])
                return lambda: _wake(victim)

    def _refuse(self, choice: float) -> Undo:
        when = Refusal.BEFORE if choice < 0.5 else Refusal.AFTER
        self._stack.refusal.write_text(when)
        return lambda: self._stack.refusal.unlink(missing_ok=True)

    def _fill(self, target: str) -> Undo:
        disks = self._disks
        if disks is None:
            raise ValueError(f"{target} has no small disk")
        disks.fill(target)
        return lambda: disks.free(target)

    def _forget(self) -> Undo:
        forget(self._stack.run().redis_state_url)
        return _nothing

    def _scale(self, workers: int) -> Undo:
        self._stack.scale(workers)
        return _nothing


def forget(redis_url: str) -> None:
    """Delete everything that this Redis holds; do nothing when it is unreachable."""
    with suppress(redis.RedisError), redis.Redis.from_url(redis_url) as client:
        client.flushall()


def _wake(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGCONT)


def _nothing() -> None:
    """Undo a fault that does not last."""
