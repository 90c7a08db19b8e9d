"""The glossaries of DeepL, version 3: /v3/glossaries. Each has a dictionary for each pair of languages.

A change of a dictionary writes its next version (multilingual.py). Another name is another id here.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from producers.http.admission.caller import Caller
from producers.http.blocking.glossaries import Glossaries
from producers.http.compatible.callers import reader_of
from producers.http.compatible.deepl import ERRORS
from producers.http.compatible.errors import route_class
from producers.http.compatible.multilingual import (
    Multilingual,
    all_multilingual,
    dictionary_name,
    free_name,
    multilingual,
)
from producers.http.compatible.reading import Parameters, mistake, read_parameters
from schemas.errors import PermanentError
from schemas.glossaries import Glossary
from schemas.languages import LanguagePair, parse_language
from stream_apps.accounts.roles import Scope
from stream_apps.glossaries.formats import parsed, written

_KEY = "auth_key"
_FORMATS = ("tsv", "csv")
_MOST_DICTIONARIES = 100
_FIELD = re.compile(r"dictionaries\[(\d{1,3})\]\.(\w+)")

router = APIRouter(prefix="/v3", route_class=route_class(ERRORS), include_in_schema=False)


class _Dictionary(NamedTuple):
    """What a call says a dictionary is to hold."""

    pair: LanguagePair
    entries: Mapping[str, str]


@router.post("/glossaries", status_code=201)
async def create_glossary(request: Request) -> dict[str, Any]:
    """Make a glossary with its dictionaries."""
    given = await read_parameters(request)
    caller = _writer(request, given)
    glossaries = _glossaries(request)
    wanted = given.needed("name")
    dictionaries = _dictionaries(given, glossaries)
    name = free_name(await glossaries.read(), caller.tenant, wanted)
    return _shown(Multilingual(name, [await _added(request, caller, name, one) for one in dictionaries]))


@router.get("/glossaries")
async def list_glossaries(request: Request) -> dict[str, list[dict[str, Any]]]:
    """List all glossaries."""
    caller = reader_of(request, await read_parameters(request), _KEY)
    shelf = await _glossaries(request).read()
    return {"glossaries": [_shown(one) for one in all_multilingual(shelf, caller.tenant)]}


@router.get("/glossaries/{glossary_id}")
async def read_glossary(glossary_id: str, request: Request) -> dict[str, Any]:
    """Show a glossary without its entries."""
    caller = reader_of(request, await read_parameters(request), _KEY)
    return _shown(await _known(request, caller, glossary_id))


@router.patch("/glossaries/{glossary_id}")
async def change_glossary(glossary_id: str, request: Request) -> dict[str, Any]:
    """Add entries to dictionaries, new ones among them, or give the glossary another name."""
    given = await read_parameters(request)
    caller = _writer(request, given)
    known = await _known(request, caller, glossary_id)
    for one in _dictionaries(given, _glossaries(request)) if _has_dictionaries(given) else ():
        before = known.dictionary(one.pair)
        merged = one._replace(entries={**(before.entries if before else {}), **one.entries})
        await _added(request, caller, known.name, merged, before)
    known = await _known(request, caller, glossary_id)
    return _shown(await _renamed(request, caller, known, wanted) if (wanted := given.text("name")) else known)


@router.delete("/glossaries/{glossary_id}", status_code=204)
async def delete_glossary(glossary_id: str, request: Request) -> Response:
    """Delete a glossary with all its dictionaries."""
    caller = _writer(request, await read_parameters(request))
    await _delete_all(request, caller, (await _known(request, caller, glossary_id)).dictionaries)
    return Response(status_code=204)


@router.get("/glossaries/{glossary_id}/entries")
async def read_entries(glossary_id: str, request: Request) -> dict[str, list[dict[str, str]]]:
    """Show the entries of one dictionary, in TSV."""
    given = await read_parameters(request)
    caller = reader_of(request, given, _KEY)
    found = await _known_dictionary(request, caller, glossary_id, given)
    pair = LanguagePair(found.source_language, found.target_language)
    entries = written(found.entries, "tsv", pair)
    return {"dictionaries": [{**_languages(found), "entries": entries, "entries_format": "tsv"}]}


@router.put("/glossaries/{glossary_id}/dictionaries")
async def replace_dictionary(glossary_id: str, request: Request) -> dict[str, Any]:
    """Give a dictionary other entries, or make it."""
    given = await read_parameters(request)
    caller = _writer(request, given)
    known = await _known(request, caller, glossary_id)
    wanted = _dictionary(given, _glossaries(request))
    return _shown_dictionary(await _added(request, caller, known.name, wanted, known.dictionary(wanted.pair)))


@router.delete("/glossaries/{glossary_id}/dictionaries", status_code=204)
async def delete_dictionary(glossary_id: str, request: Request) -> Response:
    """Delete one dictionary."""
    given = await read_parameters(request)
    caller = _writer(request, given)
    await _delete_all(request, caller, [await _known_dictionary(request, caller, glossary_id, given)])
    return Response(status_code=204)


def _writer(request: Request, given: Parameters) -> Caller:
    return reader_of(request, given, _KEY, Scope.WRITE_GLOSSARIES)


def _glossaries(request: Request) -> Glossaries:
    found: Glossaries = request.app.state.ports.glossaries
    return found


async def _known(request: Request, caller: Caller, glossary_id: str) -> Multilingual:
    found = multilingual(await _glossaries(request).read(), caller.tenant, glossary_id)
    if found is None:
        raise _no_such(f"there is no glossary {glossary_id[:100]!r}")
    return found


async def _known_dictionary(request: Request, caller: Caller, glossary_id: str, given: Parameters) -> Glossary:
    found = (await _known(request, caller, glossary_id)).dictionary(_pair(given))
    if found is None:
        raise _no_such(f"the glossary {glossary_id[:100]!r} has no dictionary of these languages")
    return found


def _no_such(message: str) -> PermanentError:
    return PermanentError("no_such_glossary", message, field="glossary_id", cure="see GET /v3/glossaries")


def _dictionaries(given: Parameters, glossaries: Glossaries) -> list[_Dictionary]:
    """Return the dictionaries of a call. Raises PermanentError naming the first wrong one by its place."""
    values = given.values.get("dictionaries") if given.is_json else _of_form(given)
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_DICTIONARIES:
        limit = f"1 to {_MOST_DICTIONARIES} dictionaries"
        raise mistake("dictionaries", f"dictionaries is no array of {limit}", f"send {limit}")
    found: list[_Dictionary] = []
    for at, value in enumerate(values):
        if not isinstance(value, dict):
            raise mistake(f"dictionaries[{at}]", f"dictionaries[{at}] is no object", "send an object")
        found.append(_dictionary(Parameters(value, given.is_json), glossaries))
    return found


def _has_dictionaries(given: Parameters) -> bool:
    return bool(given.values.get("dictionaries") if given.is_json else _of_form(given))


def _of_form(given: Parameters) -> list[dict[str, Any]]:
    """Return the dictionaries of a form, whose fields are named `dictionaries[0].entries`."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in given.values.items():
        if part := _FIELD.fullmatch(name):
            found.setdefault(int(part[1]), {})[part[2]] = value
    return [found[at] for at in sorted(found)]


