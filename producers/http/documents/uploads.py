"""Accept files: the form of an upload, and how it becomes a request whose file is in the object store.

A form is read part by part; what is longer than a megabyte waits on disk, so the size of files costs no memory.
"""

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Json, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from connectors.object_files import Written
from producers.http.admission.caller import Caller
from producers.http.errors import BodyTooLarge, NoForm, OverloadedError
from producers.http.moments import Moment
from producers.http.ports import Ports, Upload
from producers.http.tracing import name_in_log
from producers.http.translations.submission import Envelope, Glossary, RequestId, Tenant, Text
from producers.http.translations.submit import (
    SubmissionContext,
    ValidSubmission,
    check_admission,
    checked,
    chosen_priority,
    give_back,
    request_id_of,
    with_share,
)
from producers.http.translations.wishes import with_wishes
from schemas.errors import DragomanError, PermanentError
from schemas.ids import JobKey, event_id, job_inbox
from schemas.languages import AUTO
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from stream_apps.pipeline.deadline_policy import DeadlinePolicy
from stream_apps.pipeline.request_limits import RequestLimits

# Of a form: its fields, and the characters of each that is no file.
_MOST_FIELDS, _LONGEST_FIELD = 64, 100_000
_RETRY_AFTER_SECONDS = 2


def _priority_name(value: str) -> str | int:
    return int(value) if value.isdecimal() and len(value) <= 3 else value  # a score has three digits


class DocumentForm(BaseModel):
    """The fields beside the file: what a submission of a text has, too; maps are JSON."""

    model_config = ConfigDict(extra="forbid")

    target_language: str = Field(description="BCP-47.")
    source_language: str = Field(default=AUTO, description="BCP-47, or auto to have it detected.")
    priority: Annotated[str | int, AfterValidator(lambda value: _priority_name(str(value)))] = Field(
        default=Priority.STANDARD.value, description="critical, high or standard; or a score of 0 to 100."
    )
    request_id: RequestId | None = Field(default=None, description="Chosen by the caller, unique.")
    tenant: Tenant | None = Field(default=None, description="Tenant that asks and pays.")
    file_name: Text | None = Field(default=None, description="In place of the name that the part has.")
    content_type: str | None = Field(
        default=None, description="In place of the part's; application/octet-stream: recognise it."
    )
    content_sha256: str | None = Field(default=None, description="Of the file, to be checked.")
    glossaries: list[Glossary] = Field(default_factory=list, description="Glossaries; the field may be repeated.")
    do_not_translate: list[Text] = Field(
        default_factory=list, description="Words that stay as they are; the field may be repeated."
    )
    filter_options: Json[dict[Text, Text]] = Field(default_factory=dict, description="Options of the format.")
    engine_options: Json[dict[Text, Text]] = Field(default_factory=dict, description="Options of the engine.")
    metadata: Json[dict[Text, Text]] = Field(default_factory=dict, description="Echoed in the result.")
    labels: Json[dict[Text, Text]] = Field(default_factory=dict, description="For reports; echoed in the result.")
    callback: Text | None = Field(default=None, description="URL that is told when the job is finished.")
    deadline: Moment | None = Field(default=None, description="RFC 3339 with an offset.")
    late_policy: DeadlinePolicy | None = Field(default=None, description="expire or serve.")


# RFC 7578 forbids filename* in forms, so a part that has nothing else is read as a field.
_NAMELESS = {"type": "file_without_name", "loc": ("body", "file"), "msg": "its part has no filename"}
_LISTS = ("glossaries", "do_not_translate")


def form_schema() -> dict[str, Any]:
    """Describe the form for the OpenAPI document."""
    schema = DocumentForm.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs", {})
    for name, one in schema["properties"].items():
        for part, found in parts.items():
            if one.get("anyOf") and {"$ref": f"#/components/schemas/{part}"} in one["anyOf"]:
                schema["properties"][name] = {**found, "description": one.get("description", "")}
    schema["properties"] = {"file": {"type": "string", "format": "binary"}, **schema["properties"]}
    schema["required"] = ["file", *schema["required"]]
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


@dataclass
class OpenUploads:
    """Counts the uploads under way in this process: each may hold a file on disk."""

    most: int
    _count: int = field(default=0, init=False)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Count one more for as long as the context lasts. Raises OverloadedError when there are too many."""
        if self._count >= self.most:
            raise OverloadedError(
                f"{self._count} uploads are under way in this process, which is the limit", _RETRY_AFTER_SECONDS
            )
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1


@asynccontextmanager
async def uploaded(request: Request) -> AsyncIterator[tuple[DocumentForm, Upload]]:
    """Read the form of a request; its file lasts as long as the context.

    Raises NoForm for a body that is none, BodyTooLarge, RequestValidationError for a bad field.
    """
    if not is_declared_form(request):
        raise NoForm("the body is no multipart form")
    async with opened_form(request) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise RequestValidationError([_missing("file") if file is None else _NAMELESS])
        yield _form_of(form), Upload(file.file, file.filename or "", file.content_type or "")


def is_declared_form(request: Request) -> bool:
    """Tell whether the body is declared as a form with files; media types may be written in capitals."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data"


