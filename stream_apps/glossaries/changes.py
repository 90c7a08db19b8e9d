"""What may be changed in the glossaries, and what is then written. Pure.

Each function takes the shelf as it is and returns what to write. Raises PermanentError, which names the field, the
limit and the cure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from schemas.errors import PermanentError
from schemas.glossaries import Glossary
from schemas.languages import parse_language
from stream_apps.glossaries.limits import GlossaryLimits
from stream_apps.glossaries.shelf import Shelf

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


@dataclass(frozen=True)
class Writing:
    """Versions to write, and versions that end by a tombstone."""

    written: Sequence[Glossary] = ()
    ended: Sequence[Glossary] = field(default=())


def new_version(found: Shelf, wish: Glossary, limits: GlossaryLimits) -> Writing:
    """Return the next version of the glossary, with a number that it never had."""
    if not _NAME.fullmatch(wish.name):
        raise PermanentError(
            "bad_glossary_name",
            f"the name is {wish.name[:100]!r}",
            field="name",
            limit="1 to 64 letters of A-Z, digits, and . _ : - within",
            cure="choose a name such as product-terms",
        )
    _check_room(found, wish, limits)
    source, target = (
        str(parse_language(getattr(wish, name), name)) for name in ("source_language", "target_language")
    )
    if source.partition("-")[0] == target.partition("-")[0]:
        raise PermanentError(
            "same_language",
            f"both languages are {source}",
            field="target_language",
            limit="another language than source_language",
            cure="name the language of the translations",
        )
    number = found.last_number(wish.tenant, wish.name) + 1
    entries = checked_entries(wish.entries, limits)
    made = replace(wish, version=number, source_language=source, target_language=target, entries=entries)
    return Writing([made])


def deleted(found: Shelf, tenant: str, name: str, now_ms: int) -> Writing:
    """Return the end of `name@version`, or of all versions of `name`."""
    one = known_glossary(found, tenant, name)
    some = [one] if "@" in name else found.versions(tenant, one.name)
    last = found.last_number(tenant, one.name)
    marks = [replace(old, entries={}, deleted_at=now_ms) for old in some if old.version == last]
    return Writing(marks, [old for old in some if old.version != last])


def known_glossary(found: Shelf, tenant: str, name: str) -> Glossary:
    """Return the version that `name` or `name@version` means now. Raises PermanentError where there is none."""
    one = found.named(tenant, name)
    if one is None:
        raise PermanentError(
            "no_such_glossary",
            f"there is no glossary {name[:100]!r}",
            field="name",
            cure="see: dragoman glossaries list, or GET /api/v1/glossaries",
        )
    return one


def checked_entries(entries: Mapping[str, str], limits: GlossaryLimits) -> dict[str, str]:
    """Return the entries without white space around them. Raises PermanentError for the first wrong one."""
    if not 0 < len(entries) <= limits.max_entries:
        raise _wrong(
            f"there are {len(entries)} entries",
            f"1 to {limits.max_entries} entries (DRAGOMAN_GLOSSARIES_MAX_ENTRIES)",
            "keep those that matter, or make several glossaries",
        )
    sound: dict[str, str] = {}
    for number, (term, target) in enumerate(entries.items(), 1):
        pair = term.strip(), target.strip()
        for what, text in zip(("source", "target"), pair, strict=True):
            check_text(text, f"entry {number}", what, limits)
        if sound.setdefault(*pair) != pair[1]:
            raise _wrong(
                f"entry {number}: the source was there before, with another target", "each source once", "keep one"
            )
    size = sum(len(text.encode()) for pair in sound.items() for text in pair)
    if size > limits.max_entry_bytes:
        raise _wrong(
            f"the entries have {size} bytes together",
            f"{limits.max_entry_bytes} bytes (DRAGOMAN_GLOSSARIES_MAX_ENTRY_BYTES)",
            "make several glossaries; a request may name more than one",
        )
    return sound


def check_text(text: str, place: str, what: str, limits: GlossaryLimits) -> None:
    """Check a term or its translation. Raises PermanentError naming the place and which of both it is."""
    longest = limits.max_term_characters
    if not 0 < len(text) <= longest or not text.isprintable() or not any(map(str.isalnum, text)):
        raise _wrong(
            f"{place}: the {what} has {len(text)} characters, or some that cannot be printed, or no letter",
            f"1 to {longest} printable characters on one line (DRAGOMAN_GLOSSARIES_MAX_TERM_CHARACTERS)",
            "correct the entry, or leave it out",
        )


def _check_room(found: Shelf, wish: Glossary, limits: GlossaryLimits) -> None:
    versions = len(found.versions(wish.tenant, wish.name))
    if versions >= limits.max_versions:
        raise PermanentError(
            "too_many_versions",
            f"{wish.name} has {versions} versions",
            field="name",
            limit=f"{limits.max_versions} versions (DRAGOMAN_GLOSSARIES_MAX_VERSIONS)",
            cure="delete versions that nobody names any more",
        )
    names = found.all_of(wish.tenant)
    if not versions and len(names) >= limits.max_glossaries:
        raise PermanentError(
            "too_many_glossaries",
            f"there are {len(names)} glossaries",
            field="name",
            limit=f"{limits.max_glossaries} glossaries (DRAGOMAN_GLOSSARIES_MAX_GLOSSARIES)",
            cure="delete those that nobody names any more",
        )


def _wrong(message: str, limit: str, cure: str) -> PermanentError:
    return PermanentError("bad_entries", message, field="entries", limit=limit, cure=cure)
