"""Split a text with tags: its sentences are segments with inline codes, all other markup stands in the gaps. Pure.

Attributes that readers see are segments as well. Those of a tag amid a sentence, which is an inline code of it,
come behind the sentence and say where they belong (stream_apps/pipeline/tag_attributes.py).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from connectors.formats.coding import Coded
from connectors.formats.markup.html import HTML_ENCODERS
from connectors.formats.markup.seen_attributes import BARE, DOUBLE
from connectors.formats.splicing import Found
from schemas.coded_text import closing, codes_of, is_closing, isolated, opening, pieces_of, renumbered
from stream_apps.pipeline.coded_split import split_coded
from stream_apps.pipeline.split import CodeOriginal, Split, concatenated
from stream_apps.pipeline.tag_attributes import USUAL_AMID, AmidLimits, TagAttribute

_PROSE = "text"


def split_marked(
    text: str, found: Sequence[Found], split: Callable[[str], Split], amid: AmidLimits = USUAL_AMID
) -> Split:
    """Return the split of a text in which `found` was found, in its order; its prose is split by `split`."""
    attributes = [one for one in found if one.encoder != _PROSE]
    return concatenated(list(_Splitter(text, split, attributes, amid).parts(found)))


@dataclass(frozen=True)
class _Splitter:
    """Splits one text; `attributes` are those that readers see, by their offsets."""

    text: str
    split: Callable[[str], Split]
    attributes: Sequence[Found]
    amid: AmidLimits

    def parts(self, found: Sequence[Found]) -> Iterator[Split]:
        at = 0
        for one in found:
            # An attribute may stand in a tag of the prose before it.
            if one.start >= at:
                yield _gap(self.text[at : one.start])
                yield from self._prose(one.coded) if one.encoder == _PROSE else self._attribute(one)
                at = one.end
        yield _gap(self.text[at:])

    def _prose(self, coded: Coded) -> Iterator[Split]:
        yield from self._between(coded.lead, coded, _PROSE)
        yield from self._sentences(coded, _PROSE)
        yield from self._between(coded.trail, coded, _PROSE)

    def _attribute(self, found: Found) -> Iterator[Split]:
        # Its translation may have spaces.
        quote = _gap('"' if found.encoder == BARE else "")
        encoder = DOUBLE if found.encoder == BARE else found.encoder
        yield quote
        yield from self._between(found.coded.lead, found.coded, encoder)
        yield from self._sentences(found.coded, encoder)
        yield from self._between(found.coded.trail, found.coded, encoder)
        yield quote

    def _sentences(self, coded: Coded, encoder: str) -> Iterator[Split]:
        found = split_coded(coded.text, self.split)
        originals = {code: "".join(text for text, _ in original) for code, original in coded.originals.items()}
        yield Split("", (), (), found.marks)
        yield from self._between(found.lead, coded, encoder)
        forms = found.message_forms or [None] * len(found.texts)
        for text, gap, form in zip(found.texts, found.gaps, forms, strict=True):
            segment = renumbered(text)
            codes = tuple(_original(number, originals) for number in segment.numbers)
            yield Split("", (segment.text,), ("",), message_forms=(form,), codes=(codes,))
            yield from self._in_tags(text, coded)
            yield from self._between(gap, coded, encoder)

    def _in_tags(self, sentence: str, coded: Coded) -> Iterator[Split]:
        """Yield the attributes in the tags amid a sentence. One whose lines mean something keeps all it has."""
        found = self._attributes_amid(sentence, coded) if "\n" not in coded.text else ()
        for attribute, place in islice(found, self.amid.attributes):
            form = place._replace(is_bare=attribute.encoder == BARE).form
            yield Split("", (attribute.coded.text,), ("",), message_forms=(form,), codes=((),))

    def _attributes_amid(self, sentence: str, coded: Coded) -> Iterator[tuple[Found, TagAttribute]]:
        starts = (code for code in codes_of(sentence) if not is_closing(code))
        for number, code in enumerate(starts):
            behind = 0
            for markup, at in coded.originals[code]:
                for one in self._attributes_within(at, at + len(markup)) if at >= 0 else ():
                    if _is_plain(one) and one.end - one.start <= self.amid.characters:
                        yield one, TagAttribute(number, behind + one.start - at, behind + one.end - at)
                behind += len(markup)

    def _between(self, gap: str, coded: Coded, encoder: str) -> Iterator[Split]:
        """Write what stands around sentences; in the tags there, attributes are segments."""
        for piece, is_code in pieces_of(gap):
            if not is_code:
                yield _gap(HTML_ENCODERS[encoder](piece))
                continue
            for markup, at in coded.originals[piece]:
                yield from self._markup(markup, at)

    def _markup(self, markup: str, at: int) -> Iterator[Split]:
        """Split markup from the offset `at` of the text, -1 for what stands nowhere in it."""
        behind = at
        for one in self._attributes_within(at, at + len(markup)) if at >= 0 else ():
            yield _gap(self.text[behind : one.start])
            yield from self._attribute(one)
            behind = one.end
        yield _gap(markup[behind - at :])

    def _attributes_within(self, start: int, end: int) -> Iterator[Found]:
        number = bisect_left(self.attributes, start, key=_start)
        while number < len(self.attributes) and self.attributes[number].start < end:
            yield self.attributes[number]
            number += 1


def _is_plain(found: Found) -> bool:
    """Tell whether the value of an attribute is one text from its first to its last character."""
    lead, _, trail, originals, _ = found.coded
    return not (lead or trail or originals)


def _start(found: Found) -> int:
    return found.start


def _gap(text: str) -> Split:
    return Split(text, (), ())


def _original(number: int, originals: Mapping[str, str]) -> CodeOriginal:
    start = originals.get(opening(number), originals.get(isolated(number), ""))
    return CodeOriginal(start, originals.get(closing(number), ""))
