"""Files through the interfaces of others: accepted as our documents are, and known by a secret of their own.

Whoever knows the secret of a file may have its translation, as in the originals. The id of its job follows from
the secret by a hash: ids stand in lists and logs, and open nothing. Nothing else is kept.
"""

import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from producers.http.admission.caller import Caller
from producers.http.compatible.reading import Parameters, mistake
from producers.http.documents.uploads import DocumentForm, is_declared_form, opened_form, prepare_document
from producers.http.middleware import submission_is_stored
from producers.http.ports import JobSnapshot, Upload
from producers.http.translations.jobs import translated
from producers.http.translations.submission import Envelope
from producers.http.translations.submit import ValidSubmission, send
from schemas.ids import JobKey

_ID_DIGITS, _SECRET_BYTES = 32, 32
_TENANT, _SECRET = re.compile(r"[a-z0-9-]{1,63}"), re.compile(r"[0-9a-f]{64}")


class FileKey(NamedTuple):
    """What opens a file: its tenant, and the secret that its sender was told."""

    tenant: str
    secret: str

    @property
    def is_sound(self) -> bool:
        """Tell whether it may be a key at all."""
        return _TENANT.fullmatch(self.tenant) is not None and _SECRET.fullmatch(self.secret) is not None

    @property
    def job(self) -> JobKey:
        """Return the job of the file."""
        return JobKey(self.tenant, hashlib.sha256(self.secret.encode()).hexdigest()[:_ID_DIGITS].upper())


@dataclass(frozen=True)
class FileWish:
    """A file and what is to become of it. `output` is the ending of another format, empty for the same."""

    upload: Upload
    source: str
    target: str
    glossaries: Sequence[str] = ()
    file_name: str = ""
    output: str = ""


@dataclass(frozen=True)
class AcceptedFile:
    """A file that is stored and may be sent to the pipeline."""

    key: FileKey
    valid: ValidSubmission
    envelope: Envelope = field(default_factory=Envelope)


@asynccontextmanager
async def uploaded_file(request: Request) -> AsyncIterator[tuple[Parameters, Upload]]:
    """Read a form with a file, which lasts as long as the context. Fields count before what is in the address.

    Raises PermanentError for a missing file, HTTPException for what is no form, OverloadedError for too many at
    once.
    """
    if not is_declared_form(request):
        raise HTTPException(415, "the body is no multipart form: send the file as one")
    async with request.app.state.uploads.one(), opened_form(request) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            missing = "file is missing" if file is None else "file has no filename"
            raise mistake("file", missing, "send the file in the field file, with its filename=")
        fields = {name: [one for one in form.getlist(name) if isinstance(one, str)] for name in form}
        in_address = {name: request.query_params.getlist(name) for name in request.query_params}
        values = in_address | {name: some for name, some in fields.items() if some}
        yield (
            Parameters(values, is_json=False),
            Upload(file.file, file.filename or "", file.content_type or ""),
        )


async def accepted_file(request: Request, caller: Caller, wish: FileWish) -> AcceptedFile:
    """Store a file and check its request as that of any document. Raises PermanentError, TransientError."""
    state = request.app.state
    key = FileKey(caller.tenant, secrets.token_hex(_SECRET_BYTES))
    form = DocumentForm(
        target_language=wish.target,
        source_language=wish.source,
        priority=state.limits.compatible_priority,
        request_id=key.job.request_id,
        file_name=wish.file_name or None,
        glossaries=list(wish.glossaries),
    )
    if wish.output:
        form.filter_options = {"output": wish.output}
    envelope = Envelope(traceparent=request.headers.get("traceparent"))
    valid, _ = await prepare_document(form, wish.upload, envelope, caller, state.ports, state.request_limits)
    return AcceptedFile(key, valid, envelope)


async def sent_file(request: Request, accepted: AcceptedFile, wait_seconds: float) -> JobSnapshot | None:
    """Send a file's request. Return its job as it is when it is answered or the time is up; None for no wait.

    Raises TransientError when nothing is promised.
    """
    state = request.app.state

    async def sent() -> None:
        await send(accepted.valid, accepted.envelope, state.ports)
        submission_is_stored(request)

    if not wait_seconds:
        await sent()
        return None
    (snapshot,) = await translated([accepted.valid], sent, state.ports, state.limits, wait_seconds)
    return snapshot
