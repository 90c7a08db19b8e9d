"""The interface of DeepL, version 2 (https://developers.deepl.com): /v2/translate, /v2/usage, /v2/languages.

Its glossaries are in deepl_glossaries.py, its documents in deepl_documents.py.

A form or JSON, the key in `Authorization: DeepL-Auth-Key KEY` or in `auth_key`; errors are {"message": "..."}.
What changes nothing here is accepted (context, split_sentences, preserve_formatting, model_type); what would
change the text and is not carried out is refused by name.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Request

from producers.http.admission.caller import Caller
from producers.http.blocking.usage import UsageQuestion, today
from producers.http.compatible.callers import reader_of, submitter_of
from producers.http.compatible.errors import Dialect, route_class
from producers.http.compatible.multilingual import exact_name
from producers.http.compatible.reading import Parameters, mistake, read_parameters
from producers.http.compatible.translating import Wish, translated_texts
from producers.http.ports import Ports
from producers.http.translations.language_routes import named_language
from schemas.catalogue import Catalogue
from schemas.language_names import UNDETERMINED
from schemas.languages import AUTO, LanguagePair, parse_language
from schemas.markup import (
    IGNORE_TAGS,
    MEDIA_TYPES,
    NON_SPLITTING_TAGS,
    OUTLINE_DETECTION,
    PLAIN,
    SPLITTING_TAGS,
)
from stream_apps.accounts.roles import Scope
from stream_apps.glossaries.shelf import Wanted as WantedGlossaries
from stream_apps.glossaries.shelf import resolved

_KEY = "auth_key"
ERRORS = Dialect(
    body=lambda message: {"message": message},
    names={
        "source_language": "source_lang",
        "target_language": "target_lang",
        "texts": "text",
        "glossaries": "glossary_id",
    },
    used_up=456,
)
_SPLITTING = ("", "0", "1", "nonewlines")
_NO_FORMALITY = ("", "default", "prefer_more", "prefer_less")
_MODELS = ("", "latency_optimized", "quality_optimized", "prefer_quality_optimized")
_TRUE = ("1", "true")
_TAG_VERSIONS = ("", "v1", "v2")
# What changes a translation and is not carried out.
_REFUSED = ("style_id", "translation_memory_id", "custom_instructions")
# Of texts with tags; without tag_handling they mean nothing.
_TAGS = (IGNORE_TAGS, SPLITTING_TAGS, NON_SPLITTING_TAGS)
# Targets as the original names them; its own client refuses plain EN and PT.
_REGIONAL = ("en-GB", "en-US", "pt-BR", "pt-PT")
_MOST_GLOSSARIES = 5
# What the original says of an account without a limit.
_NO_LIMIT = 1_000_000_000_000

router = APIRouter(prefix="/v2", route_class=route_class(ERRORS), include_in_schema=False)


@router.post("/translate")
async def translate(request: Request) -> dict[str, Any]:
    """Translate the texts while the caller waits."""
    given = await read_parameters(request)
    texts = _texts(given)
    languages = asked_languages(given)
    _check_options(given)
    markup = _markup(given)
    caller = submitter_of(request, given, _KEY)
    wish = Wish(*await with_dictionary(request, caller, languages), *markup)
    done = await translated_texts(request, caller, texts, wish)
    more: dict[str, Any] = {"model_type_used": "latency_optimized"} if given.text("model_type") else {}
    is_billed = (given.text("show_billed_characters") or "").lower() in _TRUE
    return {
        "translations": [
            {"detected_source_language": _source_code(one.source), "text": one.text}
            | ({"billed_characters": len(original)} if is_billed else {})
            | more
            for original, one in zip(texts, done, strict=True)
        ]
    }


@router.api_route("/usage", methods=["GET", "POST"])
async def show_usage(request: Request) -> dict[str, int]:
    """Tell the characters of this day (UTC) and the limit of a day, which is the period of limits here."""
    caller = reader_of(request, await read_parameters(request), _KEY, Scope.READ_USAGE)
    ports: Ports = request.app.state.ports
    this_day = today(ports.now_ms())
    rows = await ports.books.usage(UsageQuestion(caller.tenant, this_day, this_day))
    return {
        "character_count": sum(row["characters"] for row in rows),
        "character_limit": ports.accounts.limits(caller.account).characters_per_day or _NO_LIMIT,
    }


@router.api_route("/languages", methods=["GET", "POST"])
async def list_languages(request: Request) -> list[dict[str, Any]]:
    """List the languages that ready workers translate from, or into (`type=target`)."""
    given = await read_parameters(request)
    reader_of(request, given, _KEY)
    wanted = given.text("type") or "source"
    if wanted not in ("source", "target"):
        raise mistake("type", f"type is {wanted[:40]!r}", "send source or target")
    ports: Ports = request.app.state.ports
    catalogue = await ports.models.catalogue()
    if wanted == "source":
        return [_language(code) for code in sorted({one for some in catalogue.sets() for one in some.sources})]
    return [_language(code) | {"supports_formality": False} for code in _targets(catalogue)]


class AskedLanguages(NamedTuple):
    """The languages of a call, the source `auto` where it names none; its glossaries: the first decides."""

    source: str
    target: str
    glossaries: Sequence[str]


def asked_languages(given: Parameters) -> AskedLanguages:
    """Return the languages of a call. Raises PermanentError; glossaries need a source language."""
    target = str(parse_language(given.needed("target_lang"), "target_lang"))
    named, glossaries = given.text("source_lang"), _glossaries(given)
    source = str(parse_language(named, "source_lang")) if named else AUTO
    if glossaries and source == AUTO:
        raise mistake("source_lang", "source_lang is missing", "send it with glossary_id and glossary_ids")
    return AskedLanguages(source, target, glossaries)


def _glossaries(given: Parameters) -> list[str]:
    """Return the ids of glossary_id, or of glossary_ids: an array, or in forms separated by commas."""
    one = given.text("glossary_id")
    several = [each.strip() for some in given.texts("glossary_ids") or () for each in some.split(",")]
    several = list(dict.fromkeys(filter(None, several)))
    if one and several:
        raise mistake("glossary_ids", "glossary_ids and glossary_id are both set", "send one of them")
    if len(several) > _MOST_GLOSSARIES:
        raise mistake("glossary_ids", f"glossary_ids has {len(several)} ids", f"send {_MOST_GLOSSARIES} at most")
    return [one] if one else several


async def with_dictionary(request: Request, caller: Caller, asked: AskedLanguages) -> AskedLanguages:
    """Name the dictionaries that the glossaries have for the languages of a call.

    Raises PermanentError for an id that no glossary has, TransientError.
    """
    if not asked.glossaries:
        return asked
    ports: Ports = request.app.state.ports
    shelf, pair = await ports.glossaries.read(), LanguagePair(asked.source, asked.target)
    names = [exact_name(shelf, caller.tenant, one, pair) for one in asked.glossaries]
    source, target = parse_language(asked.source, "source_lang"), parse_language(asked.target, "target_lang")
    # An unknown id may hold what no name of ours may, and so no request.
    resolved(shelf, WantedGlossaries(caller.tenant, names, source, target))
    return asked._replace(glossaries=names)


def check_wishes(given: Parameters) -> None:
    """Refuse what changes a translation and is not carried out. Raises PermanentError naming the parameter."""
    for name in _REFUSED:
        if given.values.get(name) not in (None, "", [], [""]):
            raise mistake(name, f"{name} is not supported yet", f"leave {name} out")
    formality = given.text("formality") or ""
    if formality not in _NO_FORMALITY:
        cure = "leave it out, or send prefer_more or prefer_less, which ask for it where there is one"
        raise mistake("formality", "'formality' is not supported for given 'target_lang'", cure)


def _texts(given: Parameters) -> list[str]:
    if given.is_json and not isinstance(given.values.get("text", []), list):
        raise mistake("text", "text is no array", "send an array of texts, or a form")
    texts = given.texts("text")
    if not texts:
        raise mistake("text", "text is missing", "send at least one text")
    return texts


def _markup(given: Parameters) -> tuple[str, dict[str, str]]:
    """Return the media type of the texts, and what is said about their tags."""
    handling = given.text("tag_handling") or "text"
    if handling not in MEDIA_TYPES:
        raise mistake("tag_handling", f"tag_handling is {handling[:40]!r}", "send html or xml, or leave it out")
    if handling == "text":
        return PLAIN, {}
    options = {name: ",".join(given.texts(name) or ()) for name in _TAGS}
    outline = (given.text(OUTLINE_DETECTION) or "").lower()
    options[OUTLINE_DETECTION] = "0" if outline in ("0", "false") else ""
    return MEDIA_TYPES[handling], {name: said for name, said in options.items() if said}


def _check_options(given: Parameters) -> None:
    check_wishes(given)
    _check_one_of(given, "split_sentences", _SPLITTING)
    _check_one_of(given, "model_type", _MODELS)
    _check_one_of(given, "tag_handling_version", _TAG_VERSIONS)


def _check_one_of(given: Parameters, name: str, known: tuple[str, ...]) -> None:
    value = given.text(name) or ""
    if value not in known:
        raise mistake(name, f"{name} is {value[:40]!r}", f"send one of {', '.join(filter(None, known))}")


def _source_code(language: str) -> str:
    """Return the code of a source language as the original writes it: without script and region, in capitals."""
    return "" if language in ("", UNDETERMINED) else language.partition("-")[0].upper()


def _targets(catalogue: Catalogue) -> list[str]:
    offered = {one for some in catalogue.sets() for one in some.targets}
    regional = {code for code in _REGIONAL if catalogue.serves(None, parse_language(code, "target_lang"))}
    return sorted(offered | regional)


def _language(code: str) -> dict[str, Any]:
    return {"language": code.upper(), "name": named_language(code).name}
