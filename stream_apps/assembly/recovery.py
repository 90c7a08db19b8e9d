"""Rebuild a lost state Redis before anything is decided on it (docs/decisions/0008).

The markers of answered requests are restored from translation.results. Open requests need no marker: those that
lost their slots are sent again by stream_apps/repair. The same is done for the few answers that a killed assembler
committed without telling callers of them.
"""

import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from connectors.redis.state_epoch import Rebuild, StateEpoch, StateIdentity, StateLostError
from connectors.telemetry import metrics
from schemas.codec import Codec
from schemas.errors import PermanentError, TransientError
from schemas.ids import JobKey
from schemas.messages import TranslationResult
from schemas.records import (
    FIRST_REVISION,
    InboundRecord,
    revisions_up_to,
    told_erased,
    told_status,
    told_version,
)
from schemas.slots import AnswerSource, Completion, RequestRevision
from stream_apps.pipeline.stores import Slots

log = structlog.get_logger()

_TAKE_RECORDS, _TAKE_SECONDS = 5_000, 0.5
_IDLE_CHECK_SECONDS = 1.0
_RAISE_SECONDS = 10.0


class ResultLog(Protocol):
    """The committed results up to the end of the log at opening (connectors.kafka.partition_reader.LogScan)."""

    @property
    def is_done(self) -> bool: ...
    @property
    def share(self) -> float: ...
    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Reach:
    """How far back a rebuild reads. Milliseconds."""

    whole_ms: int
    margin_ms: int

    def since_ms(self, found: StateIdentity, now_ms: int) -> int:
        """Return when to begin: at the oldest marker that may be needed, or at the last use of the state."""
        if found.epoch == "" or found.clock_ms is None:
            return now_ms - self.whole_ms
        return max(found.clock_ms - self.margin_ms, now_ms - self.whole_ms)


@dataclass(frozen=True)
class Rebuilder:
    """Restores markers from results, and recent results for HTTP. May be repeated, and done by several at once."""

    slots: Slots
    codec: Codec
    show_after_ms: Callable[[], int]

    def restore(self, records: Sequence[InboundRecord]) -> None:
        """Write the markers of these results. Raises TransientError.

        A marker replaces whatever is there: since the loss, a late duplicate may have become the completer of an
        answered request. It has not answered, because decisions are void until the state is complete.
        """
        newest_ms = self.show_after_ms()
        completions: dict[RequestRevision, Completion] = {}
        for record in records:
            if record.key and record.value:
                shown = record.value if record.timestamp_ms >= newest_ms else b""
                headers = record.headers
                done = Completion(
                    record.coordinates,
                    told_status(headers),
                    record.timestamp_ms,
                    erased_at=told_erased(headers),
                )
                key = JobKey.decode(record.key)
                # Kafka keeps the newest answer of a request only.
                requests = [RequestRevision(key, revision) for revision in revisions_up_to(self._version(record))]
                completions |= dict.fromkeys(requests, done) | {requests[-1]: replace(done, encoded=shown)}
        self.slots.finish(completions)

    def _version(self, record: InboundRecord) -> int:
        told = told_version(record.headers)
        if told is not None:
            return told
        try:
            return self.codec.decode(record.value, TranslationResult).version
        except PermanentError:
            log.warning("result_unreadable", record=record)
            return FIRST_REVISION


@dataclass(frozen=True)
class _UnderWay:
    rebuild: Rebuild
    log: ResultLog


