"""Where sentences end inside one paragraph: yasbd for its languages, sentencex for all others."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import accumulate

import sentencex
import structlog
from yasbd import BoundaryDetector, get_supported_langs

log = structlog.get_logger()

# Both libraries need quadratic time on long runs of punctuation; no sentence ends inside one.
_RUN = re.compile(r"[^\w\s]{20,}")
# And they are asked about so many characters at a time at most.
CHUNK_CHARACTERS = 2000
_WHITE_SPACE = re.compile(r"\s")


def sentence_ends(paragraph: str, language: str) -> list[int]:
    """Offsets behind each sentence. The paragraph's own line breaks end no sentence."""
    # The same length throughout, so that offsets stay true.
    flat = _RUN.sub(lambda run: "x" * len(run[0]), _WHITE_SPACE.sub(" ", paragraph))
    chunks = _chunks(flat)
    pieces = [piece for chunk in chunks for piece in _sentences(chunk, language)]
    return list(accumulate(map(len, pieces)))


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
    found = _detected(text, language.partition("-")[0])
    # A segmenter that loses or adds a character would shift everything behind it.
    return found if "".join(found) == text else [text]


def _detected(text: str, language: str) -> list[str]:
    detector = _detector(language)
    if detector is not None:
        return list(detector.segment(text, preserve_whitespace=True))
    try:
        return [boundary["text"] for boundary in sentencex.get_sentence_boundaries(language, text)]
    except BaseException as error:  # the library panics in Rust, past Exception, on rare inputs
        if type(error).__name__ != "PanicException":
            raise
        log.warning("segmenter_panicked", language=language, characters=len(text))
        return [text]


@cache
def _detector(language: str) -> BoundaryDetector | None:
    return BoundaryDetector(language) if language in _languages() else None


@cache
def _languages() -> frozenset[str]:
    return frozenset(get_supported_langs()) - {"auto"}


def cuts(sentence: str, longest: int) -> Iterator[int]:
    """Where an overlong sentence is cut: behind punctuation, else behind white space, else anywhere."""
    start = 0
    while len(sentence) - start > longest:
        window = sentence[start : start + longest]
        start += _last(r"[,;:.!?)\]»”、。，；：]\s*", window) or _last(r"\s+", window) or longest
        yield start


def _last(pattern: str, window: str) -> int:
    # In the second half only: a cut near the beginning would leave crumbs.
    ends = [match.end() for match in re.finditer(pattern, window) if match.end() > len(window) // 2]
    return ends[-1] if ends else 0
