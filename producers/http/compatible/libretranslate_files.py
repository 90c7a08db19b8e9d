"""The files of LibreTranslate: /translate_file takes one and waits, /download_file gives its translation."""

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from producers.http.compatible.callers import submitter_of
from producers.http.compatible.documents import FileKey, FileWish, accepted_file, sent_file, uploaded_file
from producers.http.compatible.errors import TranslationFailedError, route_class
from producers.http.compatible.libretranslate import ERRORS, parse_language_or_auto
from producers.http.documents.document_routes import download
from producers.http.errors import not_found
from producers.http.translations.jobs import read_job
from schemas.errors import PermanentError
from schemas.languages import parse_language
from schemas.messages import TranslationResult
from stream_apps.accounts.roles import Scope

_KEY = "api_key"
UPLOAD_PATH = "/translate_file"

router = APIRouter(route_class=route_class(ERRORS), include_in_schema=False)


@router.post(UPLOAD_PATH)
async def translate_file(request: Request) -> dict[str, str]:
    """Translate a file, and tell where its translation is; one that takes longer is waited for there."""
    async with uploaded_file(request) as (given, upload):
        source = parse_language_or_auto(given.needed("source"))
        target = str(parse_language(given.needed("target"), "target"))
        caller = submitter_of(request, given, _KEY, Scope.WRITE_DOCUMENTS)
        accepted = await accepted_file(request, caller, FileWish(upload, source, target))
    snapshot = await sent_file(request, accepted, request.app.state.limits.max_wait_seconds)
    if snapshot and snapshot.result and snapshot.result.content_ref is None:
        raise _failure(snapshot.result)
    name = f"{accepted.key.tenant}.{accepted.key.secret}.{quote(upload.file_name or 'file', safe='')}"
    return {"translatedFileUrl": f"{request.base_url}download_file/{name}"}


@router.get("/download_file/{name}")
async def download_file(name: str, request: Request) -> Response:
    """Send a translated file to whoever knows its address, as the original does."""
    tenant, _, rest = name.partition(".")
    key = FileKey(tenant, rest.partition(".")[0])
    if not key.is_sound:
        raise not_found(name[:20])
    state = request.app.state
    # Strangers must not hear which tenants there are, and which of them are suspended.
    await read_job(key.job, state.ports, state.limits, wait_seconds=0)
    state.ports.accounts.limits_of(tenant)
    return await download(key.job, request, state.limits.max_wait_seconds)


def _failure(result: TranslationResult) -> PermanentError:
    """Return why there is no file: the caller's mistake where a field of theirs is named."""
    kind = PermanentError if result.error_field else TranslationFailedError
    message = result.error_message or f"the file is {result.status}"
    return kind(result.error_cause or "failed", message, field=result.error_field)
