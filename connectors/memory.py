"""The stores of the pipeline in memory: for tests, and for a platform in a single process."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from schemas.budgets import Spending
from schemas.catalogue import Catalogue, catalogue_of
from schemas.deliveries import Delivery, DeliveryKey
from schemas.errors import TransientError
from schemas.ids import JobKey
from schemas.plans import RequestPlan
from schemas.segments import Remembered
from schemas.shares import Bound, Decision, Taken, Wish, arrival
from schemas.slots import (
    AnswerOrder,
    AnswerSource,
    Arrival,
    Completion,
    ErasureDecision,
    ErasureOrder,
    RequestRevision,
    SlotDecision,
    Told,
    Verdict,
)
from schemas.tenant_erasures import TenantErasure
from schemas.topics import DAY_MS

_FINAL = " final"


class InMemorySlots:
    """Slots of open requests and the answers of finished ones. Remembers until the process ends."""

    def __init__(self) -> None:
        self.results: dict[JobKey, bytes] = {}
        self._told: dict[AnswerSource, int] = {}
        self._slots: dict[RequestRevision, dict[tuple[str, int], bytes]] = {}
        self._completers: dict[RequestRevision, str] = {}
        self._answers: dict[RequestRevision, Completion] = {}
        self.erased: dict[JobKey, str] = {}

    def decide(self, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        return [self._decide(entry) for entry in entries]

    def erase(self, orders: Sequence[ErasureOrder]) -> list[ErasureDecision]:
        return [self._erase(order) for order in orders]

    def confirm(self, claims: Mapping[RequestRevision, str] = MappingProxyType({})) -> None:
        """Look for erasures only: the state cannot be lost while the process lives."""
        if any(self.erased.get(request.key, record) != record for request, record in claims.items()):
            raise TransientError("an erasure overruled an answer that was under way")

    def finish(self, completions: Mapping[RequestRevision, Completion], told: Told = MappingProxyType({})) -> None:
        for request, done in completions.items():
            self._slots.pop(request, None)
            if done.erased_at is not None:
                self.erased[request.key] = f"{done.coordinates} {done.erased_at}"
                self.results.pop(request.key, None)
            self._completers[request], self._answers[request] = done.coordinates + _FINAL, done
            if done.encoded and (done.erased_at is not None or request.key not in self.erased):
                self.results[request.key] = done.encoded

        for source, offset in told.items():
            self._told[source] = max(offset, self._told.get(source, 0))

    def told(self) -> Told:
        return dict(self._told)

    def answered(self, requests: Sequence[RequestRevision]) -> list[bool]:
        return [self._completers.get(request, "").endswith(_FINAL) for request in requests]

    def reopen(self, requests: Sequence[RequestRevision]) -> None:
        for request in requests:
            self._completers.pop(request, None)
            self._answers.pop(request, None)
            self._slots.pop(request, None)

    def _erase(self, order: ErasureOrder) -> ErasureDecision:
        if self.erased.get(order.key, order.coordinates) != order.coordinates:
            return ErasureDecision(Verdict.ANSWERED)
        self.erased[order.key] = order.coordinates
        first = RequestRevision(order.key)
        found = {one.revision: done for one, done in self._answers.items() if one.key == order.key}
        completers = [one for request, one in self._completers.items() if request.key == order.key]
        version = max(found, default=0)
        slot = None
        if first not in self._answers:
            is_mine = self._completers.get(first, order.coordinates) == order.coordinates
            self._completers[first] = order.coordinates if is_mine else f"{order.coordinates} overruled"
            slot = next(iter(self._slots.get(first, {}).values()), None)
        is_settled = all(one == order.coordinates or one.endswith(_FINAL) for one in completers)
        return ErasureDecision(Verdict.COMPLETE, found.get(version), version, is_settled, 0, slot)

    def _decide(self, entry: Arrival | AnswerOrder) -> SlotDecision:
        if self._completers.get(entry.request, entry.coordinates) != entry.coordinates:
            return SlotDecision(Verdict.ANSWERED)
        if entry.request.revision > 1 and entry.request.key in self.erased:
            return SlotDecision(Verdict.ANSWERED)
        slots = self._slots.setdefault(entry.request, {})
        if isinstance(entry, AnswerOrder):
            self._completers[entry.request] = entry.coordinates
            return SlotDecision(Verdict.COMPLETE, tuple(slots.values())[:1])
        slots.setdefault((entry.split, entry.batch_number), entry.payload)
        # A count first: `batches` may be any number that somebody wrote.
        if sum(split == entry.split for split, _ in slots) < entry.batches:
            return SlotDecision(Verdict.WAITING)
        payloads = tuple(slots[entry.split, number] for number in range(entry.batches))
        self._completers[entry.request] = entry.coordinates
        return SlotDecision(Verdict.COMPLETE, payloads)


class InMemoryRequestPlans:
    """Plans of accepted requests. Remembers until the process ends."""

    def __init__(self, *, replaces: bool = False) -> None:
        self._plans: dict[JobKey, RequestPlan] = {}
        self._replaces = replaces

    async def look_up(self, keys: Sequence[JobKey]) -> list[RequestPlan | None]:
        return [self._plans.get(key) for key in keys]

    async def note(self, plans: Mapping[JobKey, RequestPlan]) -> None:
        self._plans = {**self._plans, **plans} if self._replaces else {**plans, **self._plans}

    async def forget(self, keys: Sequence[JobKey]) -> None:
        for key in keys:
            self._plans.pop(key, None)


class InMemoryTranslationMemory:
    """Translations by key. Remembers until the process ends."""

    def __init__(self) -> None:
        self._known: dict[str, Remembered] = {}

    def get_many(self, keys: Sequence[str]) -> list[Remembered | None]:
        return [self._known.get(key) for key in keys]

    def put_many(self, items: Mapping[str, Remembered]) -> None:
        self._known.update(items)


class FixedAnsweredRequests:
    """A fixed set of answered requests."""

    def __init__(self, *requests: RequestRevision) -> None:
        self._requests = set(requests)

    def among(self, requests: Collection[RequestRevision]) -> set[RequestRevision]:
        return self._requests & set(requests)


class FixedModelVersions:
    """Fixed model versions by pool and pair."""

    def __init__(self, versions: Mapping[str, Mapping[str, str]]) -> None:
        self._versions = versions

    async def read(self, pool: str) -> Catalogue:
        return catalogue_of(self._versions.get(pool, {}))


class InMemoryShares:
    """What tenants have taken. Remembers until the process ends; `answered` gives back what was in flight."""

    def __init__(self) -> None:
        self._tats: dict[str, float] = {}
        self._characters: dict[tuple[str, int], int] = {}
        self._in_flight: dict[str, dict[JobKey, int]] = {}

    async def take(self, wish: Wish, now_ms: int) -> Taken:
        tenant, limits = wish.key.tenant, wish.limits
        rate = Decision(0, 0, 0)
        if limits.requests_per_minute:
            tat, rate = arrival(self._tats.get(tenant, 0.0), limits.requests_per_minute, now_ms)
            if not rate.is_allowed:
                return Taken(rate, Bound.RATE)
        if bound := self._exceeded(wish, now_ms):
            return Taken(rate, bound)
        if limits.requests_per_minute:
            self._tats[tenant] = tat
        flight = self._in_flight.setdefault(tenant, {})
        if wish.key in flight:
            return Taken(rate)
        flight[wish.key] = wish.characters
        self._characters[_day(wish, now_ms)] = self._characters.get(_day(wish, now_ms), 0) + wish.characters
        return Taken(rate, at_ms=now_ms)

    async def give_back(self, wish: Wish, taken_at_ms: int) -> None:
        if self.answered(wish.key):
            self._characters[_day(wish, taken_at_ms)] -= wish.characters

    def answered(self, key: JobKey) -> bool:
        """Note that the request is answered; tell whether it was in flight."""
        return self._in_flight.get(key.tenant, {}).pop(key, None) is not None

    def _exceeded(self, wish: Wish, now_ms: int) -> Bound | None:
        limits, flight = wish.limits, self._in_flight.get(wish.key.tenant, {})
        if wish.key in flight:
            return None
        today = self._characters.get(_day(wish, now_ms), 0) + wish.characters
        if 0 < limits.characters_per_day < today:
            return Bound.DAY
        if 0 < limits.requests_in_flight <= len(flight):
            return Bound.REQUESTS_IN_FLIGHT
        if flight and 0 < limits.characters_in_flight < sum(flight.values()) + wish.characters:
            return Bound.CHARACTERS_IN_FLIGHT
        return None


def _day(wish: Wish, now_ms: int) -> tuple[str, int]:
    return wish.key.tenant, now_ms // DAY_MS


class InMemorySpending:
    """Counterpart of RedisSpending and AsyncRedisSpending."""

    def __init__(self) -> None:
        self._spending: dict[str, Spending] = {}

    def write(self, spending: Mapping[str, Spending]) -> None:
        """Replace what was written before."""
        self._spending = dict(spending)

    async def read(self) -> dict[str, Spending]:
        """Return what was written last."""
        return dict(self._spending)


class InMemoryTenantErasures:
    """Counterpart of AsyncRedisTenantErasures. Remembers until the process ends."""

    def __init__(self) -> None:
        self._known: dict[str, TenantErasure] = {}

    async def note(self, erasure: TenantErasure) -> None:
        """Replace what was known of the tenant's erasure."""
        self._known[erasure.tenant] = erasure

    async def read(self, tenant: str) -> TenantErasure | None:
        """Return the tenant's last erasure; None where there was none."""
        return self._known.get(tenant)


