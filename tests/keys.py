"""Names of requests in tests. Without a tenant, that of a message without one."""

from schemas.ids import JobKey
from schemas.slots import RequestRevision


def key(request_id: str, tenant: str = "default") -> JobKey:
    """Return the identity of a request."""
    return JobKey(tenant, request_id)


def revision(request_id: str, number: int = 1, tenant: str = "default") -> RequestRevision:
    """Return a request, or a correction of its answer."""
    return RequestRevision(key(request_id, tenant), number)
