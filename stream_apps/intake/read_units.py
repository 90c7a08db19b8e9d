"""Read a unit as what its request says it is: plain text, coded text of a document, or text with tags. Pure.

Of text with tags the sentences are segments with inline codes, and all other markup stands in the gaps. What the
codes of a sentence stand for travels beside it, so nothing but the batch is needed to write it again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.formats.markup.fragments import fragments, words_in
from connectors.formats.splicing import Found
from schemas.documents import is_document
from schemas.markup import is_marked_up
from schemas.messages import TranslationRequest
from schemas.units import kind_of
from stream_apps.intake.marked_split import split_marked
from stream_apps.pipeline.coded_split import split_coded
from stream_apps.pipeline.split import Split
from stream_apps.pipeline.tag_attributes import USUAL_AMID, AmidLimits


class ReadUnit(Protocol):
    """A unit: its text as it came, and the words that there are to read."""

    @property
    def text(self) -> str: ...
    @property
    def words(self) -> str: ...
    def split(self, split: Callable[[str], Split]) -> Split:
        """Return its split, the prose of it split by `split`."""


def reader_of(request: TranslationRequest, amid: AmidLimits = USUAL_AMID) -> Callable[[str], ReadUnit]:
    """Return what reads the units of a request. Raises PermanentError where one has too many codes."""
    if is_document(request):
        return CodedUnit
    if is_marked_up(kind_of(request), request.content_type):
        return lambda text: MarkedUnit(text, fragments(text, request.content_type, request.filter_options), amid)
    return PlainUnit


@dataclass(frozen=True)
class PlainUnit:
    """A unit of plain text."""

    text: str

    @property
    def words(self) -> str:
        return self.text

    def split(self, split: Callable[[str], Split]) -> Split:
        return split(self.text)


@dataclass(frozen=True)
class CodedUnit:
    """A unit of a document, whose skeleton holds what its codes stand for."""

    text: str

    @property
    def words(self) -> str:
        return self.text

    def split(self, split: Callable[[str], Split]) -> Split:
        return split_coded(self.text, split)


@dataclass(frozen=True)
class MarkedUnit:
    """A unit of HTML or XML, and where its prose stands."""

    text: str
    found: Sequence[Found]
    amid: AmidLimits

    @property
    def words(self) -> str:
        return words_in(self.found)

    def split(self, split: Callable[[str], Split]) -> Split:
        return split_marked(self.text, self.found, split, self.amid)
