"""Run the disturbed part: send requests and inject faults at their times, probe after each fault, then drain."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from tests.chaos.faults import hit_role
from tests.chaos.injection import Injector
from tests.chaos.ledger import Ledger
from tests.chaos.progress import Ticker
from tests.chaos.recovery import RecoveryWatch
from tests.chaos.scenario import probe_name
from tests.chaos.schedule import Fault
from tests.chaos.senders import HttpSender, KafkaSender
from tests.chaos.stack import ChaosStack
from tests.chaos.timeline import Timeline
from tests.chaos.traffic import Channel, Order, Request, Send

MOST_OUTSTANDING = 250

_TICK_SECONDS = 0.05
_STUCK_SECONDS = 240.0
_TRY_AGAIN_SECONDS = 0.5


# Through what the role has to do with; every other role is on the way of a text.
_PROBED_BY = {
    "http": Channel.HTTP_WITH_ID,
    "extraction": Channel.HTTP_DOCUMENT,
    "merging": Channel.HTTP_DOCUMENT,
}


@dataclass(frozen=True)
class Senders:
    """Kafka and HTTP."""

    kafka: KafkaSender
    http: HttpSender

    def send(self, request: Request) -> None:
        """Send it through the channel that it names."""
        self._of(request).send(request)

    def order(self, request: Request, order: Order) -> None:
        """Order its end, by the way on which it came."""
        self._of(request).order(request, order)

    def _of(self, request: Request) -> KafkaSender | HttpSender:
        by_kafka = request.channel in (Channel.KAFKA, Channel.KAFKA_DOCUMENT)
        return self.kafka if by_kafka else self.http

    def unaccepted(self) -> int:
        """Count what was sent and not yet accepted: all of it while the broker is unreachable."""
        return self.kafka.unaccepted() + self.http.unaccepted()


@dataclass(frozen=True)
class DrainLimits:
    """How long a drain waits: `longest_seconds` in all, `quiet_seconds` without a new answer."""

    longest_seconds: float = 180.0
    quiet_seconds: float = 90.0


class StallTimer:
    """Measures how long a number has not changed."""

    def __init__(self) -> None:
        self._before, self._since = -1, time.monotonic()

    def seconds(self, number: int) -> float:
        """Return the seconds since the number last changed."""
        if number != self._before:
            self._before, self._since = number, time.monotonic()
        return time.monotonic() - self._since


@dataclass(frozen=True)
class MeasuredFault:
    """A fault, its probe request, and the watch that measures how long its role takes to recover."""

    fault: Fault
    probe: str
    recovery: RecoveryWatch


@dataclass
class Disturbance:
    """Sends and injects by the clock. For one thread."""

    stack: ChaosStack
    senders: Senders
    ledger: Ledger
    injector: Injector
    ticker: Ticker
    _held: deque[Send] = field(default_factory=deque, init=False)

    def run(self, sends: Sequence[Send], faults: Sequence[Fault], recovery: RecoveryWatch) -> None:
        """Return when everything was sent and every fault is over, or when answers have stopped.

        Held requests wait for others to be answered; without answers they would wait forever.
        """
        timeline, stall = Timeline(), StallTimer()
        for send in sends:
            timeline.add(send.at_seconds, partial(self._held.append, send))
        for number, fault in enumerate(faults):
            measured = MeasuredFault(fault, probe_name(number), recovery)
            timeline.add(fault.at_seconds, partial(self._inject, timeline, measured))
        while not self._is_over(timeline) and stall.seconds(len(self.ledger.answers)) < _STUCK_SECONDS:
            timeline.do_due()
            self._send_held()
            self._tick(timeline.now())
        self.injector.undo_all()

    def drain(self, limits: DrainLimits) -> None:
        """Return when everything is answered or a limit is reached."""
        began, stall = time.monotonic(), StallTimer()
        while (open_requests := self._open()) and time.monotonic() - began < limits.longest_seconds:
            if stall.seconds(open_requests) > limits.quiet_seconds:
                return
            self._tick(time.monotonic() - began)

    def _open(self) -> int:
        return len(self.ledger.unanswered()) + self.senders.unaccepted()

    def _tick(self, now_seconds: float) -> None:
        self.senders.kafka.poll()
        self.ticker.tell(now_seconds, self._state(now_seconds))
        time.sleep(_TICK_SECONDS)

    def _state(self, now_seconds: float) -> str:
        accepted, answered = self.ledger.progress()
        kills = self.injector.kills()
        others = self.injector.counts.total() - kills
        return (
            f"{now_seconds:5.0f} s: {kills} kills, {others} other faults, {accepted} accepted, {answered} answered"
        )

    def _is_over(self, timeline: Timeline) -> bool:
        return timeline.is_done() and not self._held

    def _send_held(self) -> None:
        while self._held and self.ledger.outstanding() + self.senders.unaccepted() <= MOST_OUTSTANDING:
            self._send(self._held.popleft())

    def _send(self, send: Send) -> None:
        if send.order:
            self.senders.order(send.request, send.order)
        else:
            self.senders.send(send.request)

    def _inject(self, timeline: Timeline, measured: MeasuredFault) -> None:
        fault, role = measured.fault, hit_role(measured.fault.kind)
        before = self.stack.processes(role)
        undo = self.injector.inject(fault)
        if undo is None:
            timeline.add(timeline.now() + _TRY_AGAIN_SECONDS, partial(self._inject, timeline, measured))
            return
        timeline.add(timeline.now() + fault.lasts_seconds, undo)
        probe = Request(measured.probe, measured.probe, "critical", _PROBED_BY.get(role, Channel.KAFKA))
        self.senders.send(probe)
        measured.recovery.watch(fault.kind.name, role, probe.key, before)
