"""A tracer that keeps ended spans in memory, for tests of what is traced."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.tracing.spans import About, Facts, PassingSpan, Span, SpanKind
from schemas.traces import TraceParent, parse_traceparent


@dataclass(eq=False)
class KeptSpan:
    """A span; `tracer.ended` has it once it has ended. `parent` None: it began the trace."""

    name: str
    kind: SpanKind
    trace: TraceParent
    parent: TraceParent | None
    links: Sequence[TraceParent]
    ended: list["KeptSpan"]
    facts: dict[About, str | int | float] = field(default_factory=dict)
    error: str = ""
    is_recorded: bool = True

    @property
    def header(self) -> bytes:
        """Return the header of its children."""
        return self.trace.encode()

    def say(self, facts: Facts) -> None:
        """Add facts."""
        self.facts |= facts

    def end(self, error: str = "") -> None:
        """Keep it, once."""
        if self not in self.ended:
            self.error = error
            self.ended.append(self)


@dataclass
class MemoryTracer:
    """Records every trace that is not marked as unrecorded."""

    ended: list[KeptSpan] = field(default_factory=list)
    is_on: bool = True

    def start(
        self,
        name: str,
        parent: bytes = b"",
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        since_ns: int | None = None,  # noqa: ARG002  # a protocol's parameter; times are not kept
        links: Sequence[bytes] = (),
    ) -> Span:
        """Begin a span, or pass the header of an unrecorded trace on."""
        above = parse_traceparent(parent)
        if above is not None and not above.is_sampled:
            return PassingSpan(parent)
        trace_id = above.trace_id if above else f"{random.getrandbits(128) or 1:032x}"
        trace = TraceParent(trace_id, f"{random.getrandbits(64) or 1:016x}", 1)
        linked = [found for one in links if (found := parse_traceparent(one))]
        return KeptSpan(name, kind, trace, above, linked, self.ended)

    def close(self) -> None:
        """Do nothing."""
