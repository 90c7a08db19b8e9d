"""What a rebuild takes from a result: markers, and the answer where HTTP still shows it; what interrupts it."""

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

import pytest

from connectors.memory import InMemorySlots
from connectors.redis.state_epoch import Rebuild, StateIdentity, StateLostError
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.messages import TranslationResult
from schemas.records import MOST_REVISIONS, InboundRecord, revisions_up_to
from schemas.slots import AnswerOrder, AnswerSource, Told, Verdict
from schemas.topics import ASSEMBLY_TOPICS
from stream_apps.assembly.recovery import CatchUp, Reach, Rebuilder, Recovery
from tests.keys import key, revision

CODEC = Codec()
HOUR_MS = 3_600_000
NOW = 100 * HOUR_MS


def record(request_id: str, version: int = 1, at_ms: int = NOW, has_header: bool = True) -> InboundRecord:
    value = CODEC.encode(TranslationResult(request_id=request_id, version=version))
    headers = {"version": str(version).encode()} if has_header else {}
    return InboundRecord("translation.results", 0, 7, key(request_id).encode(), value, headers, at_ms)


def rebuilt(*records: InboundRecord) -> Rebuilder:
    rebuilder = Rebuilder(InMemorySlots(), CODEC, show_after_ms=lambda: NOW - HOUR_MS)
    rebuilder.restore(records)
    return rebuilder


def is_answered(rebuilder: Rebuilder, request_id: str, number: int = 1, tenant: str = "default") -> bool:
    (decision,) = rebuilder.slots.decide([AnswerOrder(revision(request_id, number, tenant), "c-0-1")])
    return decision.verdict is Verdict.ANSWERED


def test_an_answered_request_is_answered_for_good_and_another_is_not():
    found = rebuilt(record("a"))
    assert (is_answered(found, "a"), is_answered(found, "b")) == (True, False)
    assert not is_answered(found, "a", tenant="globex")


def test_a_correction_stands_for_the_answers_that_it_replaced_but_not_for_the_next():
    for has_header in (True, False):
        found = rebuilt(record("a", version=2, has_header=has_header))
        assert [is_answered(found, "a", number) for number in (1, 2, 3)] == [True, True, False]


def test_recent_answers_are_shown_again_and_older_ones_are_not():
    found = rebuilt(record("old", at_ms=NOW - HOUR_MS - 1), record("new"), record("new", version=2))
    assert isinstance(found.slots, InMemorySlots)
    assert found.slots.results.get(key("old")) is None
    assert CODEC.decode(found.slots.results.get(key("new")), TranslationResult).version == 2


def test_a_record_without_key_or_value_is_no_answer():
    rebuilt(
        InboundRecord("translation.results", 0, 1, None, b"x"),
        InboundRecord("translation.results", 0, 2, b"default/a", None),
    )


def test_an_unreadable_answer_is_an_answer():
    assert is_answered(rebuilt(InboundRecord("translation.results", 0, 1, b"default/a", b"rubbish")), "a")


def test_nobody_is_made_to_write_markers_without_end():
    assert len(revisions_up_to(999_999)) == MOST_REVISIONS
    assert list(revisions_up_to(3)) == [1, 2, 3]


@pytest.mark.parametrize("spoiled", [b"", b"0", b"-1", b"9" * 5_000, b"1001", "\u00b2".encode(), b"\xb2", b"two"])
def test_a_spoiled_version_header_counts_as_none(spoiled):
    sound = record("a", version=2)
    found = rebuilt(replace(sound, headers={"version": spoiled}))
    assert [is_answered(found, "a", number) for number in (1, 2, 3)] == [True, True, False]


def test_a_result_of_no_version_still_answers_its_request():
    assert is_answered(rebuilt(record("a", version=-3, has_header=False)), "a")


def test_an_empty_state_is_rebuilt_whole_and_one_thrown_back_from_its_last_use():
    reach = Reach(whole_ms=50 * HOUR_MS, margin_ms=10)
    assert reach.since_ms(StateIdentity("", "run", None), NOW) == NOW - 50 * HOUR_MS
    assert reach.since_ms(StateIdentity("a:other", "run", NOW - HOUR_MS), NOW) == NOW - HOUR_MS - 10
    assert reach.since_ms(StateIdentity("a:other", "run", NOW - 90 * HOUR_MS), NOW) == NOW - 50 * HOUR_MS


class AwayEpoch:
    """A state that was known and does not answer any more."""

    is_known = True

    def confirm(self) -> None:
        raise TransientError("Redis is away")


def test_who_has_nothing_to_do_says_at_every_take_that_the_state_is_away():
    recovery = Recovery(
        cast(Any, AwayEpoch()),
        cast(Any, lambda _since_ms, _reached: None),
        rebuilt(),
        Reach(0, 0),
        1.0,
        now_ms=lambda: NOW,
        clock=lambda: 10.0,
    )
    for _ in range(3):
        with pytest.raises(TransientError, match="Redis is away"):
            recovery.ensure(is_idle=True)


@dataclass
class LostEpoch:
    """A state that is lost until somebody settles it."""

    reached: dict[int, int] = field(default_factory=dict)
    is_known = False
    is_settled = False

    def look(self) -> StateIdentity:
        return StateIdentity("new:run" if self.is_settled else "", "run", None)

    def begin(self, found: StateIdentity) -> Rebuild:
        return Rebuild(found, "key", dict(self.reached))

    def reach(self, _rebuild: Rebuild, reached: dict[int, int]) -> None:
        self.reached |= reached

    def settle(self, _rebuild: Rebuild) -> bool:
        self.is_settled = True
        return True

    def adopt(self, _found: StateIdentity) -> None:
        self.is_known = True


