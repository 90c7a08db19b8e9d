"""Make deterministic ids: the same input always gets the same id, so that a repeat can be recognised."""

import hashlib
import uuid
from typing import NamedTuple

# One namespace for every id derived by Dragoman; changing it would make replays look like new work.
_NAMESPACE = uuid.UUID("6f1d1a52-3c7e-5b0e-9c55-d1a60ab0c0de")
# The two upper bits of the digit become 10.
_VARIANTS = {f"{digit:x}": f"{digit & 0x3 | 0x8:x}" for digit in range(16)}


def new_request_id() -> str:
    """Make a random id for a request that came without one."""
    return str(uuid.uuid4())


class JobKey(NamedTuple):
    """The identity of a request. As text `tenant/request_id`: the key in Kafka, in Redis and in object names.

    A tenant holds no slash (schemas.validity.check_tenant), so two requests never share a text.
    """

    tenant: str
    request_id: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.request_id}"

    def encode(self) -> bytes:
        """Return the text in UTF-8, as Kafka's key."""
        return str(self).encode()

    @classmethod
    def parse(cls, text: str) -> "JobKey":
        """Read the text form. A text without a slash is no key: it gives an empty request_id, which nobody has."""
        tenant, _, request_id = text.partition("/")
        return cls(tenant, request_id)

    @classmethod
    def decode(cls, key: bytes | None) -> "JobKey":
        """Read Kafka's key, whoever wrote it."""
        return cls.parse((key or b"").decode(errors="replace"))


TENANTS_FOLDER = "tenants"
# In the folder of each tenant: what HTTP and assembly write there, and the work of documents.
REQUEST_TEXTS, RESULT_TEXTS, JOBS_FOLDER = "requests", "results", "jobs"
# Where a tenant, or HTTP in its name, puts the files to be translated.
INBOX = "inbox"


def tenant_folder(tenant: str) -> str:
    """Name the folder of the object store below which everything of a tenant lies; it ends in a slash."""
    return f"{TENANTS_FOLDER}/{tenant}/"


def inbox_folder(tenant: str) -> str:
    """Name the folder of a tenant's files to be translated; it ends in a slash."""
    return f"{tenant_folder(tenant)}{INBOX}/"


def job_folder(key: JobKey) -> str:
    """Name the folder of everything that is kept of a document; it ends in a slash."""
    return _of_job(f"{tenant_folder(key.tenant)}{JOBS_FOLDER}/", key)


def job_inbox(key: JobKey) -> str:
    """Name the folder of the file that HTTP took for a document; it ends in a slash."""
    return _of_job(inbox_folder(key.tenant), key)


def request_texts(key: JobKey) -> str:
    """Name the folder of the text that HTTP took and Kafka would not; it ends in a slash."""
    return _of_job(f"{tenant_folder(key.tenant)}{REQUEST_TEXTS}/", key)


def result_texts(key: JobKey) -> str:
    """Name the folder of the translations of a request that Kafka would not take; it ends in a slash."""
    return _of_job(f"{tenant_folder(key.tenant)}{RESULT_TEXTS}/", key)


def _of_job(folder: str, key: JobKey) -> str:
    return f"{folder}{fingerprint(key.encode())}/"


def batch_id(key: JobKey, batch_number: int) -> str:
    """Name a batch of a request: `tenant/request_id/3`."""
    return f"{key}/{batch_number}"


def event_id(*parts: str | int) -> str:
    """Make a UUIDv5 (RFC 9562) over the parts: the same usage counted twice has the same id.

    Python's own takes five times as long, and each answer needs one.
    """
    name = "/".join(map(str, parts)).encode()
    digits = hashlib.sha1(_NAMESPACE.bytes + name, usedforsecurity=False).hexdigest()
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def fingerprint(payload: bytes) -> str:
    """Hash a payload to 32 hexadecimal digits."""
    return hashlib.blake2b(payload, digest_size=16).hexdigest()
