"""Compare the figures of a text and its translation, by value: 1,234.5 and 1.234,5 are one. Pure."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

# Digits of any script, with what may stand between them, and a sign for shares.
_FIGURE = re.compile(r"\d++(?:[.,'’\u00a0\u202f٫٬]\d++)*+(?:[ \u00a0\u202f]?[%‰٪])?")
_SHARES = "%‰٪"
_DIGIT = re.compile(r"\d")
_SIGNS = re.compile(r"[^\d]")
_GROUP = 3

Reading = tuple[str, str]


def same_figures(source: Iterable[str], translated: Iterable[str]) -> bool:
    """Tell whether both hold the same figures equally often; each stretch of text is taken by itself."""
    texts = "\n".join(source), "\n".join(translated)
    if not any(map(_DIGIT.search, texts)):
        return True
    figures = [_FIGURE.findall(text) for text in texts]
    if figures[0] == figures[1]:
        return True
    before, behind = map(Counter, figures)
    if before == behind:
        return True
    wanted, found = _by_digits(before - behind), _by_digits(behind - before)
    if wanted.keys() != found.keys():
        return False
    return all(_fit(wanted[digits], found[digits]) for digits in wanted)


def _by_digits(counts: Counter[str]) -> dict[str, list[set[Reading]]]:
    figures: dict[str, list[set[Reading]]] = defaultdict(list)
    for written, count in counts.items():
        share = written[-1] if written[-1] in _SHARES else ""
        figure = _western(written.rstrip(_SHARES + " \u00a0\u202f"))
        figures[_SIGNS.sub("", figure) + share] += [_readings(figure)] * count
    return figures


def _western(figure: str) -> str:
    if figure.isascii():
        return figure
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in figure)


def _readings(figure: str) -> set[Reading]:
    """Return what the figure may mean, as digits before and behind the decimal sign."""
    signs = _SIGNS.findall(figure)
    digits = _SIGNS.sub("", figure)
    if not signs:
        return {(digits, "")}
    *_, last = _SIGNS.split(figure)
    whole, decimal = (digits, ""), (digits[: len(digits) - len(last)], last)
    if len(signs) > 1:
        return {whole} if len(set(signs)) == 1 else {decimal}
    # One sign before three digits may group them or not.
    return {whole, decimal} if len(last) == _GROUP else {decimal}


def _fit(wanted: list[set[Reading]], found: list[set[Reading]]) -> bool:
    if len(wanted) != len(found):
        return False
    return all(
        one & other for one, other in zip(sorted(wanted, key=sorted), sorted(found, key=sorted), strict=True)
    )
