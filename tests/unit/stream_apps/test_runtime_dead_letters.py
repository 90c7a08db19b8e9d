"""Records of failures, of all processes: fitted to Kafka, limited in bytes, counted."""

import pytest
from prometheus_client import REGISTRY

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.records import InboundRecord, attempt_header
from schemas.topics import DEAD_LETTERS
from stream_apps.runtime.dead_letters import DeadLetterSettings, TokenBucket, open_dead_letters
from tests.dead_letters import dead_letter_writer

CODEC = Codec()
BAD = PermanentError("empty_text", "text is empty", field="text", limit="1 character", cure="send text")


def inbound(value=b"v", **headers):
    return InboundRecord("in", 2, 7, b"k", value, {"h": b"1", **headers}, 5)


def written(writer, record):
    return CODEC.decode(writer.record_of(writer.dead_letter_of(record, BAD)).value, DeadLetter)


def counted(name, **labels):
    return REGISTRY.get_sample_value(f"dragoman_dead_letters{name}_total", labels) or 0.0


def test_a_dead_letter_has_the_original_its_place_and_what_to_do_about_it():
    out = dead_letter_writer("intake").record_of(dead_letter_writer("intake").dead_letter_of(inbound(), BAD))
    dead_letter = CODEC.decode(out.value, DeadLetter)
    assert (out.topic, out.key) == (DEAD_LETTERS, dead_letter.dead_letter_id.encode())
    assert (dead_letter.key, dead_letter.value, dead_letter.headers, dead_letter.timestamp) == (
        b"k",
        b"v",
        {"h": b"1"},
        5,
    )
    assert (dead_letter.topic, dead_letter.partition, dead_letter.offset) == ("in", 2, 7)
    assert (
        dead_letter.stage,
        dead_letter.cause,
        dead_letter.field,
        dead_letter.limit,
        dead_letter.cure,
        dead_letter.attempt,
    ) == (*("intake", "empty_text", "text", "1 character", "send text", 1),)


def test_a_record_that_was_sent_again_fails_with_the_next_attempt():
    assert written(dead_letter_writer("intake"), inbound(**attempt_header(4))).attempt == 4


@pytest.mark.parametrize("nonsense", [b"", b"x", b"-1", b"99999999999", b"0"])
def test_a_foreign_attempt_header_counts_as_the_first(nonsense):
    assert written(dead_letter_writer("intake"), inbound(attempt=nonsense)).attempt == 1


def test_an_original_too_large_for_kafka_stays_in_its_topic():
    dead_letter = written(dead_letter_writer("intake", max_message_bytes=10_000), inbound(b"x" * 10_000))
    assert (dead_letter.value, dead_letter.key, dead_letter.headers) == (None, None, {})
    assert (dead_letter.topic, dead_letter.partition, dead_letter.offset, dead_letter.cause) == (
        "in",
        2,
        7,
        "empty_text",
    )


def test_originals_beyond_the_token_bucket_stay_in_their_topics_and_are_counted():
    before = counted("_without_original", stage="status"), counted("", stage="status", cause="empty_text")
    writer = dead_letter_writer("status", burst_bytes=1000)
    values = [written(writer, inbound(b"x" * 300)).value for _ in range(4)]
    assert values == [b"x" * 300, b"x" * 300, None, None]
    assert counted("_without_original", stage="status") - before[0] == 2
    assert counted("", stage="status", cause="empty_text") - before[1] == 4


def test_the_token_bucket_is_there_again_after_a_quiet_time():
    seconds = [0.0]
    token_bucket = TokenBucket(10.0, 100, lambda: seconds[0])
    assert token_bucket.grants(100)
    assert not token_bucket.grants(1)
    seconds[0] = 5.0
    assert token_bucket.grants(50)
    assert not token_bucket.grants(1)
    seconds[0] = 1000.0
    assert not token_bucket.grants(101)
    assert token_bucket.grants(100)


def test_a_token_bucket_of_nothing_leaves_every_original_where_it_is():
    dead_letters = open_dead_letters(
        "intake", CODEC, DeadLetterSettings(bytes_per_second=0, burst_bytes=0), 100_000
    )
    assert written(dead_letters, inbound()).value is None


def test_the_token_bucket_can_be_set_and_a_misspelt_one_is_refused(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_DEAD_LETTERS_BYTES_PER_SECOND", "7")
    assert DeadLetterSettings().bytes_per_second == 7
    monkeypatch.setenv("DRAGOMAN_DEAD_LETTERS_BYTES", "7")
    with pytest.raises(ValueError, match="DRAGOMAN_DEAD_LETTERS_BYTES"):
        DeadLetterSettings()
