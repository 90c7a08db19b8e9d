"""The interface of LibreTranslate 1.9 (https://docs.libretranslate.com): /translate, /detect, /languages ...

Its files are in libretranslate_files.py.

A form or JSON, the key in `api_key`; errors are {"error": "..."}. What is not carried out is refused by name.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from connectors.formats.registry import FORMATS
from producers.http.compatible.callers import reader_of, submitter_of
from producers.http.compatible.errors import Dialect, route_class
from producers.http.compatible.reading import Parameters, mistake, read_parameters
from producers.http.compatible.translating import Wish, guessed_sources, translated_texts
from producers.http.ports import Ports
from producers.http.translations.language_routes import languages_response, named_language
from schemas.languages import AUTO, parse_language
from stream_apps.pipeline.language_detection import Detection

_KEY = "api_key"
ERRORS = Dialect(
    body=lambda message: {"error": message},
    names={"source_language": "source", "target_language": "target", "texts": "q"},
)
_FORMATS = {"": "text/plain", "text": "text/plain", "html": "text/html"}
_MOST_ALTERNATIVES = 100
# What the original answers for a text without a language.
_NO_LANGUAGE = {"language": "en", "confidence": 0.0}

router = APIRouter(route_class=route_class(ERRORS), include_in_schema=False)


@router.post("/translate")
async def translate(request: Request) -> dict[str, Any]:
    """Translate `q`, a text or an array of them, while the caller waits."""
    given = await read_parameters(request)
    texts, is_array = _texts(given)
    source = parse_language_or_auto(given.needed("source"))
    target = str(parse_language(given.needed("target"), "target"))
    content_type = _content_type(given)
    alternatives = _alternatives(given)
    caller = submitter_of(request, given, _KEY)
    done = await translated_texts(request, caller, texts, Wish(source, target, content_type=content_type))
    answer: dict[str, Any] = {"translatedText": _one_or_all([one.text for one in done], is_array)}
    if source == AUTO:
        answer["detectedLanguage"] = _one_or_all([_detection(one.detection) for one in done], is_array)
    if alternatives:
        # There is one translation of each text: the interface allows for fewer than were asked for.
        answer["alternatives"] = _one_or_all([[] for _ in texts], is_array)
    return answer


@router.post("/detect")
async def detect(request: Request) -> list[dict[str, Any]]:
    """Name the language of `q`, with a confidence from 0 to 100."""
    given = await read_parameters(request)
    texts, _ = _texts(given)
    reader_of(request, given, _KEY)
    return [_detection(one) for one in await guessed_sources(request, ["\n".join(texts)])]


@router.get("/languages")
async def list_languages(request: Request) -> list[dict[str, Any]]:
    """List the languages that ready workers translate, each with its targets."""
    reader_of(request, await read_parameters(request), _KEY)
    ports: Ports = request.app.state.ports
    known = languages_response(await ports.models.catalogue())
    return [
        {
            "code": one.code,
            "name": one.name,
            "targets": sorted(
                {target for some in known.sets if one.code in some.sources for target in some.targets} - {one.code}
            ),
        }
        for one in known.languages
    ]


@router.get("/frontend/settings")
async def show_settings(request: Request) -> dict[str, Any]:
    """Tell what a program with a page of its own must know. It needs no key, and tells of no tenant."""
    state, limits = request.app.state, request.app.state.request_limits
    return {
        # Each text goes as one of an array.
        "charLimit": min(limits.max_text_characters, limits.max_array_text_characters),
        "frontendTimeout": 500,
        "apiKeys": True,
        "keyRequired": not state.ports.accounts.anonymous_tenant,
        "suggestions": False,
        "filesTranslation": True,
        "supportedFilesFormat": sorted(f".{ending}" for one in FORMATS.values() for ending in one.extensions),
        "language": {
            "source": {"code": AUTO, "name": "Auto Detect"},
            "target": {"code": "en", "name": named_language("en").name},
        },
    }


@router.post("/suggest")
async def suggest(request: Request) -> Response:  # noqa: ARG001  # nothing of it is read
    """Refuse, in the words of the original."""
    raise HTTPException(403, "Suggestions are disabled on this server.")


def parse_language_or_auto(code: str) -> str:
    """Return the canonical code, or `auto`. Raises PermanentError."""
    return AUTO if code == AUTO else str(parse_language(code, "source"))


def _texts(given: Parameters) -> tuple[list[str], bool]:
    """Return the texts of `q`, and whether they came as an array."""
    texts = given.texts("q")
    if not texts:
        raise mistake("q", "q is missing or empty", "send a text, or an array of texts")
    is_array = isinstance(given.values["q"], list) and (given.is_json or len(texts) > 1)
    if not is_array and not texts[0]:
        raise mistake("q", "q is empty", "send a text, or an array of texts")
    # Forms end lines with CR LF; the original counts and answers with LF.
    return texts if given.is_json else [text.replace("\r\n", "\n") for text in texts], is_array


def _content_type(given: Parameters) -> str:
    wanted = given.text("format") or ""
    if wanted not in _FORMATS:
        raise mistake("format", f"{wanted[:40]} format is not supported", "leave format out, or send text or html")
    return _FORMATS[wanted]


def _alternatives(given: Parameters) -> int:
    wanted = given.text("alternatives") or "0"
    # int() refuses numbers of thousands of digits.
    if not wanted.isdecimal() or len(wanted) > len(str(_MOST_ALTERNATIVES)) or int(wanted) > _MOST_ALTERNATIVES:
        raise mistake("alternatives", "alternatives is no number from 0 to 100", "leave it out")
    return int(wanted)


def _one_or_all(values: Sequence[Any], is_array: bool) -> Any:  # what the shape of `q` decides
    return list(values) if is_array else values[0]


def _detection(found: Detection | None) -> dict[str, Any]:
    if found is None or found.language is None:
        return _NO_LANGUAGE
    return {"language": str(found.language), "confidence": round(100 * found.probability, 1)}
