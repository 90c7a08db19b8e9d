"""Which tags name the same language: by CLDR's aliases and likely scripts (langcodes), and as people write them.

Tags are strings here, BCP-47 in their usual letter case; schemas/languages.py parses them. Pure.
"""

from collections.abc import Iterable
from functools import lru_cache

import langcodes

UNDETERMINED = "und"

# By canonical tag: other names under which people ask for it, and under which models are offered. LibreTranslate
# calls two of them pb and zt; a region that stands for a script (zh-TW) becomes that script.
ALIASES = {
    "pt-BR": ("pb",),
    "zh": ("cmn",),
    "zh-Hans": ("zh-CN",),
    "zh-Hant": ("zh-TW", "zt"),
    "fil": ("tl",),
    "he": ("iw",),
    "id": ("in",),
    "jv": ("jw",),
    "ro": ("mo",),
    "sr-Latn": ("sh",),
    "yi": ("ji",),
}
# Two names of one written language, both in use: asked for as one, it may be offered as the other.
TWINS = {"nb": "no", "no": "nb"}

_CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
# CLDR's distances: 5 is another region, 10 to 40 a language that its speakers read too, above 50 another script.
_FARTHEST = 60


@lru_cache(maxsize=4096)
def canonical(tag: str) -> str:
    """Return the tag that answers show: `iw` -> he, `por` -> pt, `zh-TW` -> zh-Hant, `zh-HK` -> zh-Hant-HK.

    Where a region implies another script than the language has without it, the script is written out.
    """
    standard = langcodes.standardize_tag(_CANONICAL.get(tag, tag))
    named = langcodes.Language.get(_CANONICAL.get(standard, standard))
    if named.script is None and named.territory and script_of(str(named)) != script_of(str(named.language)):
        named = named.update_dict({"script": script_of(str(named))})
    return str(named)


@lru_cache(maxsize=4096)
def script_of(tag: str) -> str:
    """Return the script in which the language is most likely written, as ISO 15924: `sr` -> Cyrl."""
    return str(langcodes.Language.get(tag).maximize().script)


@lru_cache(maxsize=4096)
def names(tag: str) -> tuple[str, ...]:
    """List the names under which a model may serve a canonical tag, the most specific first.

    They have one script: `zh-Hant` is served by zh-TW but never by zh, `pt-BR` by pt, `zh` by zh-Hans. A region is
    left out, but never replaced by another.
    """
    if tag == UNDETERMINED:
        return (tag,)
    likely = langcodes.Language.get(tag).maximize()
    language, script, region = str(likely.language), script_of(tag), likely.territory
    wider = [language, f"{language}-{script}"]
    if _region_of(tag) in (None, _region_of(str(langcodes.Language.get(f"{language}-{script}").maximize()))):
        wider += [f"{language}-{region}", f"{language}-{script}-{region}"]
    fitting = [one for one in (tag, *wider) if one == tag or _is_written(one, script)]
    return tuple(dict.fromkeys(name for one in fitting for name in (one, *_other_names(one))))


def nearest(tag: str, offered: Iterable[str]) -> str | None:
    """Return the offered name that readers of `tag` understand best, by CLDR's distances; None if none is near."""
    found = min(((_distance(tag, one), one) for one in offered), default=(_FARTHEST, ""))
    return found[1] if found[0] < _FARTHEST else None


def _is_written(name: str, script: str) -> bool:
    """Tell whether a name means that script, and is no longer than it must be (en, not en-Latn)."""
    written = langcodes.Language.get(name)
    is_needed = written.script is None or langcodes.standardize_tag(name) == name
    return is_needed and script_of(name) == script


def _other_names(name: str) -> tuple[str, ...]:
    language, _, rest = name.partition("-")
    twin = TWINS.get(language)
    return (*ALIASES.get(name, ()), *([f"{twin}-{rest}" if rest else twin] if twin else []))


def _region_of(tag: str) -> str | None:
    return langcodes.Language.get(tag).territory


@lru_cache(maxsize=65536)
def _distance(tag: str, offered: str) -> int:
    return langcodes.tag_distance(canonical(tag), canonical(offered))
