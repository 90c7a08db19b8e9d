"""Cut a text into segments: paragraphs, then sentences; a sentence too long for an engine is cut again. Pure.

Inside a paragraph, yasbd finds the ends of sentences for the languages it knows, sentencex for all others.
Whatever the libraries answer, nothing of the text is lost.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import sentencex
import structlog

from schemas.segments import LINE_START
from stream_apps.pipeline.columns import column_ends
from stream_apps.pipeline.gettext_split import MalformedCatalogueError, is_catalogue, split_catalogue
from stream_apps.pipeline.icu_blocks import Block, blocks
from stream_apps.pipeline.icu_messages import BRANCHING, MalformedMessageError
from stream_apps.pipeline.icu_split import split_message
from stream_apps.pipeline.paragraphs import paragraphs
from stream_apps.pipeline.passing_through import CODE, NO_LETTERS, UNPARSABLE, has_letters, marks_of, untouched
from stream_apps.pipeline.sentence_detection import detector_of
from stream_apps.pipeline.split import Split, concatenated

log = structlog.get_logger()

# Part of the pipeline version. Count it up with every change of the rules: a replay of an older request must not
# be taken for the same batches.
SEGMENTATION_VERSION = "8"

# The most characters that a library gets at a time.
CHUNK_CHARACTERS = 2000
# Both libraries need quadratic time on long runs of punctuation; no sentence ends inside one.
_SIGN = re.compile(r"[^\w\s]")
_RUN = re.compile(r"[^\w\s]{20,}")
_OTHER_SPACE = re.compile(r"[^\S ]")


# What stands before the words of a line and is none of them: bullets, marks of headings and of quotation.
_MARGIN_SIGNS = "-*+•‣–—#>"
_MARGIN = re.compile(r"(?:\s|(?:[-*+•‣–—]|#{1,6})(?=\s|\Z)|>(?=[\s>]|\Z))*")
_QUOTED_LINE_START = re.compile(rf"(?:\A|(?<=[\r\n])){LINE_START}")


# Abbreviations that stand before what they name, and that the libraries miss.
_NEVER_ENDS = {
    language: re.compile(rf"\b(?:{words})\.\s*\Z", re.IGNORECASE)
    for language, words in {
        "de": "exkl",
        "es": "avda|págs|ed",
        "fr": "pr|env|éd|tél",
        "it": "pagg",
        "pt": "tv|obs|séc|máx|mín",
    }.items()
}


# The dot that names a folder, as in `find . -name "*.txt"`.
_LONE_DOT = re.compile(r"\s\.{1,2}\s+-")
_ENDS_IN_DOT = re.compile(r"\s\.{1,2}\s*\Z")


# A place where the text is cut, and whether the piece before it is code. A plain tuple: most texts are short.
Cut = tuple[int, bool]


@dataclass(frozen=True)
class Segmenter:
    """A pure function of text and language. No segment has more than `longest` characters."""

    longest: int = 1000

    def split(self, text: str, language: str, target: str = "") -> Split:
        """Split the text into segments; languages are BCP-47 tags. ICU messages get the plurals of `target`."""
        if is_catalogue(text):
            return _catalogue(text, language, target)
        if "{" in text and BRANCHING.search(text):
            found = [self._block(text[one.start : one.end], one, (language, target)) for one in blocks(text)]
            return concatenated(found)
        return split_at(text, self._cuts(text, language))

    def _block(self, text: str, block: Block, languages: tuple[str, str]) -> Split:
        if not block.is_message:
            return split_at(text, self._cuts(text, languages[0]))
        try:
            return split_message(text, *languages)
        except MalformedMessageError:
            return untouched(text, UNPARSABLE)

    def _cuts(self, text: str, language: str) -> Iterator[Cut]:
        start = 0
        for paragraph in paragraphs(text):
            content = text[start : paragraph.end]
            offset = start
            is_prose = not paragraph.is_code and not content.isspace()
            for end in _piece_ends(content, language) if is_prose else ():
                if offset + end - start > self.longest:
                    yield from ((start + cut, False) for cut in cuts(text[start : offset + end], self.longest))
                start = offset + end
                yield start, False
            start = paragraph.end
            yield start, paragraph.is_code


def _catalogue(text: str, language: str, target: str) -> Split:
    try:
        return split_catalogue(text, language, target)
    except MalformedCatalogueError:
        return untouched(text, UNPARSABLE)


def split_at(text: str, places: Iterable[Cut]) -> Split:
    """Cut the text at these places, in their order.

    White space around a piece goes into the gaps, with list bullets, marks of quotation and of headings, and so
    does a piece that passes through.
    """
    texts: list[str] = []
    margins: list[str] = []
    passed: dict[str, int] = {}
    start = behind = 0
    for end, is_code in (*places, (len(text), False)):
        content = _without_margin(text[start:end])
        cause = _passes_for(content, is_code) if content else None
        if cause:
            passed[cause] = passed.get(cause, 0) + 1
        elif content:
            begin = text.rindex(content, start, end)
            texts.append(content)
            margins.append(text[behind:begin])
            behind = begin + len(content)
        start = end
    lead, *gaps = *margins, text[behind:]
    return Split(lead, tuple(texts), tuple(gaps), marks_of(passed) if passed else ())


def _passes_for(content: str, is_code: bool) -> str | None:  # part of a Cut
    if is_code:
        return CODE
    return None if has_letters(content) else NO_LETTERS


def _without_margin(piece: str) -> str:
    content = piece.strip()
    if content and content[0] in _MARGIN_SIGNS and (margin := _MARGIN.match(content)):
        return content[margin.end() :]
    return content


def _piece_ends(paragraph: str, language: str) -> list[int]:
    """Return the offset behind each sentence and each column."""
    ends, columns = sentence_ends(paragraph, language), list(column_ends(paragraph))
    return sorted({*ends, *columns}) if columns else ends


def sentence_ends(paragraph: str, language: str) -> list[int]:
    """Return the offset behind each sentence. The paragraph's own line breaks end no sentence."""
    # The same length throughout, so that offsets stay true.
    if ">" in paragraph:
        paragraph = _QUOTED_LINE_START.sub(lambda found: " " * len(found[0]), paragraph)
    flat = _OTHER_SPACE.sub(" ", paragraph.replace("\n", " "))
    # A run of twenty signs has one at a multiple of twenty.
    if _SIGN.search(flat[::20]):
        flat = _RUN.sub(lambda run: "x" * len(run[0]), flat)
    sentences = [sentence for chunk in _chunks(flat) for sentence in _sentences(chunk, language)]
    return list(accumulate(map(len, sentences)))


