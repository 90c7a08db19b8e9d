"""What intake remembers of requests under way is bounded."""

import asyncio

from connectors.memory import InMemorySeenRequests
from schemas.messages import TranslationRequest
from schemas.records import InboundRecord
from stream_apps.pipeline.deduplication import Repeats


def taken(repeats, offset):
    request = TranslationRequest(request_id=f"r{offset}", tenant="t", source_language="en", target_language="pt")
    record = InboundRecord("in", 0, offset, None, b"")
    return asyncio.run(repeats.is_repeat(request, record)), record


def test_requests_that_a_rebalance_took_away_are_forgotten_in_the_end():
    repeats = Repeats(InMemorySeenRequests(), 60, most_under_way=100)
    for offset in range(1000):
        taken(repeats, offset)
    assert len(repeats._under_way) <= 100
    assert len(repeats._requests) <= 100


def test_the_youngest_are_remembered():
    seen = InMemorySeenRequests()
    repeats = Repeats(seen, 60, most_under_way=100)
    records = [taken(repeats, offset)[1] for offset in range(150)]
    asyncio.run(repeats.delivered(records[-100:]))
    assert asyncio.run(seen.look_up("r149"))
    assert not repeats._under_way
