"""Letters of all processes: fitted to Kafka, rationed, counted."""

import pytest
from prometheus_client import REGISTRY

from connectors.dead_letters.ration import TokenBucket
from connectors.dead_letters.settings import DeadLetterSettings
from connectors.dead_letters.writer import open_dead_letters
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import DeadLetter
from schemas.records import InboundRecord
from schemas.redrive import attempt_header
from schemas.topics import DEAD_LETTERS
from tests.letters import letter_writer

CODEC = Codec()
BAD = PermanentError("empty_text", "text is empty", field="text", limit="1 character", cure="send text")


def inbound(value=b"v", **headers):
    return InboundRecord("in", 2, 7, b"k", value, {"h": b"1", **headers}, 5)


def written(writer, record):
    return CODEC.decode(writer.record_of(writer.letter_of(record, BAD)).value, DeadLetter)


def counted(name, **labels):
    return REGISTRY.get_sample_value(f"dragoman_dead_letters{name}_total", labels) or 0.0


def test_a_letter_has_the_original_its_place_and_what_to_do_about_it():
    out = letter_writer("intake").record_of(letter_writer("intake").letter_of(inbound(), BAD))
    letter = CODEC.decode(out.value, DeadLetter)
    assert (out.topic, out.key) == (DEAD_LETTERS, letter.dead_letter_id.encode())
    assert (letter.key, letter.value, letter.headers, letter.timestamp) == (b"k", b"v", {"h": b"1"}, 5)
    assert (letter.topic, letter.partition, letter.offset) == ("in", 2, 7)
    assert (letter.stage, letter.cause, letter.field, letter.limit, letter.cure, letter.attempt) == (
        *("intake", "empty_text", "text", "1 character", "send text", 1),
    )


def test_a_record_that_was_sent_again_fails_with_the_next_attempt():
    assert written(letter_writer("intake"), inbound(**attempt_header(4))).attempt == 4


@pytest.mark.parametrize("nonsense", [b"", b"x", b"-1", b"99999999999", b"0"])
def test_a_foreign_attempt_header_counts_as_the_first(nonsense):
    assert written(letter_writer("intake"), inbound(attempt=nonsense)).attempt == 1


def test_an_original_too_large_for_kafka_stays_in_its_topic():
    letter = written(letter_writer("intake", max_message_bytes=10_000), inbound(b"x" * 10_000))
    assert (letter.value, letter.key, letter.headers) == (None, None, {})
    assert (letter.topic, letter.partition, letter.offset, letter.cause) == ("in", 2, 7, "empty_text")


def test_originals_beyond_the_ration_stay_in_their_topics_and_are_counted():
    before = counted("_rationed", stage="status"), counted("", stage="status", cause="empty_text")
    writer = letter_writer("status", burst_bytes=1000)
    values = [written(writer, inbound(b"x" * 300)).value for _ in range(4)]
    assert values == [b"x" * 300, b"x" * 300, None, None]
    assert counted("_rationed", stage="status") - before[0] == 2
    assert counted("", stage="status", cause="empty_text") - before[1] == 4


def test_the_ration_is_there_again_after_a_quiet_time():
    seconds = [0.0]
    ration = TokenBucket(10.0, 100, lambda: seconds[0])
    assert ration.grants(100)
    assert not ration.grants(1)
    seconds[0] = 5.0
    assert ration.grants(50)
    assert not ration.grants(1)
    seconds[0] = 1000.0
    assert not ration.grants(101)
    assert ration.grants(100)


def test_a_ration_of_nothing_leaves_every_original_where_it_is():
    letters = open_dead_letters("intake", CODEC, DeadLetterSettings(bytes_per_second=0, burst_bytes=0), 100_000)
    assert written(letters, inbound()).value is None


def test_the_ration_can_be_set_and_a_misspelt_one_is_refused(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_DEAD_LETTERS_BYTES_PER_SECOND", "7")
    assert DeadLetterSettings().bytes_per_second == 7
    monkeypatch.setenv("DRAGOMAN_DEAD_LETTERS_BYTES", "7")
    with pytest.raises(ValueError, match="DRAGOMAN_DEAD_LETTERS_BYTES"):
        DeadLetterSettings()