@dataclass
class Recovery:
    """Makes sure of a complete state before each cycle. `clock` counts seconds; `now_ms`: milliseconds since 1970.

    `open_log` gets the time to begin at (ms), and for each partition the offset before which nothing is missing.
    """

    epoch: StateEpoch
    open_log: Callable[[int, Mapping[int, int]], ResultLog]
    rebuilder: Rebuilder
    reach: Reach
    slice_seconds: float
    now_ms: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    _under_way: _UnderWay | None = field(default=None, init=False)
    _checked_at: float = field(default=0.0, init=False)

    def ensure(self, *, is_idle: bool) -> None:
        """Return if the state is complete and known; else rebuild for a slice of time and raise StateLostError.

        Every decision checks the epoch too, so only an idle assembler checks here, once a second.
        """
        if self.epoch.is_known:
            if is_idle and self.clock() - self._checked_at >= _IDLE_CHECK_SECONDS:
                self.epoch.confirm()
                # Only now: while Redis is unreachable, every call must raise.
                self._checked_at = self.clock()
            return
        found = self.epoch.look()
        if found.is_sound:
            self._adopt(found)
            return
        self._advance(found)
        share = self._under_way.log.share if self._under_way else 1
        raise StateLostError(f"the state Redis is being rebuilt: {share:.0%}")

    def _adopt(self, found: StateIdentity) -> None:
        self._end("by another")
        self.epoch.adopt(found)
        metrics.STATE_REBUILD_SHARE.set(1)
        log.info("state_known", epoch=found.epoch)

    def _advance(self, found: StateIdentity) -> None:
        under_way = self._under_way
        if under_way is None or under_way.rebuild.found.run_id != found.run_id:
            under_way = self._begin(found)
        try:
            self._read_on(under_way)
        except TransientError:
            # The last records may not have been restored: read again from the last offset that is.
            self._end("failed")
            raise
        if under_way.log.is_done:
            is_settled = self.epoch.settle(under_way.rebuild)
            self._end("settled" if is_settled else "lost again")

    def _read_on(self, under_way: _UnderWay) -> None:
        results, end = under_way.log, self.clock() + self.slice_seconds
        while not results.is_done and self.clock() < end:
            if records := results.take(_TAKE_RECORDS, _TAKE_SECONDS):
                self.rebuilder.restore(records)
                # In the order of their offsets, so the last one counts.
                self.epoch.reach(under_way.rebuild, {one.partition: one.offset + 1 for one in records})
            metrics.STATE_REBUILD_SHARE.set(results.share)

    def _begin(self, found: StateIdentity) -> _UnderWay:
        self._end("lost again")
        since_ms = self.reach.since_ms(found, self.now_ms())
        log.warning("state_lost", since_ms=since_ms, is_empty=found.epoch == "")
        # In this order: a loss after the key is noticed when it is settled; the log is measured after the loss.
        rebuild = self.epoch.begin(found)
        self._under_way = _UnderWay(rebuild, self.open_log(since_ms, rebuild.reached))
        return self._under_way

    def _end(self, how: str) -> None:
        if self._under_way is not None:
            self._under_way.log.close()
            metrics.STATE_REBUILDS.labels(how).inc()
            log.warning("state_rebuild_ended", how=how)
        self._under_way = None


@dataclass(frozen=True, eq=False)
class _Scan:
    sources: frozenset[AnswerSource]
    results: ResultLog


@dataclass
class CatchUp:
    """Tells callers of answers that a killed assembler committed and did not tell.

    Whoever gets a source answers into the partition of the results with the same number. What lies there behind
    the offset that was told is restored, beside the ordinary work: nothing depends on it but what callers see.
    `open_log` gets the offsets to begin at, by partition of the results.
    """

    slots: Slots
    rebuilder: Rebuilder
    open_log: Callable[[Mapping[int, int]], ResultLog]
    clock: Callable[[], float] = time.monotonic
    _held: set[AnswerSource] = field(default_factory=set, init=False)
    _scans: list[_Scan] = field(default_factory=list, init=False)
    _raised_at: float = field(default=0.0, init=False)

    @property
    def told(self) -> set[AnswerSource]:
        """Return the sources of which everything before the own answers is told."""
        return self._held.difference(*(scan.sources for scan in self._scans))

    def step(self, sources: Set[AnswerSource]) -> None:
        """Note the sources that are held now, and restore what has arrived. Never waits for records.

        To be called when callers are told of all that was committed here. Raises TransientError; then the sources
        are caught up anew.
        """
        self._held &= sources
        if new := frozenset(sources - self._held):
            told = self.slots.told()
            firsts: dict[int, int] = {}
            for source in new:
                offset = told.get(source, 0)
                firsts[source.partition] = min(offset, firsts.get(source.partition, offset))
            self._scans.append(_Scan(new, self.open_log(firsts)))
            self._held |= new
        for scan in list(self._scans):
            self._advance(scan)
        if self.clock() - self._raised_at >= _RAISE_SECONDS:
            self._raise_quiet()

    def _advance(self, scan: _Scan) -> None:
        try:
            if records := scan.results.take(_TAKE_RECORDS, 0.0):
                self.rebuilder.restore(records)
        except TransientError:
            self._held -= scan.sources
            self._end(scan)
            raise
        if scan.results.is_done:
            self._end(scan)

    def _raise_quiet(self) -> None:
        """Raise the offsets of quiet sources, orders above all, so that the next owner need not read far.

        Another source of the same partition was told up to there, and what is still to come from this one will lie
        behind: nothing of it is under way.
        """
        known = self.slots.told()
        highest: dict[int, int] = {}
        for source, offset in known.items():
            highest[source.partition] = max(offset, highest.get(source.partition, 0))
        quiet = {
            one: highest[one.partition] for one in self.told if highest.get(one.partition, 0) > known.get(one, 0)
        }
        if quiet:
            self.slots.finish({}, quiet)
        self._raised_at = self.clock()

    def _end(self, scan: _Scan) -> None:
        self._scans.remove(scan)
        scan.results.close()
