"""The glossaries of DeepL, version 2: /v2/glossaries. A glossary_id is `name@version` of ours.

There a name may be anything, even twice; here what no name may hold becomes `-`, and a known one gets a version.
"""

import re
from typing import Any

from fastapi import APIRouter, Request, Response

from producers.http.blocking.glossaries import Glossaries
from producers.http.compatible.callers import reader_of
from producers.http.compatible.deepl import ERRORS
from producers.http.compatible.errors import route_class
from producers.http.compatible.multilingual import bare_name, creation_time
from producers.http.compatible.reading import mistake, read_parameters
from producers.http.ports import Ports
from schemas.glossaries import Glossary
from schemas.languages import LanguagePair, parse_language
from stream_apps.accounts.roles import Scope
from stream_apps.glossaries.changes import known_glossary
from stream_apps.glossaries.formats import parsed, written

_KEY = "auth_key"
_FORMATS = ("tsv", "csv")
_TSV = "text/tab-separated-values"
_NO_NAME = re.compile(r"[^A-Za-z0-9._:-]+")
_LONGEST_NAME = 64

router = APIRouter(prefix="/v2", route_class=route_class(ERRORS), include_in_schema=False)


@router.get("/glossary-language-pairs")
async def list_glossary_pairs(request: Request) -> dict[str, list[dict[str, str]]]:
    """List the pairs that glossaries may have: those that ready workers translate."""
    reader_of(request, await read_parameters(request), _KEY)
    ports: Ports = request.app.state.ports
    sets = (await ports.models.catalogue()).sets()
    pairs = sorted({(source, target) for some in sets for source in some.sources for target in some.targets})
    return {
        "supported_languages": [
            {"source_lang": source.lower(), "target_lang": target.lower()}
            for source, target in pairs
            if source != target
        ]
    }


@router.post("/glossaries", status_code=201)
async def create_glossary(request: Request) -> dict[str, Any]:
    """Make a glossary of entries in TSV or CSV."""
    given = await read_parameters(request)
    caller = reader_of(request, given, _KEY, Scope.WRITE_GLOSSARIES)
    form = given.text("entries_format") or "tsv"
    if form not in _FORMATS:
        raise mistake("entries_format", f"entries_format is {form[:40]!r}", "send tsv or csv")
    pair = LanguagePair(
        *(str(parse_language(given.needed(name), name)) for name in ("source_lang", "target_lang"))
    )
    glossaries = _glossaries(request)
    made = await glossaries.add(
        Glossary(
            tenant=caller.tenant,
            name=bare_name(given.needed("name"), _NO_NAME, _LONGEST_NAME),
            version=0,
            source_language=pair.source,
            target_language=pair.target,
            entries=parsed(given.needed("entries").encode(), form, pair, glossaries.limits),
            created_at=glossaries.now_ms(),
            created_by=f"http:{caller.credential_id}",
        )
    )
    return _shown(made)


@router.get("/glossaries")
async def list_glossaries(request: Request) -> dict[str, list[dict[str, Any]]]:
    """List all versions of all glossaries."""
    caller = reader_of(request, await read_parameters(request), _KEY)
    shelf = await _glossaries(request).read()
    newest = shelf.all_of(caller.tenant)
    return {"glossaries": [_shown(one) for last in newest for one in shelf.versions(last.tenant, last.name)]}


@router.get("/glossaries/{glossary_id}")
async def read_glossary(glossary_id: str, request: Request) -> dict[str, Any]:
    """Show a glossary without its entries."""
    return _shown(await _found(glossary_id, request))


@router.get("/glossaries/{glossary_id}/entries")
async def read_entries(glossary_id: str, request: Request) -> Response:
    """Show the entries, in TSV."""
    found = await _found(glossary_id, request)
    pair = LanguagePair(found.source_language, found.target_language)
    return Response(written(found.entries, "tsv", pair), media_type=_TSV)


@router.delete("/glossaries/{glossary_id}", status_code=204)
async def delete_glossary(glossary_id: str, request: Request) -> Response:
    """Delete a glossary."""
    caller = reader_of(request, await read_parameters(request), _KEY, Scope.WRITE_GLOSSARIES)
    await _glossaries(request).delete(caller.tenant, glossary_id)
    return Response(status_code=204)


async def _found(glossary_id: str, request: Request) -> Glossary:
    caller = reader_of(request, await read_parameters(request), _KEY)
    return known_glossary(await _glossaries(request).read(), caller.tenant, glossary_id)


def _glossaries(request: Request) -> Glossaries:
    found: Glossaries = request.app.state.ports.glossaries
    return found


def _shown(one: Glossary) -> dict[str, Any]:
    return {
        "glossary_id": one.exact_name,
        "name": one.name,
        "ready": True,
        "source_lang": one.source_language.lower(),
        "target_lang": one.target_language.lower(),
        "creation_time": creation_time(one.created_at),
        "entry_count": len(one.entries),
    }
