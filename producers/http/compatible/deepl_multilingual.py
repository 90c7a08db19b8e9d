"""The glossaries of DeepL, version 3: /v3/glossaries. Each has a dictionary for each pair of languages.

A change of a dictionary writes its next version (multilingual_changes.py). Another name is another id here.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from producers.http.admission.caller import Caller
from producers.http.blocking.glossaries import Glossaries
from producers.http.compatible.callers import reader_of
from producers.http.compatible.deepl import ERRORS
from producers.http.compatible.errors import route_class
from producers.http.compatible.multilingual import (
    Multilingual,
    all_multilingual,
    based,
    creation_time,
    grouped,
    known_multilingual,
    no_such,
)
from producers.http.compatible.multilingual_changes import (
    Author,
    Dictionary,
    changed,
    ended,
    made,
    named_by_place,
    replaced,
)
from producers.http.compatible.reading import Parameters, mistake, read_parameters
from schemas.glossaries import Glossary
from schemas.languages import LanguagePair, parse_language
from stream_apps.accounts.roles import Scope
from stream_apps.glossaries.changes import Writing
from stream_apps.glossaries.formats import parsed, written

_KEY = "auth_key"
_FORMATS = ("tsv", "csv")
_MOST_DICTIONARIES = 100
_FIELD = re.compile(r"dictionaries\[(\d{1,3})\]\.(\w+)")

router = APIRouter(prefix="/v3", route_class=route_class(ERRORS), include_in_schema=False)


@router.post("/glossaries", status_code=201)
async def create_glossary(request: Request) -> dict[str, Any]:
    """Make a glossary with its dictionaries."""
    given = await read_parameters(request)
    caller = _writer(request, given)
    glossaries = _glossaries(request)
    wanted, dictionaries = given.needed("name"), _dictionaries(given, glossaries)
    author = _author(caller, glossaries)
    writing = await glossaries.change(lambda found: made(found, wanted, dictionaries, author))
    return _shown(_living(writing))


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
    glossaries, known = _glossaries(request), await _known(request, caller, glossary_id)
    dictionaries = _dictionaries(given, glossaries) if _has_dictionaries(given) else []
    wanted, author = given.text("name"), _author(caller, glossaries)
    writing = await glossaries.change(lambda found: changed(found, known.name, dictionaries, wanted, author))
    name = _living(writing).name if writing.written else known.name
    return _shown(await _known(request, caller, name))


@router.delete("/glossaries/{glossary_id}", status_code=204)
async def delete_glossary(glossary_id: str, request: Request) -> Response:
    """Delete a glossary with all its dictionaries."""
    caller = _writer(request, await read_parameters(request))
    await _end(request, caller, (await _known(request, caller, glossary_id)).dictionaries)
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
    glossaries, known = _glossaries(request), await _known(request, caller, glossary_id)
    wanted, author = _dictionary(given, glossaries), _author(caller, glossaries)
    writing = await glossaries.change(lambda found: replaced(found, known.name, wanted, author))
    return _shown_dictionary(_living(writing).dictionaries[0])


@router.delete("/glossaries/{glossary_id}/dictionaries", status_code=204)
async def delete_dictionary(glossary_id: str, request: Request) -> Response:
    """Delete one dictionary."""
    given = await read_parameters(request)
    caller = _writer(request, given)
    await _end(request, caller, [await _known_dictionary(request, caller, glossary_id, given)])
    return Response(status_code=204)


def _writer(request: Request, given: Parameters) -> Caller:
    return reader_of(request, given, _KEY, Scope.WRITE_GLOSSARIES)


def _glossaries(request: Request) -> Glossaries:
    found: Glossaries = request.app.state.ports.glossaries
    return found


async def _known(request: Request, caller: Caller, glossary_id: str) -> Multilingual:
    return known_multilingual(await _glossaries(request).read(), caller.tenant, glossary_id)


async def _known_dictionary(request: Request, caller: Caller, glossary_id: str, given: Parameters) -> Glossary:
    found = (await _known(request, caller, glossary_id)).dictionary(_pair(given))
    if found is None:
        raise no_such(f"the glossary {glossary_id[:100]!r} has no dictionary of these languages")
    return found


def _dictionaries(given: Parameters, glossaries: Glossaries) -> list[Dictionary]:
    """Return the dictionaries of a call. Raises PermanentError naming the first wrong one by its place."""
    values = given.values.get("dictionaries") if given.is_json else list(_of_form(given).values())
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_DICTIONARIES:
        limit = f"1 to {_MOST_DICTIONARIES} dictionaries"
        raise mistake("dictionaries", f"dictionaries is no array of {limit}", f"send {limit}")
    found: dict[LanguagePair, Dictionary] = {}
    for place, value in _placed(given, values):
        if not isinstance(value, dict):
            raise mistake(place, f"{place} is no object", "send an object")
        one = _dictionary(Parameters(value, given.is_json), glossaries, place)
        if found.setdefault(based(one.pair), one) is not one:
            message = f"{place}: there is another dictionary of {based(one.pair)}"
            raise mistake(place, message, "send one for each pair of languages")
    return list(found.values())


def _has_dictionaries(given: Parameters) -> bool:
    return bool(given.values.get("dictionaries") if given.is_json else _of_form(given))


def _placed(given: Parameters, values: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield each dictionary with its place, as the call numbers it."""
    numbers = range(len(values)) if given.is_json else _of_form(given)
    return ((f"dictionaries[{number}]", value) for number, value in zip(numbers, values, strict=True))


