"""The routes of glossaries: make a version, list, show, delete."""

from codecs import BOM_UTF8
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from producers.http.admission.caller import Caller, GlossaryWriter, Reader
from producers.http.blocking.glossaries import Glossaries
from producers.http.problems import responses
from schemas.glossaries import Glossary
from schemas.languages import LanguagePair, parse_language
from stream_apps.glossaries.changes import known_glossary
from stream_apps.glossaries.formats import MEDIA_TYPES, parsed, written
from stream_apps.glossaries.shelf import Shelf

router = APIRouter(tags=["glossaries"])

GLOSSARIES = "/api/v1/glossaries"
_ONE = f"{GLOSSARIES}/{{glossary}}"
_JSON = "application/json"

Named = Annotated[str | None, Query(description="Whose it is, for callers who may act for several tenants.")]
Version = Annotated[int | None, Query(ge=1, description="A version; the newest by default.")]
Format = Annotated[Literal["json", "csv", "tsv", "tbx"], Query(description="How the entries are written.")]


class GlossaryWish(BaseModel):
    """A new version of a glossary."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="1 to 64 of A-Z, a-z, 0-9 and . _ : - within. A known name gets a new version.")
    source_language: str = Field(description="BCP-47 tag of the terms.")
    target_language: str = Field(description="BCP-47 tag of their translations.")
    entries: dict[str, str] = Field(description="Each term and its translation.")


class GlossaryResponse(BaseModel):
    """A version of a glossary."""

    name: str
    version: int
    exact_name: str = Field(description="`name@version`: names this version and no later one.")
    source_language: str
    target_language: str
    entry_count: int
    created_at: datetime
    created_by: str
    versions: list[int] = Field(description="All versions that there are.")


class FullGlossaryResponse(GlossaryResponse):
    """A version of a glossary with its entries."""

    entries: dict[str, str]


_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string"}, "example": ""} for kind in MEDIA_TYPES}}
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "JSON; or a file, with name, source_language and target_language in the address.",
        "content": {
            _JSON: {"schema": GlossaryWish.model_json_schema()},
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES},
        },
    }
}


@router.post(GLOSSARIES, status_code=201, openapi_extra=_BODY)
async def create_glossary(caller: GlossaryWriter, request: Request, tenant: Named = None) -> GlossaryResponse:
    """Make a glossary, or the next version of one. Versions never change; `name` means the newest."""
    glossaries = _glossaries(request)
    wish = await _wish(request, caller.tenant_for(tenant), caller)
    made = await glossaries.add(wish)
    return _response(made, await glossaries.read())


@router.get(GLOSSARIES)
async def list_glossaries(caller: Reader, request: Request, tenant: Named = None) -> list[GlossaryResponse]:
    """List the glossaries of one's own tenant, each in its newest version."""
    shelf = await _glossaries(request).read()
    return [_response(one, shelf) for one in shelf.all_of(caller.tenant_for(tenant))]


@router.get(_ONE, response_model=FullGlossaryResponse, responses={**_FILES, **responses(404)})
async def read_glossary(  # noqa: PLR0913, PLR0917  # one parameter per part of the address
    glossary: str,
    caller: Reader,
    request: Request,
    version: Version = None,
    format: Format = "json",  # the name in the address
    tenant: Named = None,
) -> Response | FullGlossaryResponse:
    """Show a version with its entries: as JSON, or as a file."""
    shelf = await _glossaries(request).read()
    found = known_glossary(shelf, caller.tenant_for(tenant), _exact(glossary, version))
    if format == "json":
        return FullGlossaryResponse(**_response(found, shelf).model_dump(), entries=dict(found.entries))
    pair = LanguagePair(found.source_language, found.target_language)
    media_type = next(kind for kind, name in MEDIA_TYPES.items() if name == format)
    return Response(written(found.entries, format, pair), media_type=media_type)


@router.delete(_ONE, status_code=204, responses=responses(404))
async def delete_glossary(
    glossary: str, caller: GlossaryWriter, request: Request, version: Version = None, tenant: Named = None
) -> Response:
    """Delete a glossary with all versions, or one version. What was translated with it stays."""
    await _glossaries(request).delete(caller.tenant_for(tenant), _exact(glossary, version))
    return Response(status_code=204)


async def _wish(request: Request, tenant: str, caller: Caller) -> Glossary:
    """Read the body. Raises RequestValidationError, PermanentError for bad entries, or HTTPException."""
    kind = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    body = await request.body()
    now_ms = _glossaries(request).now_ms()
    try:
        if kind == _JSON:
            wish = GlossaryWish.model_validate_json(body.removeprefix(BOM_UTF8))
        elif kind in MEDIA_TYPES:
            named = {name: value for name, value in request.query_params.items() if name != "tenant"}
            wish = GlossaryWish.model_validate({**named, "entries": {}})
        else:
            raise HTTPException(
                415, f"the body is declared as {kind[:80]}: send {_JSON} or {', '.join(MEDIA_TYPES)}"
            )
    except ValidationError as error:
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        ) from None
    entries = wish.entries
    if kind in MEDIA_TYPES:
        pair = LanguagePair(
            str(parse_language(wish.source_language, "source_language")),
            str(parse_language(wish.target_language, "target_language")),
        )
        entries = parsed(body, MEDIA_TYPES[kind], pair, _glossaries(request).limits)
    return Glossary(
        tenant=tenant,
        name=wish.name,
        version=0,
        source_language=wish.source_language,
        target_language=wish.target_language,
        entries=entries,
        created_at=now_ms,
        created_by=f"http:{caller.credential_id}",
    )


def _exact(name: str, version: int | None) -> str:
    return name if version is None else f"{name}@{version}"


def _glossaries(request: Request) -> Glossaries:
    found: Glossaries = request.app.state.ports.glossaries
    return found


def _response(one: Glossary, shelf: Shelf) -> GlossaryResponse:
    return GlossaryResponse(
        name=one.name,
        version=one.version,
        exact_name=one.exact_name,
        source_language=one.source_language,
        target_language=one.target_language,
        entry_count=len(one.entries),
        created_at=datetime.fromtimestamp(one.created_at / 1000, UTC),
        created_by=one.created_by,
        versions=[each.version for each in shelf.versions(one.tenant, one.name)],
    )