@asynccontextmanager
async def opened_form(request: Request) -> AsyncIterator[FormData]:
    """Read a multipart form; its file lasts as long as the context. Raises NoForm and BodyTooLarge."""
    form = await _read_form(request)
    try:
        yield form
    finally:
        await form.close()


async def _read_form(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD)
    except UnicodeError as error:
        raise NoForm("the charset of the form is none that a form can have") from error
    except HTTPException as error:
        if isinstance(error, BodyTooLarge):
            raise
        raise NoForm(str(error.detail), error.status_code) from error


async def prepare_document(  # noqa: PLR0913, PLR0917  # one parameter per part of the request
    form: DocumentForm,
    upload: Upload,
    envelope: Envelope,
    caller: Caller,
    ports: Ports,
    limits: RequestLimits,
) -> tuple[ValidSubmission, Written]:
    """Return the request as it may go to Kafka, with its file stored, and what the file is.

    Raises PermanentError for a bad request, TooManyRequestsError, BudgetUsedUpError, TransientError when there is
    no room.
    """
    written = await asyncio.to_thread(upload.measured)
    context = SubmissionContext(caller, limits, ports.now_ms(), envelope.idempotency_key)
    valid = _validated(form, upload, written, context)
    name_in_log(valid.request.key)
    await check_admission([valid], ports)
    # Its characters are not known before extraction.
    valid = await with_share(valid, ports)
    try:
        await ports.documents.keep(valid.request.content_ref or "", upload)
    except DragomanError:
        await give_back([valid], ports)
        raise
    return valid, written


def _validated(
    form: DocumentForm, upload: Upload, written: Written, context: SubmissionContext
) -> ValidSubmission:
    tenant = context.caller.tenant_for(form.tenant)
    priority = chosen_priority(form.priority)
    key = JobKey(tenant, request_id_of(form.request_id, context.idempotency_key, tenant))
    if form.content_sha256 not in (None, written.sha256):
        raise PermanentError(
            "content_changed",
            "the file that arrived is not the one that content_sha256 names",
            field="content_sha256",
            limit="the SHA-256 of the file, in small hexadecimal digits",
            cure="send the file again",
        )
    request = replace(_request_of(form, upload, written, key, context), priority=priority.value)
    return checked(request, priority, context, form.request_id)


def _request_of(
    form: DocumentForm, upload: Upload, written: Written, key: JobKey, context: SubmissionContext
) -> TranslationRequest:
    # The content is part of the name: a repeat asks for the same, and what was accepted is never replaced.
    # The folder is the job's own, so that it can be erased.
    ref = f"{job_inbox(key)}{event_id(str(key), written.sha256)}"
    request = TranslationRequest(
        request_id=key.request_id,
        tenant=key.tenant,
        source_language=form.source_language,
        target_language=form.target_language,
        content_ref=ref,
        content_sha256=written.sha256,
        file_name=form.file_name or upload.file_name or None,
        content_type=form.content_type or _media_type(upload),
        submitted_at=context.now_ms,
        submitted_by=context.caller.credential_id or None,
    )
    return with_wishes(request, form)


def _media_type(upload: Upload) -> str:
    # Clients guess by the name of the file, and often wrongly: what only repeats the name says nothing.
    guessed = mimetypes.guess_type(upload.file_name)[0]
    named = upload.media_type.partition(";")[0].strip().lower()
    return "application/octet-stream" if named in ("", guessed, "text/plain") else named


def _form_of(form: FormData) -> DocumentForm:
    fields: dict[str, Any] = {}
    for name in form:
        values = form.getlist(name)
        if name != "file" and not all(isinstance(value, str) for value in values):
            raise RequestValidationError([_missing(name)])
        fields[name] = values if name in _LISTS else values[-1]
    fields.pop("file", None)
    try:
        return DocumentForm.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(list(map(_of_form, error.errors(include_url=False)))) from None


def _of_form(found: ErrorDetails) -> dict[str, Any]:
    # A field that is no JSON is no body that is none.
    kind = found["type"].replace("json_invalid", "field_json_invalid")
    return {**found, "type": kind, "loc": ("body", *found["loc"])}


def _missing(name: str) -> dict[str, Any]:
    return {"type": "missing", "loc": ("body", name), "msg": "Field required"}
