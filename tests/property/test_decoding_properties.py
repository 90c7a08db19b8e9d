"""Whatever the bytes are, decoding gives a message that encodes again, or a DecodeError."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from schemas.avro_schemas import NAMES, current
from schemas.codec import Codec
from schemas.errors import DecodeError, PermanentError
from schemas.events import MESSAGES, JobControl
from schemas.records import InboundRecord, words_of

CODEC = Codec()


@given(st.sampled_from(NAMES), st.binary(max_size=200))
def test_any_body_is_a_message_or_a_decode_error(name, body):
    kind = MESSAGES[name]
    with suppress(PermanentError):
        message = CODEC.decode(b"\xc3\x01" + current(name).fingerprint + body, kind)
        assert CODEC.encode(CODEC.decode(CODEC.encode(message), kind)) == CODEC.encode(message)


@given(st.binary(max_size=40))
def test_any_value_is_a_message_or_a_decode_error(value):
    with suppress(DecodeError):
        assert isinstance(CODEC.decode(value, JobControl), JobControl)


@given(st.binary(max_size=20) | st.integers().map(lambda number: str(number).encode()))
def test_any_words_header_is_a_number_of_words(header):
    assert 1 <= words_of(InboundRecord("t", 0, 0, None, b"", {"words": header})) < 10**9
