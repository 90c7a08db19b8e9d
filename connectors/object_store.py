"""Keep texts that are too large for a Kafka record, by reference: `content_ref` of requests and results.

References are relative to one configured store.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url
from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.errors import FatalError, PermanentError, TransientError
from schemas.topics import DAY_MS, REQUEST_RETENTION_MS

_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=-]*(?:/[A-Za-z0-9_][A-Za-z0-9._=-]*)*")
_LONGEST_REF = 512
_RETRY_AFTER_SECONDS = 1.0

ObjectStoreClient = obstore.store.ObjectStore


class ObjectSettings(Section):
    """DRAGOMAN_OBJECTS_*. Credentials come from the cloud's usual environment or identity."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_OBJECTS_", frozen=True, extra="forbid")

    url: str = Field(
        default="memory:///", description="file:///path, s3://bucket/prefix, gs://, az:// or memory:///"
    )
    timeout_seconds: float = Field(
        default=10.0, gt=0, description="Of one request to the store, connecting included."
    )
    retries: int = Field(default=2, ge=0, description="Inside the client, before the failure is ours.")
    job_days: int = Field(
        default=30,
        ge=0,
        description="How long texts and files of requests and results are kept, and those in inboxes; 0: for "
        "ever, otherwise longer than the week in which a request may be sent again.",
    )

    @field_validator("job_days")
    @classmethod
    def _outlives_requests(cls, days: int) -> int:
        if 0 < days * DAY_MS <= REQUEST_RETENTION_MS:
            raise ValueError(f"must be 0, or more than the {REQUEST_RETENTION_MS // DAY_MS} days of a request")
        return days

    @property
    def is_shared(self) -> bool:
        """Tell whether other processes can read what this one writes."""
        return not self.url.startswith("memory:")


class StoredText(NamedTuple):
    """A text by its reference, and when it was written, in milliseconds since 1970."""

    ref: str
    written_ms: int


class UrlObjectStore:
    """Any store that has a URL. Its client blocks."""

    def __init__(self, store: ObjectStoreClient) -> None:
        self._store = store

    def read_text(self, ref: str, limit_bytes: int) -> str:
        path = checked_ref(ref)
        with _store_errors(ref):
            found = obstore.get(self._store, path)
            _check_size(int(found.meta["size"]), limit_bytes)
            return _decoded(bytes(found.bytes()))

    def write_text(self, name: str, text: str) -> str:
        path = checked_ref(name)
        with _store_errors(name):
            obstore.put(self._store, path, text.encode())
        return path

    def texts(self, folder: str) -> Iterator[StoredText]:
        """List every text below the folder, in no order, some hundred at a time. Raises TransientError."""
        with _store_errors(folder):
            for page in obstore.list(self._store, folder):
                for found in page:
                    yield StoredText(found["path"], round(found["last_modified"].timestamp() * 1000))

    def delete(self, refs: Sequence[str]) -> None:
        """Delete these texts; one that is gone already is none of them. Raises TransientError."""
        with _store_errors("texts to delete"):
            try:
                obstore.delete(self._store, list(refs))
            except FileNotFoundError:
                # The first that is gone ends the call; what stands behind it is still there.
                self._delete_each(refs)

    def _delete_each(self, refs: Sequence[str]) -> None:
        for ref in refs:
            with suppress(FileNotFoundError):
                obstore.delete(self._store, ref)


@dataclass(frozen=True)
class NoObjectStore:
    """Stands in where no store is configured that every process can read: it refuses every text.

    `limit_bytes` is the largest text that needs no store; `cause` and `field` are those of a refused write.
    """

    limit_bytes: int
    cause: str
    field: str | None = None

    def read_text(self, ref: str, limit_bytes: int) -> str:
        raise PermanentError(
            "content_missing",
            f"content_ref {ref!r} cannot be read: no object store is configured",
            field="content_ref",
            limit=f"{limit_bytes} bytes in an object store",
            cure="set DRAGOMAN_OBJECTS_URL, then redrive or ask again",
        )

    def write_text(self, name: str, text: str) -> str:
        raise PermanentError(
            self.cause,
            f"{name} has {len(text.encode())} bytes and needs an object store",
            field=self.field,
            limit=f"{self.limit_bytes} bytes where no object store is configured",
            cure="send the text in smaller requests, or have DRAGOMAN_OBJECTS_URL set",
        )


def open_objects(settings: ObjectSettings) -> UrlObjectStore:
    """Open the store of that URL; it connects at the first use. Raises FatalError for a URL that means nothing."""
    try:
        return UrlObjectStore(open_store(settings))
    except (BaseError, ValueError, OSError) as error:
        raise FatalError(f"DRAGOMAN_OBJECTS_URL {settings.url!r} cannot be opened: {first_line(error)}") from error


def open_shared_objects(
    settings: ObjectSettings, limit_bytes: int, cause: str, field: str | None = None
) -> UrlObjectStore | NoObjectStore:
    """Open the store, or NoObjectStore where its texts could be read by this process only. Raises FatalError."""
    return open_objects(settings) if settings.is_shared else NoObjectStore(limit_bytes, cause, field)


def open_store(settings: ObjectSettings) -> ObjectStoreClient:
    """Open the library's own client for that URL. Raises what the library raises."""
    url = urlsplit(settings.url)
    if url.scheme == "memory":
        return MemoryStore()
    if url.scheme == "file":
        return LocalStore(Path(unquote(url.path)), mkdir=True)
    return from_url(
        settings.url,
        client_options={"timeout": timedelta(seconds=settings.timeout_seconds), "allow_http": True},
        retry_config={
            "max_retries": settings.retries,
            "retry_timeout": timedelta(seconds=settings.timeout_seconds),
        },
    )


def checked_ref(ref: str) -> str:
    """Return the reference. Refuses absolute paths, `..` and anything that could leave the store."""
    if len(ref) > _LONGEST_REF or not _REF.fullmatch(ref):
        raise PermanentError(
            "bad_content_ref",
            f"content_ref is {ref[:80]!r}, which is no relative path in the object store",
            field="content_ref",
            limit=f"letters, digits and ._=-/ in {_LONGEST_REF} characters; no part starts with a dot",
            cure="send the path below the configured store, such as documents/2024/a.txt",
        )
    return ref


def first_line(error: Exception) -> str:
    """Return what an error of the library says, without its long explanations."""
    return str(error).partition("\n")[0][:200]


@contextmanager
def _store_errors(ref: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise PermanentError(
            "content_missing",
            f"content_ref {ref!r} does not exist in the object store",
            field="content_ref",
            cure="store the text first, then send the request",
        ) from error
    except (BaseError, OSError) as error:
        raise TransientError(f"object store: {first_line(error)}", _RETRY_AFTER_SECONDS) from error


def _check_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise PermanentError(
            "text_too_long",
            f"content_ref names {size_bytes} bytes",
            field="content_ref",
            limit=f"{limit_bytes} bytes",
            cure="split the text into several requests",
        )


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise PermanentError(
            "content_not_utf8",
            f"content_ref names bytes that are not UTF-8 (byte {error.start})",
            field="content_ref",
            cure="store the text as UTF-8",
        ) from error
