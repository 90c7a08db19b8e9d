"""Write translated attributes into the tags amid their sentences. Pure.

The sentence up to its first attribute is the text of its segment; each attribute is that of its own, so that a
hole or a doubt stands where it is; what comes behind an attribute stands in the gap behind it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.coded_text import isolated, opening, pieces_of, renumbered
from schemas.markup import escaped, quoted
from schemas.messages import SegmentBatch
from stream_apps.pipeline.markup import originals_of
from stream_apps.pipeline.tag_attributes import TagAttribute, groups_of


class TaggedTexts(NamedTuple):
    """The texts of a batch as its markup has them, the gaps behind them, and why some show their source."""

    texts: list[str]
    gaps: list[str]
    causes: list[str | None]


def in_their_tags(batch: SegmentBatch, coded: Sequence[str], done: TaggedTexts, broken: str) -> TaggedTexts:
    """Return the texts with attributes in their tags. `coded` are the translations, with codes for their tags.

    A sentence that is a hole shows its source, and the attributes with it: they are holes of no length. So it is,
    for the cause `broken`, where a translation has its tags in another order and an attribute is a hole.
    """
    originals = originals_of(batch)
    for group in groups_of(batch.message_forms):
        _write(_Sentence(batch, group, originals, done), coded, broken)
    return done


@dataclass(frozen=True)
class _Sentence:
    """A sentence and its attributes: segments `group` of a batch, the sentence first."""

    batch: SegmentBatch
    group: range
    originals: Mapping[str, str]
    done: TaggedTexts

    def pieces(self, coded: str) -> Iterator[tuple[str, int]]:
        """Yield what a coded text of the sentence is made of, each piece with the segment that it is of."""
        sentence, places = self.group[0], self._places()
        for piece, is_code in pieces_of(coded):
            if not is_code:
                yield escaped(piece), sentence
                continue
            original, behind = self.originals[piece], 0
            for attribute, segment in places.get(piece, ()):
                yield original[behind : attribute.start], sentence
                yield self._value(original, attribute, segment), segment
                behind = attribute.end
            yield original[behind:], sentence

    def _places(self) -> Mapping[str, list[tuple[TagAttribute, int]]]:
        numbers = renumbered(self.batch.texts[self.group[0]]).numbers
        places: dict[str, list[tuple[TagAttribute, int]]] = {}
        for segment in self.group[1:]:
            attribute = TagAttribute.parse(self.batch.message_forms[segment] or "")
            for code in (opening, isolated):
                places.setdefault(code(numbers[attribute.code]), []).append((attribute, segment))
        return places

    def _value(self, original: str, attribute: TagAttribute, segment: int) -> str:
        if self.done.causes[segment] or self.done.texts[segment] == quoted(self.batch.texts[segment]):
            return original[attribute.start : attribute.end]
        value = self.done.texts[segment]
        return f'"{value}"' if attribute.is_bare else value


def _write(sentence: _Sentence, coded: Sequence[str], broken: str) -> None:
    done, (first, *attributes) = sentence.done, sentence.group
    pieces = [] if done.causes[first] else list(sentence.pieces(coded[first]))
    order = [segment for _, segment in pieces if segment != first]
    if order != attributes and any(done.causes[at] for at in attributes):
        done.causes[first] = done.causes[first] or broken
    if done.causes[first]:
        done.texts[first] = "".join(text for text, _ in _source(sentence))
    elif order != attributes:
        done.texts[first] = "".join(text for text, _ in pieces)
    else:
        _place(sentence, pieces)
        return
    for at in attributes:
        done.texts[at], done.gaps[at - 1] = "", ""
        done.causes[at] = done.causes[first]


def _source(sentence: _Sentence) -> Iterator[tuple[str, int]]:
    for piece, is_code in pieces_of(sentence.batch.texts[sentence.group[0]]):
        yield sentence.originals[piece] if is_code else escaped(piece), 0


def _place(sentence: _Sentence, pieces: Sequence[tuple[str, int]]) -> None:
    """Give each segment its own piece, and each gap what stands behind it."""
    done, group = sentence.done, sentence.group
    behind = done.gaps[group[-1]]
    at = group[0]
    done.texts[at] = ""
    for text, segment in pieces:
        if segment != group[0]:
            at = segment
            done.texts[at], done.gaps[at] = text, ""
        elif at == group[0]:
            done.texts[at] += text
            done.gaps[at] = ""
        else:
            done.gaps[at] += text
    done.gaps[at] += behind