@dataclass
class Answers:
    """The log of three answers, two of them in one take."""

    first: int
    share = 0.0

    @property
    def is_done(self) -> bool:
        return self.first >= 3

    def take(self, _limit: int, _timeout_seconds: float) -> list[InboundRecord]:
        taken = range(self.first, min(self.first + 2, 3))
        self.first += 2
        return [replace(record(f"r{number}"), offset=number) for number in taken]

    def close(self) -> None:
        pass


class Outage:
    """Kafka or Redis does not answer, that many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def pass_through(self) -> None:
        self.times -= 1
        if self.times >= 0:
            raise TransientError("away")


def recovering(epoch: LostEpoch, kafka: Outage, redis: Outage) -> Recovery:
    class Slots(InMemorySlots):
        def finish(self, completions, told=MappingProxyType({})):
            redis.pass_through()
            super().finish(completions, told)

    def open_log(_since_ms, reached):
        kafka.pass_through()
        return Answers(reached.get(0, 0))

    rebuilder = Rebuilder(Slots(), CODEC, show_after_ms=lambda: NOW)
    return Recovery(
        cast(Any, epoch), open_log, rebuilder, Reach(HOUR_MS, 0), 1.0, now_ms=lambda: NOW, clock=lambda: 0.0
    )


@pytest.mark.parametrize(("kafka", "redis"), [(0, 0), (1, 0), (0, 1), (2, 2)])
def test_a_rebuild_that_kafka_or_redis_interrupts_is_begun_again_and_misses_no_answer(kafka, redis):
    recovery = recovering(LostEpoch(), Outage(kafka), Outage(redis))
    for _ in range(kafka + redis):
        with pytest.raises(TransientError, match="away"):
            recovery.ensure(is_idle=False)
    with pytest.raises(StateLostError):
        recovery.ensure(is_idle=False)
    recovery.ensure(is_idle=False)
    assert [is_answered(recovery.rebuilder, f"r{number}") for number in range(4)] == [True, True, True, False]


def test_what_an_interrupted_rebuild_has_restored_is_not_read_again():
    epoch = LostEpoch({0: 2})
    with pytest.raises(StateLostError):
        recovering(epoch, Outage(0), Outage(0)).ensure(is_idle=False)
    assert (epoch.is_settled, epoch.reached) == (True, {0: 3})


@dataclass
class Partition:
    """What a scan of some partitions of the results finds, take by take."""

    takes: list
    is_closed: bool = False
    share = 0.0

    @property
    def is_done(self) -> bool:
        return not self.takes

    def take(self, _limit: int, _timeout_seconds: float) -> list[InboundRecord]:
        taken = self.takes.pop(0) if self.takes else []
        if isinstance(taken, Exception):
            raise taken
        return taken

    def close(self) -> None:
        self.is_closed = True


def answer(request_id: str, partition: int, offset: int) -> InboundRecord:
    return replace(record(request_id), partition=partition, offset=offset)


BATCHES, ORDERS = (AnswerSource(topic, 1) for topic in ASSEMBLY_TOPICS)


def catching_up(*scans: Partition, told: Told | None = None) -> tuple[CatchUp, list]:
    asked: list = []
    left = iter(scans)
    slots = InMemorySlots()
    slots.finish({}, told or {})

    def open_log(offsets):
        asked.append(dict(offsets))
        return next(left)

    rebuilder = Rebuilder(slots, CODEC, show_after_ms=lambda: 0)
    return CatchUp(slots, rebuilder, open_log, clock=lambda: 100.0), asked


def test_whoever_gets_a_source_tells_what_lies_behind_the_offset_that_was_told():
    scan = Partition([[answer("a", 1, 7)], []])
    catch_up, asked = catching_up(scan, told={BATCHES: 7, ORDERS: 5})
    catch_up.step({BATCHES, ORDERS})
    assert (asked, catch_up.told) == ([{1: 5}], set())
    assert is_answered(catch_up.rebuilder, "a")
    catch_up.step({BATCHES, ORDERS})
    assert (catch_up.told, scan.is_closed) == ({BATCHES, ORDERS}, True)
    catch_up.step({BATCHES, ORDERS})
    assert len(asked) == 1


def test_a_source_that_goes_and_comes_back_is_caught_up_again():
    catch_up, asked = catching_up(Partition([]), Partition([]), Partition([]))
    catch_up.step({BATCHES})
    catch_up.step(set())
    assert catch_up.told == set()
    catch_up.step({BATCHES})
    assert (catch_up.told, len(asked)) == ({BATCHES}, 2)


def test_a_catch_up_that_kafka_interrupts_is_begun_again():
    broken, whole = Partition([TransientError("away"), []]), Partition([[answer("a", 1, 3)]])
    catch_up, asked = catching_up(broken, whole)
    with pytest.raises(TransientError):
        catch_up.step({BATCHES})
    assert (broken.is_closed, catch_up.told) == (True, set())
    catch_up.step({BATCHES})
    assert (len(asked), catch_up.told, is_answered(catch_up.rebuilder, "a")) == (2, {BATCHES}, True)


def test_a_quiet_source_keeps_up_with_the_other_one():
    catch_up, _ = catching_up(Partition([]), told={BATCHES: 90, ORDERS: 5})
    catch_up.step({ORDERS})
    assert catch_up.slots.told() == {BATCHES: 90, ORDERS: 90}
