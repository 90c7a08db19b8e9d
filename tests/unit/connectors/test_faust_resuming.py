"""Streams are resumed after a rebalance, however long Kafka was away."""

import asyncio

from connectors.faust.app import build_app
from connectors.faust.resuming import PatientRecovery
from connectors.faust.settings import FaustSettings
from connectors.kafka.settings import KafkaSettings


async def wait_for_offsets(seconds, *, limit):
    """Wait as the recovery does for the committed offsets; return whether they came."""
    recovery = build_app("g", "i", KafkaSettings(), FaustSettings()).tables.recovery  # type: ignore[attr-defined]  # Faust's type lacks it
    assert isinstance(recovery, PatientRecovery)
    arrived = asyncio.Event()

    async def ask():
        await asyncio.sleep(seconds)
        arrived.set()

    await recovery._wait(ask(), timeout=limit)
    return arrived.is_set()


def test_offsets_that_come_after_the_request_timeout_still_resume_the_streams():
    assert asyncio.run(wait_for_offsets(0.05, limit=0.01))
