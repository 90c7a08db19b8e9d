"""The disturbed part of a run: requests and faults by the clock, a probe for each fault, then the drain."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from tests.chaos.agenda import Agenda
from tests.chaos.entrances import HttpEntrance, KafkaEntrance
from tests.chaos.faults import hit_role
from tests.chaos.injection import Injector
from tests.chaos.ledger import Ledger
from tests.chaos.progress import Ticker
from tests.chaos.recovery import RecoveryWatch
from tests.chaos.scenario import probe_name
from tests.chaos.schedule import Fault
from tests.chaos.stack import ChaosStack
from tests.chaos.traffic import Request, Send, Way

MOST_OUTSTANDING = 250

_TICK_SECONDS = 0.05
_STUCK_SECONDS = 240.0
_TRY_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Entrances:
    """Both ways in."""

    kafka: KafkaEntrance
    http: HttpEntrance

    def send(self, request: Request) -> None:
        """By the way that the request asks for."""
        by_kafka = request.way in (Way.KAFKA, Way.KAFKA_BY_REFERENCE)
        (self.kafka if by_kafka else self.http).send(request)

    def under_way(self) -> int:
        """Sent and not accepted yet: while the broker is away, that is all of them."""
        return self.kafka.under_way() + self.http.under_way()


@dataclass(frozen=True)
class Patience:
    """`longest_seconds` in all, and `quiet_seconds` without any new answer."""

    longest_seconds: float = 180.0
    quiet_seconds: float = 90.0


class Silence:
    """How long a number has been the same."""

    def __init__(self) -> None:
        self._before, self._since = -1, time.monotonic()

    def seconds(self, number: int) -> float:
        """The number as it is now."""
        if number != self._before:
            self._before, self._since = number, time.monotonic()
        return time.monotonic() - self._since


@dataclass(frozen=True)
class Measure:
    """A fault, and what measures how long its role takes to work again."""

    fault: Fault
    probe: str
    recovery: RecoveryWatch


@dataclass
class Disturbance:
    """For one thread."""

    stack: ChaosStack
    entrances: Entrances
    ledger: Ledger
    injector: Injector
    ticker: Ticker
    _held: deque[Request] = field(default_factory=deque, init=False)

    def run(self, sends: Sequence[Send], faults: Sequence[Fault], recovery: RecoveryWatch) -> None:
        """Returns when all was sent and all faults are over; or when nothing is answered any more.

        Requests that wait for others to be answered would wait for ever then.
        """
        agenda, silence = Agenda(), Silence()
        for send in sends:
            agenda.add(send.at_seconds, partial(self._held.append, send.request))
        for number, fault in enumerate(faults):
            measure = Measure(fault, probe_name(number), recovery)
            agenda.add(fault.at_seconds, partial(self._strike, agenda, measure))
        while not self._is_over(agenda) and silence.seconds(len(self.ledger.answers)) < _STUCK_SECONDS:
            agenda.do_due()
            self._send_held()
            self._tick(agenda.now())
        self.injector.relieve_all()

    def drain(self, limits: Patience) -> None:
        """Returns when all is answered, or patience is over."""
        began, silence = time.monotonic(), Silence()
        while (open_requests := self._open()) and time.monotonic() - began < limits.longest_seconds:
            if silence.seconds(open_requests) > limits.quiet_seconds:
                return
            self._tick(time.monotonic() - began)

    def _open(self) -> int:
        return len(self.ledger.unanswered()) + self.entrances.under_way()

    def _tick(self, now_seconds: float) -> None:
        self.entrances.kafka.poll()
        self.ticker.tell(now_seconds, self._state(now_seconds))
        time.sleep(_TICK_SECONDS)

    def _state(self, now_seconds: float) -> str:
        accepted, answered = self.ledger.progress()
        kills = self.injector.kills()
        others = self.injector.counts.total() - kills
        return (
            f"{now_seconds:5.0f} s: {kills} kills, {others} other faults, {accepted} accepted, {answered} answered"
        )

    def _is_over(self, agenda: Agenda) -> bool:
        return agenda.is_done() and not self._held

    def _send_held(self) -> None:
        while self._held and self.ledger.outstanding() + self.entrances.under_way() <= MOST_OUTSTANDING:
            self.entrances.send(self._held.popleft())

    def _strike(self, agenda: Agenda, measure: Measure) -> None:
        fault, role = measure.fault, hit_role(measure.fault.kind)
        before = self.stack.processes(role)
        undo = self.injector.inject(fault)
        if undo is None:
            agenda.add(agenda.now() + _TRY_AGAIN_SECONDS, partial(self._strike, agenda, measure))
            return
        agenda.add(agenda.now() + fault.lasts_seconds, undo)
        way = Way.HTTP_WITH_ID if role == "http" else Way.KAFKA
        self.entrances.send(Request(measure.probe, measure.probe, "critical", way))
        measure.recovery.watch(fault.kind.name, role, measure.probe, before)
