"""The routes of documents: a file in, its progress, its translation out."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from connectors.formats.bilingual.registry import BILINGUAL, Kind
from producers.http.admission.caller import DocumentReader, DocumentSubmitter
from producers.http.admission.queue_load import QueuePosition
from producers.http.documents.bilingual import bilingual_of
from producers.http.documents.charsets import begun, typed
from producers.http.documents.uploads import form_schema, prepare_document, uploaded
from producers.http.errors import erased, not_found, rate_headers
from producers.http.middleware import submission_is_stored
from producers.http.ports import Ports
from producers.http.problems import responses
from producers.http.settings import HttpLimits
from producers.http.translations.document_info import DocumentInfo
from producers.http.translations.jobs import read_job
from producers.http.translations.responses import AcceptedResponse, JobResponse, accepted_response, job_response
from producers.http.translations.routes import Named, WaitSeconds, job_of, status_url
from producers.http.translations.submission import Envelope
from producers.http.translations.submit import ValidSubmission, send
from schemas.errors import PermanentError
from schemas.ids import JobKey
from schemas.messages import TranslationResult

router = APIRouter(tags=["documents"])

DOCUMENTS = "/api/v1/documents"
# The same under the name that asks for a translation.
TRANSLATIONS_DOCUMENT = "/api/v1/translations/document"
UPLOAD_PATHS = frozenset({DOCUMENTS, TRANSLATIONS_DOCUMENT})

_FORM: dict[str, Any] = {"openapi_extra": {"requestBody": form_schema()}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
}


class AcceptedDocumentResponse(AcceptedResponse):
    """The file and the request are stored; there will be an answer."""

    document_info: DocumentInfo


async def document_to_read(job_id: str, caller: DocumentReader, tenant: Named = None) -> JobKey:
    """Name the job of a path, for a caller who may read documents."""
    return job_of(job_id, caller, tenant)


AskedBilingual = Annotated[
    Literal["xliff", "tmx", "html", "csv"] | None,
    Query(
        description="Source and translation side by side, as XLIFF 2, TMX, a page or a table; of a text if it "
        "was sent with keep_source."
    ),
]
DocumentToRead = Annotated[JobKey, Depends(document_to_read)]


@router.post(
    TRANSLATIONS_DOCUMENT,
    status_code=202,
    responses=responses(402),
    operation_id="submit_translation_document",
    **_FORM,
)
@router.post(DOCUMENTS, status_code=202, responses=responses(402), **_FORM)
async def submit_document(
    request: Request, response: Response, caller: DocumentSubmitter, envelope: Annotated[Envelope, Header()]
) -> AcceptedDocumentResponse:
    """Accept a file, in the field `file` of a form. 202 says that file and request are stored."""
    ports: Ports = request.app.state.ports
    async with request.app.state.uploads.one(), uploaded(request) as (form, upload):
        valid, written = await prepare_document(
            form, upload, envelope, caller, ports, request.app.state.request_limits
        )
    if valid.rate:
        response.headers.update(rate_headers(valid.rate))
    await send(valid, envelope, ports)
    submission_is_stored(request)
    response.headers["Location"] = url = status_url(request, valid.request.key, caller, "read_document")
    ahead = ports.backpressure.ahead(ports.backpressure.lane_of(valid.request, valid.priority))
    return _accepted(valid, url, ahead, ports.now_ms(), written.size)


@router.get(f"{DOCUMENTS}/{{job_id}}", responses=responses(404))
async def read_document(document: DocumentToRead, request: Request, wait: WaitSeconds = 0) -> JobResponse:
    """Show the stage and the progress of a document and, when it is finished, its result without the file."""
    ports: Ports = request.app.state.ports
    limits: HttpLimits = request.app.state.limits
    snapshot = await read_job(document, ports, limits, min(wait, limits.max_wait_seconds))
    return job_response(document, snapshot, ports.backpressure)


@router.get(
    f"{DOCUMENTS}/{{job_id}}/download",
    response_class=StreamingResponse,
    responses={**_FILE, **responses(404, 409, 410)},
)
async def download_document(
    document: DocumentToRead, request: Request, wait: WaitSeconds = 0, bilingual: AskedBilingual = None
) -> Response:
    """Send the translated file of a document; `?wait=` waits for it, `?bilingual=` asks for both languages."""
    return await download(document, request, wait, bilingual)


@router.get(
    "/api/v1/translations/{job_id}/download",
    response_class=StreamingResponse,
    responses={**_FILE, **responses(404, 409, 410)},
)
async def download_translation(
    job: DocumentToRead, request: Request, wait: WaitSeconds = 0, bilingual: AskedBilingual = None
) -> Response:
    """Send the translation of a job as a file: of a document its file, of a text its text."""
    return await download(job, request, wait, bilingual)


def _accepted(
    valid: ValidSubmission, url: str, ahead: QueuePosition | None, now_ms: int, size_bytes: int
) -> AcceptedDocumentResponse:
    request = valid.request
    info = DocumentInfo(
        file_name=request.file_name or "",
        content_type=request.content_type,
        content_bytes=size_bytes,
        pages=None,
        word_count=None,
    )
    accepted = accepted_response(valid, url, ahead, now_ms)
    return AcceptedDocumentResponse(**accepted.model_dump(), document_info=info)


async def download(key: JobKey, request: Request, wait: float, bilingual: str | None = None) -> Response:
    """Answer with the translation of a job as a file; waits for it for so many seconds at most.

    `bilingual` names a kind of file with source and translation side by side.
    Raises PermanentError where it is not finished, has no file, or is unknown, and TransientError.
    """
    ports: Ports = request.app.state.ports
    limits: HttpLimits = request.app.state.limits
    # Who has just heard of the result may be ahead of what Redis shows.
    seconds = max(min(wait, limits.max_wait_seconds), limits.grace_seconds)
    snapshot = await read_job(key, ports, limits, seconds)
    if snapshot.erased_at is not None:
        raise erased(key.request_id)
    result = snapshot.result
    if result is None:
        is_gone = snapshot.is_finished
        raise not_found(key.request_id) if is_gone else _not_there(key, "not_finished", "the job is not finished")
    if bilingual and (result.text or result.texts or result.content_ref):
        return await _bilingual(result, BILINGUAL[bilingual], ports)
    if result.text is not None:
        return Response(result.text, media_type="text/plain", headers=_of_file(result))
    if result.content_ref is None:
        raise _not_there(key, "no_file", f"the job is {result.status} ({result.error_cause}): it has no file")
    size, chunks = await ports.documents.open(result.content_ref)
    first, all_chunks = await begun(chunks)
    # Named here, or the framework would call every text UTF-8.
    kind = typed(result.content_type, first, is_whole=len(first) == size)
    headers = {**_of_file(result), "Content-Length": str(size), "Content-Type": kind}
    return StreamingResponse(_sent(all_chunks), headers=headers)


async def _bilingual(result: TranslationResult, kind: Kind, ports: Ports) -> Response:
    both = await bilingual_of(result, ports.documents)
    headers = _headers(kind.named(both))
    return StreamingResponse(kind.write(both), media_type=kind.media_type, headers=headers)


def _sent(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from chunks


def _of_file(result: TranslationResult) -> Mapping[str, str]:
    name = result.file_name or f"{result.request_id}.{result.target_language}.txt"
    etag = {"ETag": f'"{result.content_sha256}"'} if result.content_sha256 else {}
    return {**_headers(name), **etag}


def _headers(name: str) -> Mapping[str, str]:
    plain = "".join(one if one.isascii() and one not in '"\\' and one.isprintable() else "_" for one in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    # What a document brought along must not be taken for a page of this site.
    return {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}


def _not_there(key: JobKey, cause: str, message: str) -> PermanentError:
    return PermanentError(
        cause,
        message,
        field="job_id",
        limit="a finished job with a translation",
        cure=f"see GET {DOCUMENTS}/{key.request_id}",
    )
