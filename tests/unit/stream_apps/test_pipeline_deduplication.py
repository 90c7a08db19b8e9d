"""What intake remembers of requests under way is bounded, and kept apart by tenant."""

import asyncio

import pytest

from connectors.memory import InMemoryRequestPlans
from schemas.errors import PermanentError
from schemas.plans import RequestPlan
from schemas.records import InboundRecord
from stream_apps.pipeline.deduplication import RequestDeduplicator
from tests.keys import key


def record(offset):
    return InboundRecord("in", 0, offset, None, b"")


def taken(deduplicator, offset):
    assert not deduplicator.is_claimed(key(f"r{offset}"), "payload", record(offset))
    deduplicator.plan(key(f"r{offset}"), RequestPlan(fingerprint="payload"), record(offset), waits=False)
    return record(offset)


def test_requests_that_a_rebalance_took_away_are_forgotten_in_the_end():
    deduplicator = RequestDeduplicator(InMemoryRequestPlans(), most_under_way=100)
    for offset in range(1000):
        taken(deduplicator, offset)
    assert len(deduplicator._claims) <= 100
    assert len(deduplicator._under_way) <= 100


def test_the_youngest_are_remembered():
    deduplicator = RequestDeduplicator(InMemoryRequestPlans(), most_under_way=100)
    records = [taken(deduplicator, offset) for offset in range(150)]
    asyncio.run(deduplicator.delivered(records[-100:], [()] * 100))
    (plan,) = asyncio.run(deduplicator.accepted([key("r149")]))
    assert plan == RequestPlan(fingerprint="payload")
    assert not deduplicator._claims


def test_two_tenants_claim_one_id_each_for_its_own_payload():
    deduplicator = RequestDeduplicator(InMemoryRequestPlans())
    for offset, tenant in enumerate(("acme", "globex")):
        assert not deduplicator.is_claimed(key("r1", tenant), f"payload of {tenant}", record(offset))
    assert deduplicator.is_claimed(key("r1", "acme"), "payload of acme", record(9))
    with pytest.raises(PermanentError) as refused:
        deduplicator.is_claimed(key("r1", "acme"), "payload of globex", record(9))
    assert (refused.value.cause, refused.value.field) == ("id_reused", "request_id")
