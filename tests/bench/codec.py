"""Measure what a schema registry costs the codec: `python -m tests.bench.codec`. No server is needed.

CPU microseconds a message, single objects before and after those framed for a registry (A-B-A).
"""

import json
import time
from collections.abc import Callable
from typing import Any

from schemas.avro_schemas import NAMES, Schema, WireSchema, current, foreign
from schemas.codec import Codec, SchemaReference
from schemas.messages import Job, Message, TranslatedBatch, TranslationRequest

_MESSAGES, _SEGMENTS = 6_000, 32
_HEADERS = {"traceparent": b"0" * 55, "words": b"5"}


class KnownSchemas:
    """A registry whose answers are all remembered already."""

    def __init__(self) -> None:
        self._schemas = {at: foreign(json.dumps(current(name).published)) for at, name in enumerate(NAMES, 1)}

    def id_of(self, schema: WireSchema) -> int:
        return NAMES.index(schema.name) + 1

    def schema_of(self, reference: SchemaReference) -> Schema:
        assert isinstance(reference, int)
        return self._schemas[reference]

    def is_at_hand(self, reference: SchemaReference) -> bool:
        return reference in self._schemas


def main() -> None:
    for message in (_request(), _batch()):
        for framing in ("single object", "registry", "single object"):
            codec = Codec(KnownSchemas() if framing == "registry" else None)
            codec.look_up()
            print(f"{type(message).__name__:20} {framing:14} {_costs(codec, message)}")


def _costs(codec: Codec, message: Message) -> str:
    value, kind = codec.encode(message), type(message)

    def read() -> None:
        assert codec.is_at_hand(value, _HEADERS)
        codec.decode(value, kind, _HEADERS)

    written = _microseconds(lambda: codec.encode(message))
    return f"written {written:6.1f} us, read {_microseconds(read):6.1f} us"


def _microseconds(work: Callable[[], Any]) -> float:
    started = time.process_time()
    for _ in range(_MESSAGES):
        work()
    return (time.process_time() - started) / _MESSAGES * 1e6


def _request() -> TranslationRequest:
    return TranslationRequest(
        request_id="r1", source_language="en", target_language="pt", text="The house is big.", metadata={"a": "b"}
    )


def _batch() -> TranslatedBatch:
    return TranslatedBatch(
        request_id="r1",
        batch_number=0,
        job=Job(),
        translations=["A casa é grande."] * _SEGMENTS,
        gaps=[" "] * _SEGMENTS,
        causes=[None] * _SEGMENTS,
        scores=[0.5] * _SEGMENTS,
        cached=[False] * _SEGMENTS,
    )


if __name__ == "__main__":
    main()