def _dictionary(given: Parameters, glossaries: Glossaries) -> _Dictionary:
    form = given.text("entries_format") or "tsv"
    if form not in _FORMATS:
        raise mistake("entries_format", f"entries_format is {form[:40]!r}", "send tsv or csv")
    pair = _pair(given)
    return _Dictionary(pair, parsed(given.needed("entries").encode(), form, pair, glossaries.limits))


def _pair(given: Parameters) -> LanguagePair:
    return LanguagePair(
        *(str(parse_language(given.needed(name), name)) for name in ("source_lang", "target_lang"))
    )


async def _added(
    request: Request, caller: Caller, name: str, wanted: _Dictionary, before: Glossary | None = None
) -> Glossary:
    """Write the next version of a dictionary. The oldest gives way where there are as many as there may be."""
    glossaries = _glossaries(request)
    ours = before.name if before else dictionary_name(name, wanted.pair)
    versions = (await glossaries.read()).versions(caller.tenant, ours)
    if len(versions) >= glossaries.limits.max_versions:
        await glossaries.delete(caller.tenant, versions[0].exact_name)
    return await glossaries.add(
        Glossary(
            tenant=caller.tenant,
            name=ours,
            version=0,
            source_language=before.source_language if before else wanted.pair.source,
            target_language=before.target_language if before else wanted.pair.target,
            entries=wanted.entries,
            created_at=glossaries.now_ms(),
            created_by=f"http:{caller.credential_id}",
        )
    )


async def _renamed(request: Request, caller: Caller, known: Multilingual, wanted: str) -> Multilingual:
    """Write all dictionaries under another name, then delete those of the old one."""
    name = free_name(await _glossaries(request).read(), caller.tenant, wanted, known.name)
    if name == known.name:
        return known
    copies = [
        await _added(
            request,
            caller,
            name,
            _Dictionary(LanguagePair(one.source_language, one.target_language), one.entries),
        )
        for one in known.dictionaries
    ]
    await _delete_all(request, caller, known.dictionaries)
    return Multilingual(name, copies)


async def _delete_all(request: Request, caller: Caller, dictionaries: Sequence[Glossary]) -> None:
    for one in dictionaries:
        await _glossaries(request).delete(caller.tenant, one.name)


def _shown(one: Multilingual) -> dict[str, Any]:
    created_at = min(dictionary.created_at for dictionary in one.dictionaries)
    return {
        "glossary_id": one.name,
        "name": one.name,
        "creation_time": datetime.fromtimestamp(created_at / 1000, UTC).isoformat(),
        "dictionaries": [_shown_dictionary(dictionary) for dictionary in one.dictionaries],
    }


def _shown_dictionary(one: Glossary) -> dict[str, Any]:
    return {**_languages(one), "entry_count": len(one.entries)}


def _languages(one: Glossary) -> dict[str, str]:
    return {"source_lang": one.source_language.lower(), "target_lang": one.target_language.lower()}
