"""The documents of DeepL, version 2: /v2/document takes a file, /{id} tells how far it is, /{id}/result has it."""

import math
from typing import Any

from fastapi import APIRouter, Request, Response

from connectors.redis.job_view import JobView
from producers.http.compatible.callers import reader_of, submitter_of
from producers.http.compatible.deepl import ERRORS, asked_languages, check_wishes, with_dictionary
from producers.http.compatible.documents import FileKey, FileWish, accepted_file, sent_file, uploaded_file
from producers.http.compatible.errors import route_class
from producers.http.compatible.reading import Parameters, read_parameters
from producers.http.documents.document_routes import download
from producers.http.errors import not_found
from producers.http.ports import JobSnapshot, Ports
from producers.http.translations.jobs import read_job
from schemas.ids import JobKey
from schemas.states import JobStage
from stream_apps.accounts.roles import Scope

_KEY = "auth_key"
UPLOAD_PATH = "/v2/document"

router = APIRouter(prefix="/v2", route_class=route_class(ERRORS), include_in_schema=False)


@router.post("/document")
async def send_document(request: Request) -> dict[str, str]:
    """Accept a file, and tell its id and the key that opens it."""
    async with uploaded_file(request) as (given, upload):
        languages = asked_languages(given)
        check_wishes(given)
        caller = submitter_of(request, given, _KEY, Scope.WRITE_DOCUMENTS)
        languages = await with_dictionary(request, caller, languages)
        name = given.text("filename") or upload.file_name
        wish = FileWish(upload, *languages, file_name=name, output=_other_format(given, name))
        accepted = await accepted_file(request, caller, wish)
    await sent_file(request, accepted, wait_seconds=0)
    return {"document_id": accepted.key.job.request_id, "document_key": accepted.key.secret.upper()}


@router.api_route("/document/{document_id}", methods=["GET", "POST"])
async def show_document(document_id: str, request: Request) -> dict[str, Any]:
    """Tell how far a document is."""
    key = await _opened(document_id, request)
    ports: Ports = request.app.state.ports
    snapshot = await read_job(key, ports, request.app.state.limits, 0)
    return {"document_id": document_id, **_status(snapshot, key, ports)}


@router.api_route("/document/{document_id}/result", methods=["GET", "POST"])
async def fetch_document(document_id: str, request: Request) -> Response:
    """Send the translated file."""
    key = await _opened(document_id, request)
    return await download(key, request, 0)


async def _opened(document_id: str, request: Request) -> JobKey:
    """Return the job of a document whose key the caller knows. Raises PermanentError for any other."""
    given = await read_parameters(request)
    caller = reader_of(request, given, _KEY, Scope.READ_DOCUMENTS)
    key = FileKey(caller.tenant, (given.text("document_key") or "").lower()).job
    if key.request_id != document_id.upper():
        raise not_found(document_id[:40])
    return key


def _other_format(given: Parameters, file_name: str) -> str:
    """Return the format that the translation is to have, empty where it is that of the file."""
    wanted = (given.text("output_format") or "").lower().lstrip(".")
    return "" if file_name.lower().endswith(f".{wanted}") else wanted


def _status(snapshot: JobSnapshot, key: JobKey, ports: Ports) -> dict[str, Any]:
    """Return the status in the original's words; its seconds are those of the queue."""
    result = snapshot.result
    if result is None:
        view = snapshot.view or JobView(key=key)
        if snapshot.is_finished:
            return {"status": "error", "error_message": "the document is no longer kept"}
        if view.stage == JobStage.ACCEPTED:
            return {"status": "queued"}
        position = ports.backpressure.position(view)
        return {"status": "translating"} | ({"seconds_remaining": math.ceil(position.seconds)} if position else {})
    if result.content_ref is None:
        return {"status": "error", "error_message": result.error_message or f"the document is {result.status}"}
    return {"status": "done", "billed_characters": result.source_characters}