def _of_form(given: Parameters) -> dict[int, dict[str, Any]]:
    """Return the dictionaries of a form by number; their fields are named `dictionaries[0].entries`."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in given.values.items():
        if part := _FIELD.fullmatch(name):
            found.setdefault(int(part[1]), {})[part[2]] = value
    return {at: found[at] for at in sorted(found)}


def _dictionary(given: Parameters, glossaries: Glossaries, place: str = "") -> Dictionary:
    with named_by_place(place):
        form = given.text("entries_format") or "tsv"
        if form not in _FORMATS:
            raise mistake("entries_format", f"entries_format is {form[:40]!r}", "send tsv or csv")
        pair = _pair(given)
        return Dictionary(pair, parsed(given.needed("entries").encode(), form, pair, glossaries.limits), place)


def _pair(given: Parameters) -> LanguagePair:
    return LanguagePair(
        *(str(parse_language(given.needed(name), name)) for name in ("source_lang", "target_lang"))
    )


def _author(caller: Caller, glossaries: Glossaries) -> Author:
    return Author(caller.tenant, f"http:{caller.credential_id}", glossaries.now_ms(), glossaries.limits)


def _living(writing: Writing) -> Multilingual:
    """Return the glossary that was written, with those of its dictionaries that were."""
    return grouped(one for one in writing.written if not one.deleted_at)[0]


async def _end(request: Request, caller: Caller, dictionaries: Sequence[Glossary]) -> None:
    glossaries = _glossaries(request)
    await glossaries.change(lambda found: ended(found, caller.tenant, dictionaries, glossaries.now_ms()))


def _shown(one: Multilingual) -> dict[str, Any]:
    created_at = min(dictionary.created_at for dictionary in one.dictionaries)
    return {
        "glossary_id": one.name,
        "name": one.name,
        "creation_time": creation_time(created_at),
        "dictionaries": [_shown_dictionary(dictionary) for dictionary in one.dictionaries],
    }


def _shown_dictionary(one: Glossary) -> dict[str, Any]:
    return {**_languages(one), "entry_count": len(one.entries)}


def _languages(one: Glossary) -> dict[str, str]:
    return {"source_lang": one.source_language.lower(), "target_lang": one.target_language.lower()}