class InMemoryDeliveries:
    """Webhooks on their way (connectors/redis/deliveries.py). Remembers until the process ends."""

    def __init__(self) -> None:
        self._known: dict[DeliveryKey, Delivery] = {}
        self._due: dict[DeliveryKey, int] = {}
        self._is_complete = False

    def is_complete(self) -> bool:
        return self._is_complete

    def set_complete(self) -> None:
        self._is_complete = True

    def enqueue(self, deliveries: Sequence[Delivery]) -> int:
        new = [one for one in deliveries if one.key not in self._known]
        for one in new:
            self._known[one.key], self._due[one.key] = one, one.due_at
        return len(new)

    async def claim(
        self, now_ms: int, lease_until_ms: int, most: int, most_of_host: int, rooms: Mapping[str, int]
    ) -> list[Delivery]:
        taken: dict[str, int] = {}
        claimed: list[Delivery] = []
        for key, due_at in sorted(self._due.items(), key=lambda one: one[1]):
            delivery = self._known[key]
            room = rooms.get(delivery.host, most_of_host) - taken.get(delivery.host, 0)
            if due_at <= now_ms and room > 0 and len(claimed) < most:
                self._due[key] = lease_until_ms
                taken[delivery.host] = taken.get(delivery.host, 0) + 1
                claimed.append(delivery)
        return claimed

    async def settle(self, delivery: Delivery) -> None:
        self._known[delivery.key] = delivery
        self._due.pop(delivery.key, None)
        if delivery.due_at:
            self._due[delivery.key] = delivery.due_at

    async def of_job(self, job: JobKey) -> list[Delivery]:
        return sorted((one for one in self._known.values() if one.key.job == job), key=lambda one: one.key.version)
