"""The units of a document with their translations, as every bilingual file holds them. Pure values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.coded_text import CODE, ISOLATED


class Pair(NamedTuple):
    """A unit and its translation, both coded text. `is_whole`: no sentence of it is missing a translation."""

    place: str
    source: str
    target: str
    is_whole: bool = True


@dataclass(frozen=True)
class Bilingual:
    """All pairs of a document in reading order. Languages are BCP-47 tags."""

    file_name: str
    source_language: str
    target_language: str
    pairs: Sequence[Pair]


Write = Callable[[Bilingual], Iterator[str]]


def plain(coded: str) -> str:
    """Return a unit as a reader sees it: a code that stands alone, such as a line break, is a space."""
    return CODE.sub(lambda code: " " if ord(code[0]) >= ISOLATED else "", coded)
