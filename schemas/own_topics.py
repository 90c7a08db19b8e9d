"""What the topics of a tenant with Kafka access of its own decide: whose a request and an order is. Pure.

A record tells nothing of who sent it, but Kafka lets only that tenant write to its own topics. So there the topic
decides the tenant, as it decides the priority (docs/decisions/0049). In shared topics the message does.
"""

from collections.abc import Sequence
from typing import TypeVar

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.messages import DEFAULT_TENANT, RequestMessage, TranslationRequest, changed
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.topics import tenant_of_topic
from schemas.validity import check_tenant

WRONG_TENANT = "tenant_contradicts_topic"
_NAMES_NONE = ("", DEFAULT_TENANT)
_LONGEST_SHOWN = 40

M = TypeVar("M", bound=RequestMessage)


def request_of(record: InboundRecord, codec: Codec) -> TranslationRequest:
    """Decode a request, as its topic's tenant sent it. Raises PermanentError, and TransientError as the codec."""
    return _of_its_tenant(codec.decode(record.value, TranslationRequest, record.headers), record.topic)


def order_of(record: InboundRecord, codec: Codec) -> JobControl:
    """Decode an order in the same way; in an own topic its request is as old as Kafka says the order is."""
    order = _of_its_tenant(codec.decode(record.value, JobControl, record.headers), record.topic)
    if order.job is None or tenant_of_topic(record.topic) is None:
        return order
    return changed(order, job=changed(order.job, accepted_at=record.timestamp_ms))


def check_own_tenants(tenants: Sequence[str]) -> None:
    """Check the names of tenants that are to have topics of their own. Raises PermanentError naming the first.

    A tenant is a DNS label. So its name fits a topic's, two names never differ in `.` and `_` alone, which Kafka's
    metrics take for the same, and none reaches into the topics of another one.
    """
    for at, tenant in enumerate(tenants):
        check_tenant(tenant)
        if tenant in tuple(Priority):
            raise _refused(tenant, "is the name of a priority", "a name that is no priority")
        if tenant in tenants[:at]:
            raise _refused(tenant, "is named twice", "each tenant once")


def _of_its_tenant(message: M, topic: str) -> M:
    tenant = tenant_of_topic(topic)
    if tenant is None or message.tenant == tenant:
        return message
    if message.tenant in _NAMES_NONE:
        return changed(message, tenant=tenant)
    shown = message.tenant[:_LONGEST_SHOWN].encode("unicode_escape").decode()
    raise PermanentError(
        WRONG_TENANT,
        f"tenant is '{shown}', but the topic is that of {tenant}",
        field="tenant",
        limit=tenant,
        cure="leave tenant out, or name the tenant of the topic",
    )


def _refused(tenant: str, what: str, limit: str) -> PermanentError:
    return PermanentError(
        "bad_own_tenant",
        f"tenant {tenant} {what}",
        field="tenants",
        limit=limit,
        cure="name it otherwise, or leave it out of DRAGOMAN_KAFKA_TENANTS",
    )
