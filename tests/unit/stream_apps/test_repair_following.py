"""A comparison that reads only what is new finds what one of the whole window finds. Kafka is a few lists."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.kafka.partition_reader import Span
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import DeadLetter
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import InboundRecord, redrive_header
from schemas.topics import DEAD_LETTERS, RESULTS, requests_topic
from stream_apps.repair.following import FollowingReconciler
from stream_apps.repair.low_watermark import Watermarks
from stream_apps.repair.open_requests import LossPolicy, OpenRequest, RecordLocation
from stream_apps.repair.reconcile import OnReadProgress, ReconcileLimits, Reconciler, ReconcileReport
from tests.keys import key

CODEC = Codec()
TOPIC = requests_topic(Priority.HIGH)
LIMITS = ReconcileLimits(LossPolicy(grace_ms=0, most_redrives=3), most_ids=1_000)


class Log:
    """Topics of one partition each. `at_measuring`: what happens when the ends of a topic are measured next."""

    def __init__(self) -> None:
        self.records: dict[str, list[InboundRecord]] = {}
        self.read: list[InboundRecord] = []
        self.now_ms = 1_000_000
        self.at_measuring: dict[str, list[Callable[[], object]]] = {}
        self.corrected: set[str] = set()

    def append(self, topic: str, of: str, value: bytes, headers: dict[str, bytes] | None = None) -> InboundRecord:
        self.now_ms += 1
        stored = self.records.setdefault(topic, [])
        stored.append(InboundRecord(topic, 0, len(stored), key(of).encode(), value, headers or {}, self.now_ms))
        return stored[-1]

    def request(self, of: str, revision: int | None = None) -> InboundRecord:
        value = CODEC.encode(TranslationRequest(request_id=of, target_language="pt", text="a"))
        return self.append(TOPIC, of, value, redrive_header(revision) if revision else {})

    def result(self, of: str, version: int = 1) -> InboundRecord:
        return self.append(RESULTS, of, CODEC.encode(TranslationResult(request_id=of, version=version)))

    def refusal(self, of: InboundRecord) -> InboundRecord:
        letter = DeadLetter(
            dead_letter_id="d",
            stage="intake",
            cause="id_reused",
            message="",
            topic=of.topic,
            partition=of.partition,
            offset=of.offset,
        )
        return self.append(DEAD_LETTERS, "d", CODEC.encode(letter))

    def spans(self, topics: Sequence[str], since_ms: int) -> list[Span]:
        found = [self._span(topic, since_ms) for topic in topics]
        for topic in topics:
            if happens := self.at_measuring.get(topic):
                happens.pop(0)()
        return found

    def _span(self, topic: str, since_ms: int) -> Span:
        stored = self.records.get(topic, [])
        first = next((one.offset for one in stored if one.timestamp_ms >= since_ms), len(stored))
        return Span(topic, 0, first, len(stored))


class LogReconciler(Reconciler):
    """Reads the lists. Whatever has no answer is lost, and is sent again."""

    def watermarks(self) -> Watermarks:
        return dict.fromkeys(Priority, self.now_ms() + 1)

    def read(self, spans: Sequence[Span], name: str, on_progress: OnReadProgress) -> Iterator[InboundRecord]:
        log: Any = self.admin
        on_progress(name, 0.0)
        for span in spans:
            for record in log.records.get(span.topic, [])[span.first : span.end]:
                log.read.append(record)
                yield record

    def redrive(self, lost: Mapping[RecordLocation, OpenRequest], on_progress: OnReadProgress) -> int:
        log: Any = self.admin
        for location, request in lost.items():
            record = log.records[location.topic][location.offset]
            headers = redrive_header(request.revision)
            log.append(record.topic, record.key.decode().split("/")[1], record.value, headers)
        return len(lost)


@pytest.fixture
def log() -> Log:
    return Log()


def reconciler_of(log: Any, limits: ReconcileLimits = LIMITS) -> Reconciler:
    nothing: Any = None
    return LogReconciler(KafkaSettings(), log, nothing, CODEC, limits, lambda: log.now_ms)


@pytest.fixture
def compare(log: Log) -> Callable[..., ReconcileReport]:
    following = FollowingReconciler(reconciler_of(log))
    return lambda since_ms=0, on_progress=lambda *_: None: following.compare(since_ms, on_progress)


def test_each_record_is_read_once_but_for_the_results_of_the_last_moment(log, compare):
    log.request("a"), log.request("b"), log.result("a")
    assert compare().lost == 1
    log.read.clear()
    late = log.request("c")
    compare()
    assert [one for one in log.read if one.topic == TOPIC] == [log.records[TOPIC][2], late]
    log.read.clear()
    compare()
    assert len(log.read) == 2  # the copies that it sent itself


def test_a_request_that_stays_open_is_sent_again_until_it_is_given_up(log, compare):
    log.request("a")
    assert [compare().lost for _ in range(5)] == [1, 1, 1, 0, 0]
    assert compare().given_up == 1


def test_an_answer_that_is_read_before_its_request_closes_it(log, compare):
    # The results are measured twice, before the requests and after.
    log.at_measuring[RESULTS] = [lambda: None, lambda: (log.request("a"), log.result("a"))]
    log.at_measuring[TOPIC] = [lambda: (log.request("b", 2), log.result("b", 2))]
    assert compare().lost == 0
    assert compare().lost == 0


def test_a_repeat_of_what_was_answered_opens_nothing_while_the_answer_is_in_the_window(log, compare):
    log.request("a"), log.result("a")
    compare()
    log.request("a")
    assert compare().lost == 0


def test_what_left_the_window_is_forgotten(log, compare):
    log.request("a"), log.result("b")
    assert compare().lost == 1
    log.now_ms += 10_000
    found = compare(since_ms=log.now_ms)
    assert (found.lost, found.given_up, found.on_their_way) == (0, 0, 0)


def test_an_error_half_way_starts_over_with_the_whole_window(log, compare):
    def fails(part: str, _share: float) -> None:
        if part == "results":
            raise TransientError("the process is to stop")

    log.request("a")
    compare()
    log.request("b")
    with pytest.raises(TransientError):
        compare(on_progress=fails)
    log.read.clear()
    assert compare().lost == 2
    assert log.records[TOPIC][0] in log.read


def test_a_refusal_of_what_counts_as_open_ends_that(log, compare):
    refused = log.request("a")
    assert compare().lost == 1
    log.records[TOPIC].pop()
    log.refusal(refused)
    assert (compare().lost, compare().lost) == (0, 0)


def test_more_requests_than_memory_may_hold_are_compared_in_several_passes(log):
    for number in range(10):
        log.request(str(number))
    following = FollowingReconciler(reconciler_of(log, ReconcileLimits(LIMITS.loss_policy, most_ids=3)))
    assert following.compare(0, lambda *_: None).lost == 10


ids = st.sampled_from("abc")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("request"), ids),
        st.tuples(st.just("result"), ids),
        st.tuples(st.just("correction"), ids),
        st.tuples(st.just("corrected"), ids),
        st.tuples(st.just("refusal"), ids),
        st.tuples(st.just("race"), ids),
        st.tuples(st.just("compare"), st.none()),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=60)
@given(steps)
@example([("correction", "c"), ("corrected", "c"), ("refusal", "a"), ("compare", None), ("correction", "c")])
def test_whatever_happens_it_finds_what_a_comparison_of_everything_finds(steps):
    log = Log()
    following = FollowingReconciler(reconciler_of(log))
    for step, of in [*steps, ("compare", None)]:
        if step != "compare":
            happen(log, step, of)
            continue
        races, log.at_measuring = log.at_measuring, {}
        wanted = reconciler_of(log).reconcile(0, lambda *_: None, is_dry_run=True)
        log.at_measuring = races
        found = following.compare(0, lambda *_: None)
        assert (found.lost, found.given_up, found.on_their_way) == (
            wanted.lost,
            wanted.given_up,
            wanted.on_their_way,
        )


def happen(log: Log, step: str, of: str) -> None:
    match step:
        case "request":
            log.request(of)
        case "result":
            log.result(of)
        case "correction":
            log.corrected.add(of)
            log.request(of, revision=2)
        # An answer to a correction that nobody asked for is not one that can be.
        case "corrected" if of in log.corrected:
            log.result(of, version=2)
        case "refusal":
            if stored := log.records.get(TOPIC):
                log.refusal(stored[0])
        case "race":
            fresh = f"race-{log.now_ms}"
            log.at_measuring[RESULTS] = [lambda: None, lambda: (log.request(fresh), log.result(fresh))]
