"""What can be translated at the moment, with the names of the languages."""

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from producers.http.admission.caller import Reader
from producers.http.ports import Ports
from producers.http.problems import responses
from schemas.catalogue import Catalogue
from schemas.language_names import canonical

router = APIRouter(tags=["languages"])

# Of one answer; 200 languages make 40,000 pairs.
MOST_PAIRS_LISTED = 500


class LanguageResponse(BaseModel):
    """A language and its names, by CLDR."""

    code: str = Field(description="BCP-47.")
    name: str = Field(description="In English.")
    own_name: str = Field(description="In the language itself.")


class LanguageSetResponse(BaseModel):
    """Languages of which every source is translated into every target but itself."""

    sources: list[str]
    targets: list[str]


class LanguagesResponse(BaseModel):
    """What ready workers have announced; empty while none has."""

    pairs: list[str] | None = Field(
        description=f"SOURCE-TARGET, such as en-pt; null above {MOST_PAIRS_LISTED} of them."
    )
    sources: list[str] = Field(description="Every language that is translated into some other.")
    targets: list[str] = Field(description="Every language that some other is translated into.")
    sets: list[LanguageSetResponse] = Field(description="A pair is translated if one of these sets has it.")
    languages: list[LanguageResponse] = Field(description="All of them with their names.")


@router.get("/api/v1/languages", responses=responses(401, 403, 429, 503))
async def list_languages(request: Request, _caller: Reader) -> LanguagesResponse:
    """List what ready workers have announced: as sets of languages, and pair by pair where these are few."""
    ports: Ports = request.app.state.ports
    return languages_response(await ports.models.catalogue())


def languages_response(catalogue: Catalogue) -> LanguagesResponse:
    """Build the answer to a question for languages."""
    sets = catalogue.sets()
    sources = {language for one in sets for language in one.sources}
    targets = {language for one in sets for language in one.targets}
    return LanguagesResponse(
        pairs=catalogue.pairs(MOST_PAIRS_LISTED),
        sources=sorted(sources),
        targets=sorted(targets),
        sets=[LanguageSetResponse(sources=sorted(one.sources), targets=sorted(one.targets)) for one in sets],
        languages=[named_language(code) for code in sorted(sources | targets)],
    )


@lru_cache(maxsize=1024)
def named_language(code: str) -> LanguageResponse:
    """Return a language with its names; the code itself where CLDR has none (babel)."""
    try:
        locale = Locale.parse(canonical(code), sep="-")
    except (UnknownLocaleError, ValueError):
        return LanguageResponse(code=code, name=code, own_name=code)
    return LanguageResponse(
        code=code, name=locale.get_display_name("en") or code, own_name=locale.get_display_name() or code
    )
