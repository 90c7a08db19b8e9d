"""Make deterministic ids: the same input always gets the same id, so that a repeat can be recognised."""

import hashlib
import uuid

# One namespace for every id derived by Dragoman; changing it would make replays look like new work.
_NAMESPACE = uuid.UUID("6f1d1a52-3c7e-5b0e-9c55-d1a60ab0c0de")


def new_request_id() -> str:
    """Make a random id for a request that came without one."""
    return str(uuid.uuid4())


def batch_id(request_id: str, batch_number: int) -> str:
    """Name a batch of a request: `request_id/3`."""
    return f"{request_id}/{batch_number}"


def event_id(*parts: str | int) -> str:
    """Make a UUIDv5 over the parts: the same usage counted twice has the same id."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))


def fingerprint(payload: bytes) -> str:
    """Hash a payload to 32 hexadecimal digits."""
    return hashlib.blake2b(payload, digest_size=16).hexdigest()
