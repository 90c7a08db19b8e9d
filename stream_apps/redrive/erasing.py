"""Order the erasure of every request of a tenant, whether it is answered or on its way."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.ids import JobKey, fingerprint
from schemas.own_topics import request_of
from schemas.records import InboundRecord, OutboundRecord, told_erased
from schemas.states import ControlAction
from schemas.topics import CONTROL, RESULTS, all_request_topics
from stream_apps.runtime.sending import RecordSender

# Orders that are sent together.
ORDERS_AT_ONCE = 500


@dataclass(frozen=True)
class Found:
    """Some requests that are not erased. `is_last`: there are no others."""

    keys: Sequence[JobKey]
    is_last: bool


@dataclass(frozen=True)
class TenantEraser:
    """`read` yields all committed records of a topic. `now_ms`: milliseconds since the epoch.

    Each of `own_tenants` has topics of its own. `most_keys` requests are remembered at a time, 0.2 kB each; a
    tenant with more has all topics read again for each part of them. What is sent after `find` has read it is not
    found: refuse the tenant's requests first. Raises TransientError.
    """

    read: Callable[[str], Iterable[InboundRecord]]
    producer: RecordSender
    codec: Codec
    now_ms: Callable[[], int]
    own_tenants: Collection[str] = ()
    most_keys: int = 1_000_000

    def find(self, tenant: str) -> Iterator[Found]:
        """Yield the requests of the tenant that Kafka knows of and that are not erased, each once. Blocks."""
        unread = [_Part(0, 1)]
        while unread:
            part = unread.pop()
            known: dict[str, bool] = {}
            for request_id, is_erased in self._known(tenant):
                if part.holds(request_id):
                    known[request_id] = is_erased
                if len(known) > self.most_keys:
                    part, other = part.halves()
                    unread.append(other)
                    known = {one: known[one] for one in known if part.holds(one)}
            keys = [JobKey(tenant, one) for one, is_erased in known.items() if not is_erased]
            yield Found(keys, is_last=not unread)

    def order(self, keys: Iterable[JobKey], requested_by: str) -> Iterator[JobKey]:
        """Order them to be erased, and yield each whose order Kafka has stored."""
        waiting = iter(keys)
        while some := list(islice(waiting, ORDERS_AT_ONCE)):
            self.producer.send([self._order(key, requested_by) for key in some])
            yield from some

    def _known(self, tenant: str) -> Iterator[tuple[str, bool]]:
        """Yield request ids of the tenant, and whether each is erased; the last word on one counts."""
        for topic in all_request_topics([tenant] if tenant in self.own_tenants else ()):
            for record in self.read(topic):
                if (key := self._key(record)) and key.tenant == tenant:
                    yield key.request_id, False
        for record in self.read(RESULTS):
            if (key := JobKey.decode(record.key)).tenant == tenant:
                yield key.request_id, told_erased(record.headers) is not None

    def _order(self, key: JobKey, requested_by: str) -> OutboundRecord:
        order = JobControl(
            **key._asdict(),
            action=ControlAction.ERASE,
            cause="erased",
            message="erased with its tenant",
            requested_by=requested_by,
            at=self.now_ms(),
        )
        return OutboundRecord(CONTROL, key.encode(), self.codec.encode(order), {"schema": b"JobControl"})

    def _key(self, record: InboundRecord) -> JobKey | None:
        try:
            return request_of(record, self.codec).key
        except PermanentError:
            return None


@dataclass(frozen=True)
class _Part:
    """The request ids whose hash leaves the remainder `number` when it is divided by `of`."""

    number: int
    of: int

    def holds(self, request_id: str) -> bool:
        return self.of == 1 or int(fingerprint(request_id.encode()), 16) % self.of == self.number

    def halves(self) -> tuple["_Part", "_Part"]:
        return _Part(self.number, 2 * self.of), _Part(self.number + self.of, 2 * self.of)
