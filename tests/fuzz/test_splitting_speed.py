"""No text of 4,000 characters takes intake long to cut or to recognise, whatever is in it."""

import random
from contextlib import suppress

import pytest

from connectors.formats.markup.fragments import fragments
from schemas.errors import PermanentError
from stream_apps.pipeline.language_detection import LangidDetector
from stream_apps.pipeline.segmentation import Segmenter
from tests.fuzz.test_masking_speed import CHARACTERS, MOST_SECONDS, MOTIFS, best_of

SEGMENTER, DETECTOR = Segmenter(), LangidDetector()
# 1,300 sentences or tags take 30 to 50 ms, 40 us each; what is quadratic takes seconds.
MOST_SECONDS_IN_PIECES = 20 * MOST_SECONDS
# Lines, items, quotations, sentences; messages and catalogues, whole and not; columns, fences, tags.
STRUCTURES = [
    "\n", "\r\n", "\u2028", "> a\n", "- a\n", "1. a\n", "a\n b\n", "A.\n", "Mr. ", "a. ", "!?", "...", "。",
    "{a, plural, other {", "{a, plural, one {x} other {y}} ", "{a,select,a{", "'{", "''", "{a, plural, =1 {x}",
    'msgid "a"\n', 'msgid "a"\nmsgstr ""\n\n', '"a"\n', "a\tb", "   ", "| a ", "```\n", "<b>a</b> ", "<br>",
    "<!--", "&a", "<a b='",
]  # fmt: skip


def _check(text: str) -> None:
    assert best_of(lambda: DETECTOR.detect(text)) < MOST_SECONDS
    assert best_of(lambda: SEGMENTER.split(text, "en", "pt"), MOST_SECONDS_IN_PIECES) < MOST_SECONDS_IN_PIECES
    with suppress(PermanentError):  # some have more codes than a unit may
        assert best_of(lambda: fragments(text, "text/html", {}), MOST_SECONDS_IN_PIECES) < MOST_SECONDS_IN_PIECES


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    DETECTOR.detect("The model is loaded at the first call.")


@pytest.mark.parametrize("motif", STRUCTURES)
def test_no_repeated_structure_takes_long(motif):
    _check((motif * CHARACTERS)[:CHARACTERS])


@pytest.mark.parametrize("seed", range(6))
def test_no_mixture_of_structures_takes_long(seed):
    chosen = random.Random(seed)
    _check("".join(chosen.choice(STRUCTURES + MOTIFS) for _ in range(CHARACTERS))[:CHARACTERS])
