"""Draw which requests are sent when, and through which channel. Pure: the same seed gives the same traffic."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

PRIORITIES = ("critical", "high", "standard")
_PRIORITY_WEIGHTS = (2, 4, 4)
REPEATED_AT_ONCE, REPEATED_LATER = 0.08, 0.08
_LATER_SECONDS = (3.0, 30.0)
# Half of the orders come at once, perhaps before their requests; of the others some come behind the answer.
_CANCELLED, _ERASED, _ORDERED_AT_ONCE = 0.04, 0.04, 0.5
_ORDER_SECONDS = (0.0, 15.0)
# One request in this many is for a long text: documents are rarer than tickets and chats.
LONG_ONE_IN = 1_000


# Both ask under the same request ids, each for texts of its own.
TENANTS = ("chaos-one", "chaos-two")
# It has topics of its own for what it sends by Kafka, and a copy of each of its results.
OWN_TENANT = TENANTS[1]


class Channel(StrEnum):
    """How a request enters the platform."""

    KAFKA = "kafka"
    KAFKA_DOCUMENT = "kafka, file in the object store"
    HTTP_WITH_ID = "http, id chosen by the caller"
    HTTP_WITH_KEY = "http, idempotency key"
    HTTP_WAITING = "http, waiting for the answer"
    HTTP_DOCUMENT = "http, a file in a form"


class Order(StrEnum):
    """What a caller wants done with a request: the `action` of a JobControl."""

    CANCEL = "CANCEL"
    ERASE = "ERASE"


_CHANNEL_WEIGHTS = (54, 18, 8, 8, 6, 6)


@dataclass(frozen=True)
class Request:
    """`name` is the request id, or the idempotency key. `reference` names its text."""

    name: str
    reference: str
    priority: str
    channel: Channel
    tenant: str = TENANTS[0]

    @property
    def key(self) -> str:
        """Return what identifies it where its name is the request id."""
        return key_of(self.tenant, self.name)


@dataclass(frozen=True)
class Send:
    """One moment at which a request is sent, perhaps not for the first time, or its end is ordered."""

    at_seconds: float
    request: Request
    order: Order | None = None


@dataclass(frozen=True)
class References:
    """The names of the texts. Long ones are rare, and never sent as critical requests.

    A text of 2,000 sentences takes longer than a critical request may; it would delay every critical request
    behind it.
    """

    short: Sequence[str]
    long: Sequence[str]


def traffic(seed: int, count: int, references: References, seconds: float) -> list[Send]:
    """Draw `count` requests spread evenly over the time; some are sent again, at once or later. Sorted by time.

    Each id is that of one request of every tenant. Some are cancelled or erased soon after they were sent.
    """
    chance, orders = random.Random(f"traffic {seed}"), random.Random(f"orders {seed}")
    sends: list[Send] = []
    for number in range(count):
        at = number * seconds / count
        shared, tenant = divmod(number, len(TENANTS))
        request = _request(f"chaos-{seed}-{shared:06}", TENANTS[tenant], references, chance)
        sends += [Send(at, request), *(Send(again, request) for again in _repeats(at, chance))]
        sends += _orders(at, request, orders)
    return sorted(sends, key=lambda send: send.at_seconds)


def key_of(tenant: str, request_id: str) -> str:
    """Return the key of a request: `tenant/request_id`."""
    return f"{tenant}/{request_id}"


def _request(name: str, tenant: str, references: References, chance: random.Random) -> Request:
    (priority,) = chance.choices(PRIORITIES, _PRIORITY_WEIGHTS)
    (channel,) = chance.choices(tuple(Channel), _CHANNEL_WEIGHTS)
    is_long = bool(references.long) and priority != "critical" and chance.randrange(LONG_ONE_IN) == 0
    reference = chance.choice(references.long if is_long else references.short)
    return Request(name, reference, priority, channel, tenant)


def _repeats(at: float, chance: random.Random) -> list[float]:
    drawn = chance.random()
    if drawn < REPEATED_AT_ONCE:
        return [at]
    return [at + chance.uniform(*_LATER_SECONDS)] if drawn < REPEATED_AT_ONCE + REPEATED_LATER else []


def _orders(at: float, request: Request, chance: random.Random) -> list[Send]:
    drawn, is_at_once = chance.random(), chance.random() < _ORDERED_AT_ONCE
    later = 0.0 if is_at_once else chance.uniform(*_ORDER_SECONDS)
    # Whoever gives a key instead of an id hears the id with the answer only.
    if request.channel is Channel.HTTP_WITH_KEY or drawn > _CANCELLED + _ERASED:
        return []
    return [Send(at + later, request, Order.CANCEL if drawn < _CANCELLED else Order.ERASE)]
