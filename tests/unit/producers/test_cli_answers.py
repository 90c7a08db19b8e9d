"""Which answers a redrive finds in the results, whatever else lies there."""

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.messages import TranslationResult
from schemas.records import InboundRecord
from schemas.topics import RESULTS
from stream_apps.redrive import sources

CODEC = Codec()


def record(offset: int, value: bytes | None, key: bytes = b"r1") -> InboundRecord:
    return InboundRecord(RESULTS, 0, offset, key, value)


def answer(version: int) -> bytes:
    return CODEC.encode(TranslationResult(request_id="r1", status="COMPLETED", version=version))


@pytest.mark.parametrize("spoiled", [b"", b"{}", b"\xc3\x01", answer(3)[:-5], None])
def test_a_record_of_a_wanted_request_that_is_no_result_is_passed_over(monkeypatch, spoiled):
    records = [record(0, answer(1)), record(1, answer(2)), record(2, spoiled), record(3, answer(9), b"other")]
    monkeypatch.setattr(sources, "_whole", lambda _kafka, _topic: records)

    found = sources.read_answers(KafkaSettings(), CODEC, {"r1"}, lambda read, _what: read)

    assert {name: (one.version, one.offset) for name, one in found.items()} == {"r1": (2, 1)}
