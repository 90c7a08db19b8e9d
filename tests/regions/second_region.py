"""A region is lost. `make test-regions`; not in the default suite, because it runs two stacks and MirrorMaker."""

import time
import uuid
from collections import Counter

import pytest
from confluent_kafka import Consumer, Producer

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from deploy.regions.mirror import freshness
from deploy.regions.takeover import take_over
from schemas.codec import Codec
from schemas.messages import TranslationResult
from schemas.topics import RESULTS
from tests.outside import Outside
from tests.regions.two_regions import mirroring, two_regions

pytestmark = [pytest.mark.real, pytest.mark.timeout(360)]

CODEC = Codec()
GROUP = "customer"
MANY = 6_000


@pytest.fixture(scope="module")
def regions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regions")
    with two_regions(folder) as (a, b):
        KafkaAdmin(b.kafka).create_topics()
        with mirroring(a, b, folder) as mirror:
            yield a, b, mirror


def test_a_group_that_has_read_half_goes_on_in_the_other_region_and_misses_nothing(regions, capsys):
    a, b, mirror = regions
    ids = [f"mirrored-{number}" for number in range(MANY)]
    write_results(a.kafka.bootstrap, ids[: MANY // 2], aborted=["never-1", "never-2"])
    mirror.kill()
    mirror.start()
    write_results(a.kafka.bootstrap, ids[MANY // 2 :], aborted=["never-3"])
    read_in_a = read_results(a.kafka.bootstrap, MANY // 2)
    copied = Outside(b.kafka.bootstrap).tail(RESULTS, from_beginning=True)
    copied.until(lambda read: len(read) >= MANY, timeout_seconds=60)
    copied.more(2.0)
    # Exactly the committed records, though the mirror was killed in between.
    assert copied.counts() == Counter(ids)
    assert {one.topic: one.behind_seconds for one in freshness(a.kafka, b.kafka)}[RESULTS] == 0
    wait_for_group_offsets(b.kafka.bootstrap)
    read_in_b = read_results(b.kafka.bootstrap, MANY)
    missed = set(ids) - set(read_in_a) - set(read_in_b)
    twice = set(read_in_a) & set(read_in_b)
    say(
        capsys, f"read in A {len(read_in_a)}, then in B {len(read_in_b)}: missed {len(missed)}, twice {len(twice)}"
    )
    assert missed == set()
    assert len(read_in_b) < MANY
    copied.close()


def test_when_a_is_lost_b_serves_and_every_request_that_arrived_has_one_answer(regions, capsys, tmp_path):
    a, b, mirror = regions
    outside = Outside(a.kafka.bootstrap)
    answers_in_a, answers_in_b = outside.tail(RESULTS), Outside(b.kafka.bootstrap).tail(RESULTS)
    early = [send(outside, number) for number in range(40)]
    answers_in_b.until(lambda read: set(early) <= {one["request_id"] for one in read})
    # Long ones, so that some are under way when the region is lost.
    late = [send(outside, number, sentences=100) for number in range(60)]
    copied = Outside(b.kafka.bootstrap).tail("translation.requests.standard", from_beginning=True)
    copied.until(lambda read: set(late) <= {one["request_id"] for one in read})
    # The line is cut a moment before the region is lost: some answers are given that B never hears of.
    mirror.kill()
    answers_in_b.more(1.0)
    known_to_b = len(answers_in_b.read)
    heard = set(texts(answers_in_b.read))
    cut_off = [send(outside, number) for number in range(5)]
    # Long ones, which B has, too: the short ones that B never sees overtake them.
    answers_in_a.until(lambda read: len(set(late) & set(texts(read)) - heard) >= 3)
    a.lose()
    lost_at = time.monotonic()
    found = take_over(b.kafka, b.redis, lambda topic, records: None)
    b.start_platform()
    new = send(Outside(b.kafka.bootstrap), 1, priority="critical")
    answers_in_b.of(new)
    seconds = time.monotonic() - lost_at

    everything = {*early, *late, new}
    answers_in_b.until(lambda read: everything <= {one["request_id"] for one in read}, timeout_seconds=180)
    answers_in_b.more(3.0)
    counts = answers_in_b.counts()
    again = texts(answers_in_b.read[known_to_b:])
    twice = {request_id: text for request_id, text in texts(answers_in_a.read).items() if request_id in again}
    counted = f"{found.answered} answered, {found.open} open, {len(twice)} answered in both"
    say(capsys, f"{counted}; new answer in B {seconds:.1f} s after the loss of A")
    # A second answer has the same request_id and the same text: who has read the first one drops it.
    assert len(twice) >= 3
    assert twice == {request_id: again[request_id] for request_id in twice}
    assert {request_id: counts[request_id] for request_id in everything} == dict.fromkeys(everything, 1)
    assert found.open >= 1
    assert seconds < 60

    # A comes back, without its platform: the requests that B never saw are sent after.
    back_at = time.monotonic()
    a.start_stores()
    with mirroring(a, b, tmp_path, only_requests=True):
        answers_in_b.until(lambda read: set(cut_off) <= {one["request_id"] for one in read}, timeout_seconds=60)
    seconds = time.monotonic() - back_at
    say(capsys, f"{len(cut_off)} requests that B had never seen are answered {seconds:.1f} s after A came back")
    answers_in_b.more(2.0)
    counts = answers_in_b.counts()
    assert {one: counts[one] for one in (*everything, *cut_off)} == dict.fromkeys((*everything, *cut_off), 1)
    for tail in (copied, answers_in_a, answers_in_b):
        tail.close()


def write_results(bootstrap, ids, aborted):
    """Committed transactions of a hundred results, and an aborted one."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": "tests",
            "partitioner": "murmur2_random",
            "log_level": 2,
        }
    )
    producer.init_transactions(20)
    for start in range(0, len(ids), 100):
        producer.begin_transaction()
        for request_id in ids[start : start + 100]:
            producer.produce(RESULTS, key=request_id, value=CODEC.encode(TranslationResult(request_id=request_id)))
        producer.commit_transaction(20)
    producer.begin_transaction()
    for request_id in aborted:
        producer.produce(RESULTS, key=request_id, value=CODEC.encode(TranslationResult(request_id=request_id)))
    producer.flush(20)
    producer.abort_transaction(20)


def read_results(bootstrap, count):
    """What a customer's group reads and commits, as far as `count` records or until nothing comes."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": GROUP,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "log_level": 2,
        }
    )
    consumer.subscribe([RESULTS])
    read: list[str] = []
    silent_since = time.monotonic()
    while len(read) < count and time.monotonic() - silent_since < 8:
        messages = consumer.consume(min(100, count - len(read)), 0.5)
        read += [(message.key() or b"").decode() for message in messages if not message.error()]
        silent_since = time.monotonic() if messages else silent_since
    consumer.commit(asynchronous=False)
    consumer.close()
    return read


def wait_for_group_offsets(bootstrap):
    """Wait until the copied offsets of the group no longer change."""
    admin = KafkaAdmin(KafkaSettings(bootstrap=bootstrap))
    before, since = None, time.monotonic()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = [(lag.partition, lag.committed) for lag in admin.lag(GROUP, [RESULTS])]
        if now != before:
            before, since = now, time.monotonic()
        elif any(offset > 0 for _, offset in now) and time.monotonic() - since > 7:
            return
        time.sleep(0.5)
    raise AssertionError(f"the group was not moved: {before}")


def texts(results):
    return {one["request_id"]: one["text"] for one in results}


def send(outside, number, sentences=1, priority="standard"):
    text = " ".join(f"The garden number {number} of {n} is green." for n in range(sentences))
    return outside.send_request(priority, request_id=f"region-{number}-{uuid.uuid4().hex}", text=text)


def say(capsys, line):
    with capsys.disabled():
        print(f"\n    {line}")