def cuts(sentence: str, longest: int) -> Iterator[int]:
    """Yield where to cut an overlong sentence: behind punctuation, else behind white space, else anywhere."""
    start = 0
    while len(sentence) - start > longest:
        window = sentence[start : start + longest]
        start += _last(r"[,;:.!?)\]»”、。，；：]\s*", window) or _last(r"\s+", window) or longest
        yield start


def _last(pattern: str, window: str) -> int:
    # In the second half only: a cut near the beginning would leave crumbs.
    ends = [match.end() for match in re.finditer(pattern, window) if match.end() > len(window) // 2]
    return ends[-1] if ends else 0


def _chunks(text: str) -> list[str]:
    chunks: list[str] = []
    start = 0
    while len(text) - start > CHUNK_CHARACTERS:
        space = text.rfind(" ", start + 1, start + CHUNK_CHARACTERS)
        end = space + 1 if space > start else start + CHUNK_CHARACTERS
        chunks.append(text[start:end])
        start = end
    return [*chunks, text[start:]]


def _sentences(text: str, language: str) -> list[str]:
    base = language.partition("-")[0]
    found = _detected(text, base)
    if base in _NEVER_ENDS and len(found) > 1:
        found = _rejoined(found, _NEVER_ENDS[base])
    if _LONE_DOT.search(text):
        found = _rejoined(found, _ENDS_IN_DOT)
    # A library that loses or adds a character would shift everything behind it.
    return found if "".join(found) == text else [text]


def _rejoined(sentences: list[str], never_ends: re.Pattern[str]) -> list[str]:
    """Join what a library cut behind an abbreviation that it does not know."""
    joined: list[str] = []
    for sentence in sentences:
        if joined and never_ends.search(joined[-1]):
            joined[-1] += sentence
        else:
            joined.append(sentence)
    return joined


def _detected(text: str, language: str) -> list[str]:
    detector = detector_of(language)
    if detector is not None:
        return detector.segment(text)
    try:
        return [boundary["text"] for boundary in sentencex.get_sentence_boundaries(language, text)]
    except BaseException as error:  # the library panics in Rust, past Exception, on rare inputs
        if type(error).__name__ != "PanicException":
            raise
        log.warning("segmenter_panicked", language=language, characters=len(text))
        return [text]
