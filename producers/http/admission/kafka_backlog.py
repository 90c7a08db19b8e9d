"""Read from Kafka what waits for intake and for the workers."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from connectors.kafka.group_lag import PartitionLag
from producers.http.admission.queue_load import BacklogReading, QueueCounts
from schemas.lanes import Lane
from schemas.priorities import Priority
from schemas.topics import (
    INTAKE_GROUP,
    TopicPlan,
    all_request_topics,
    batches_topic,
    inference_groups,
    request_topics,
)


class LagAdmin(Protocol):
    """The part of connectors.kafka.admin.KafkaAdmin that is needed here."""

    def lags(self, groups: Mapping[str, Sequence[str]]) -> dict[str, list[PartitionLag]]:
        """Return the lag of each group on every partition of its topics. Raises TransientError."""


@dataclass(frozen=True)
class KafkaBacklog:
    """Reads how much the groups of intake and of the workers have still to take.

    The admin client blocks, so it is called in a thread.
    """

    admin: LagAdmin
    plan: TopicPlan
    clock: Callable[[], float] = time.monotonic

    async def read(self) -> BacklogReading:
        return await asyncio.to_thread(self._read)

    def _read(self) -> BacklogReading:
        plan = self.plan
        groups: dict[str, list[str]] = {INTAKE_GROUP: all_request_topics(plan.tenants)}
        for pool in plan.pools:
            groups |= inference_groups(pool)
        lags = [lag for found in self.admin.lags(groups).values() for lag in found]
        requests = {one: _queue(lags, {*request_topics(one, plan.tenants)}) for one in Priority}
        batches = {lane: _queue(lags, {batches_topic(pool, lane) for pool in plan.pools}) for lane in Lane}
        committed = {(lag.topic, lag.partition): max(lag.committed, 0) for lag in lags}
        return BacklogReading(self.clock(), requests, batches, committed)


def _queue(lags: Sequence[PartitionLag], topics: Set[str]) -> QueueCounts:
    mine = [lag for lag in lags if lag.topic in topics]
    return QueueCounts(sum(lag.records for lag in mine), sum(max(lag.committed, 0) for lag in mine))
