"""Give a translation the dashes, dots and quotes of its source where the model writes others for them. Pure.

Models know few of these signs and are sent plain ones (`Traits.spellings`). A sign returns where nothing can be
mistaken: as often as the source had it, in its order, and with no plain one of its kind in the source.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple


class _Kind(NamedTuple):
    """Signs of one kind in a source, and how they stand in a translation: the sign is the first group."""

    signs: re.Pattern[str]
    plain: re.Pattern[str]


_KINDS = (
    _Kind(re.compile(r"(?<=\s)[–—](?=\s)|—"), re.compile(r"(?<=\s)(-)(?=\s)")),
    _Kind(re.compile("…"), re.compile(r"(?<!\.)(\.\.\.)(?!\.)")),
    _Kind(re.compile("[“”]"), re.compile('(")')),
    _Kind(re.compile("[‘’]"), re.compile("(')")),
)
_OPENING, _CLOSING = "“‘", "”’"
_QUOTES = _OPENING + _CLOSING
# Between letters and digits: 24–70, Paris–Dakar, O’Brien.
_WORD = re.compile(r"[^\W_]+(?:[-–‐‑’][^\W_]+)+")
_SIGN = re.compile("[“”‘’–—…‐‑]")
_PLAIN = str.maketrans({"–": "-", "‐": "-", "‑": "-", "’": "'"})


def has_signs(text: str) -> bool:
    """Tell whether a text has any of these signs."""
    return _SIGN.search(text) is not None


def typeset(source: Sequence[str], spelt: Sequence[str], translated: str) -> str:
    """Return a translation with the signs of its source; `spelt` is the source as the model saw it."""
    before, sent = "\n".join(source), "\n".join(spelt)
    for word in dict.fromkeys(_WORD.findall(before)):
        plain = word.translate(_PLAIN)
        if plain != word and sent.count(plain) == translated.count(plain):
            translated = translated.replace(plain, word)
    for kind in _KINDS:
        translated = _with_signs(kind, before, sent, translated)
    return translated


def _with_signs(kind: _Kind, before: str, sent: str, translated: str) -> str:
    signs = kind.signs.findall(before)
    if not signs or not _are_paired(signs):
        return translated
    counts = {len(kind.plain.findall(text)) for text in (sent, translated)}
    if counts != {len(signs)}:
        return translated
    following = iter(signs)
    return kind.plain.sub(lambda _: next(following), translated)


def _are_paired(signs: Sequence[str]) -> bool:
    """Tell whether quotes open and close in turn; other signs stand alone."""
    if signs[0] not in _QUOTES:
        return True
    turns = zip(signs[::2], signs[1::2], strict=False)
    return len(signs) % 2 == 0 and all(one in _OPENING and other in _CLOSING for one, other in turns)
