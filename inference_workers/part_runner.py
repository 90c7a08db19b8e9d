"""Run parts on the engine without gaps, in the order in which they were submitted.

A part of an engine that goes text by text runs at once, in the caller's thread. Parts of other engines run on a
thread of their own, which finds the next part waiting when one ends: meanwhile the caller takes, looks up, sends.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple, TypeVar

from inference_workers.workload import Part, PartResult
from schemas.errors import DragomanError
from schemas.segments import TranslationContext

_DEPTH = 2

T = TypeVar("T")


class Run(NamedTuple, Generic[T]):
    """A part that was run, what its submitter knows it by, and its result."""

    part: Part
    owner: T
    result: PartResult


class _Flight(NamedTuple, Generic[T]):
    part: Part
    owner: T
    submitted_at: float
    ended: "Future[tuple[PartResult, float]]"


@dataclass
class PartRunner(Generic[T]):
    """For one thread. `run` translates a part; `clock` counts seconds."""

    run: Callable[[Part], PartResult]
    clock: Callable[[], float]
    _flights: deque[_Flight[T]] = field(default_factory=deque, init=False)
    _pool: ThreadPoolExecutor = field(init=False)
    _last_end: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "engine")

    @property
    def is_empty(self) -> bool:
        """Tell whether no part is under way."""
        return not self._flights

    @property
    def is_full(self) -> bool:
        """Tell whether a result must be taken before another part is submitted."""
        return bool(self._flights) and (self._flights[0].part.is_one_by_one or len(self._flights) >= _DEPTH)

    @property
    def context(self) -> TranslationContext | None:
        """Return the context that the next part must have; None for any. Another model may displace one in use."""
        return self._flights[0].part.line.context if self._flights else None

    def submit(self, part: Part, owner: T) -> None:
        """Run the part. Blocks until it is done where the engine goes text by text."""
        ended: Future[tuple[PartResult, float]]
        if part.is_one_by_one:
            ended = Future()
            now = self.clock()
            ended.set_result(self._timed(part))
            self._flights.append(_Flight(part, owner, now, ended))
        else:
            self._flights.append(_Flight(part, owner, self.clock(), self._pool.submit(self._timed, part)))

    def take(self) -> Run[T]:
        """Wait for the oldest part, and return it with the time that the engine had for it alone.

        What the engine did not come to is no longer in it. Raises what the engine raised.
        """
        flight = self._flights.popleft()
        result, ended_at = flight.ended.result()
        seconds = max(ended_at - max(flight.submitted_at, self._last_end), 0.0)
        self._last_end = ended_at
        return Run(flight.part.without(result.left), flight.owner, replace(result, seconds=seconds))

    def restart(self) -> None:
        """Wait for everything that is under way, and forget it."""
        while self._flights:
            # It comes again, whatever became of it.
            if isinstance(error := self._flights.popleft().ended.exception(), Exception) and not isinstance(
                error, DragomanError
            ):
                raise error

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown()

    def _timed(self, part: Part) -> tuple[PartResult, float]:
        result = self.run(part)
        return result, self.clock()
