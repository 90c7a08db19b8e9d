"""What intake remembers of requests under way is bounded."""

import asyncio

from connectors.memory import InMemorySeenRequests
from schemas.messages import TranslationRequest
from schemas.records import InboundRecord
from stream_apps.pipeline.deduplication import RequestDeduplicator, payload_fingerprint
from tests.keys import key


def taken(deduplicator, offset):
    request = TranslationRequest(request_id=f"r{offset}", source_language="en", target_language="pt")
    record = InboundRecord("in", 0, offset, None, b"")
    return asyncio.run(deduplicator.is_repeat(request.key, payload_fingerprint(request), record)), record


def test_requests_that_a_rebalance_took_away_are_forgotten_in_the_end():
    deduplicator = RequestDeduplicator(InMemorySeenRequests(), 60, most_under_way=100)
    for offset in range(1000):
        taken(deduplicator, offset)
    assert len(deduplicator._claims) <= 100
    assert len(deduplicator._keys) <= 100


def test_the_youngest_are_remembered():
    seen = InMemorySeenRequests()
    deduplicator = RequestDeduplicator(seen, 60, most_under_way=100)
    records = [taken(deduplicator, offset)[1] for offset in range(150)]
    asyncio.run(deduplicator.delivered(records[-100:]))
    assert asyncio.run(seen.look_up(key("r149")))
    assert not deduplicator._claims
