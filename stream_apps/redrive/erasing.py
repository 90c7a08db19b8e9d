"""Order the erasure of every request of a tenant, whether it is answered or on its way."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.own_topics import request_of
from schemas.records import InboundRecord, OutboundRecord, told_erased
from schemas.states import ControlAction
from schemas.topics import CONTROL, RESULTS, all_request_topics
from stream_apps.runtime.sending import RecordSender

_AT_ONCE = 500


@dataclass(frozen=True)
class TenantEraser:
    """`read` yields all committed records of a topic. `now_ms`: milliseconds since the epoch.

    Each of `own_tenants` has topics of its own.

    What is sent after `find` has read it is not found: refuse the tenant's requests first. Raises TransientError.
    """

    read: Callable[[str], Iterable[InboundRecord]]
    producer: RecordSender
    codec: Codec
    now_ms: Callable[[], int]
    own_tenants: Collection[str] = ()

    def find(self, tenant: str) -> list[JobKey]:
        """Return the requests of the tenant that Kafka still knows of and that are not erased. Blocks."""
        found: dict[JobKey, bool] = {}
        for topic in all_request_topics([tenant] if tenant in self.own_tenants else ()):
            for record in self.read(topic):
                if (key := self._key(record)) and key.tenant == tenant:
                    found[key] = False
        for record in self.read(RESULTS):
            if (key := JobKey.decode(record.key)).tenant == tenant:
                found[key] = told_erased(record.headers) is not None
        return [key for key, is_erased in found.items() if not is_erased]

    def order(self, keys: Iterable[JobKey], requested_by: str) -> Iterator[JobKey]:
        """Order them to be erased, and yield each whose order Kafka has stored."""
        waiting = list(keys)
        for start in range(0, len(waiting), _AT_ONCE):
            some = waiting[start : start + _AT_ONCE]
            self.producer.send([self._order(key, requested_by) for key in some])
            yield from some

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
