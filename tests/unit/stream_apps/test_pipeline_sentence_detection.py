"""The short way to the library's sentences: it is the library's answer, and what it relies on is still so."""

import gettext
import re
import struct
import sys
import unicodedata
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from pydoc_data.topics import topics

import pytest
import regex  # type: ignore[import-untyped]  # it has no stubs
import yasbd
from yasbd.rules import load_rule
from yasbd.rules.base import Rules

from stream_apps.pipeline.paragraphs import paragraphs
from stream_apps.pipeline.sentence_detection import (
    KNOWN_VERSION,
    SentenceDetector,
    Shortcut,
    detector_of,
    folded,
    languages,
)

CATALOGS = Path("/usr/share/locale")
SHORTENED = sorted(languages() - {"th", "my"})


def found_by_library(text: str, language: str) -> list[str]:
    return list(yasbd.BoundaryDetector(language).segment(text, preserve_whitespace=True))


def detector(language: str) -> SentenceDetector:
    known = detector_of(language)
    assert known is not None
    return known


def words_of(language: str, *kinds: str) -> set[str]:
    rule = load_rule(language, ext_registry={})
    return {word for name in dir(rule) if name.endswith(kinds) for word in getattr(rule, name)}


def prose_of(text: str) -> Iterator[str]:
    start = 0
    for found in paragraphs(text):
        paragraph, start = re.sub(r"\s", " ", text[start : found.end]), found.end
        if paragraph.strip() and len(paragraph) <= 2000:
            yield paragraph


def english() -> list[str]:
    """The language reference of Python, our own documents and the readme files of what is installed."""
    texts = [*topics.values(), *(path.read_text() for path in Path("docs").rglob("*.md"))]
    texts += [one.read_text("METADATA") or "" for one in distributions()]
    return sorted({paragraph for text in texts for paragraph in prose_of(text)})


def translated(language: str) -> list[str]:
    """The messages of the programs on this machine in that language."""
    found: set[str] = set()
    for path in sorted(CATALOGS.glob(f"{language}*/LC_MESSAGES/*.mo"))[:12]:
        try:
            with path.open("rb") as file:
                messages = vars(gettext.GNUTranslations(file))["_catalog"]
        except (OSError, UnicodeDecodeError, struct.error):
            continue
        found.update(one for text in messages.values() if isinstance(text, str) for one in prose_of(text))
    return sorted(found)


def test_four_thousand_paragraphs_of_english_are_cut_as_the_library_cuts_them():
    corpus = english()
    sample = corpus[:: len(corpus) // 4000]
    assert len(sample) >= 4000
    library = yasbd.BoundaryDetector("en")
    for paragraph in sample:
        wanted = list(library.segment(paragraph, preserve_whitespace=True))
        assert detector("en").segment(paragraph) == wanted


@pytest.mark.skipif(not any(CATALOGS.glob("*/LC_MESSAGES/*.mo")), reason="no translated messages here")
@pytest.mark.parametrize("language", SHORTENED)
def test_messages_of_every_language_are_cut_as_the_library_cuts_them(language):
    library = yasbd.BoundaryDetector(language)
    corpus = translated(language)
    for paragraph in corpus[:: max(len(corpus) // 250, 1)]:
        wanted = list(library.segment(paragraph, preserve_whitespace=True))
        assert detector(language).segment(paragraph) == wanted


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("en", "Dr. Smith came. He sat.", ["Dr. Smith came.", " He sat."]),
        ("en", "He lives in Washington. It is big.", ["He lives in Washington.", " It is big."]),
        ("en", "I use Yahoo! Mail daily. Really.", ["I use Yahoo! Mail daily.", " Really."]),
        ("en", 'He said: "Stop. Now." And left.', ['He said: "Stop. Now."', " And left."]),
        ("en", "See p. 5. Then go.", ["See p. 5.", " Then go."]),
        ("de", "Am 3. Mai kam er. Es war gut.", ["Am 3. Mai kam er.", " Es war gut."]),
        ("ja", "家は大きい。庭は緑。", ["家は大きい。", "庭は緑。"]),
        ("hy", "I。Սա", ["I。", "Սա"]),
    ],
)
def test_exceptions_of_the_library_hold(language, text, sentences):
    assert detector(language).segment(text) == sentences == found_by_library(text, language)


@pytest.mark.parametrize(
    ("text", "is_short"),
    [
        ("The house is big. The garden is green.", True),
        ("Save as", True),
        ("The house (a big one) is old. It stands.", True),
        ("Mr. Smith came.", False),
        ("In 1999. Then.", False),
        ("Look: 1. one two 2. three", False),
        ("Contents ....... 5", False),
    ],
)
def test_the_library_is_asked_only_where_it_may_know_an_exception(text, is_short):
    assert (Shortcut("en").boundaries(text) is not None) is is_short


def test_another_version_of_the_library_answers_by_itself(monkeypatch):
    monkeypatch.setattr("stream_apps.pipeline.sentence_detection.__version__", "1.0.5")
    monkeypatch.setattr(Shortcut, "boundaries", lambda *_: pytest.fail("the short way was taken"))
    assert SentenceDetector("en").segment("One. Two.") == ["One.", " Two."]


# What the short way relies on. Where one of these fails after an upgrade: compare the patterns of yasbd/rules with
# this module's exceptions anew, run the property test for an hour, then raise KNOWN_VERSION.


def test_the_installed_library_is_the_one_that_was_compared():
    assert yasbd.__version__ == KNOWN_VERSION


@pytest.mark.parametrize("language", SHORTENED)
def test_nothing_but_terminators_ends_a_sentence(language):
    rule = load_rule(language, ext_registry={})
    hook = type(rule).post_process_boundaries
    # These two add ends behind street names, before a capitalised word: candidates anyway.
    assert hook is Rules.post_process_boundaries or hook.__qualname__.startswith(("EnRules", "DeRules"))
    assert not [word for word in rule.COMMON_SENT_STARTERS if unicodedata.category(word[0]) == "Ll"]
    assert not rule.TERMINATORS & set("·•∙⋅<>")
    assert all(len(terminator) == 1 and not terminator.isalnum() for terminator in rule.TERMINATORS)


@pytest.mark.parametrize("language", SHORTENED)
def test_no_abbreviation_ends_in_a_closing_mark(language):
    assert not [word for word in words_of(language, "_ABBRVS") if word[-1] in ")]}\"'”’»›"]


def test_letters_that_a_pattern_takes_for_the_same_are_the_same_when_folded():
    everything = "".join(one for one in map(chr, range(sys.maxunicode)) if one.isalpha() or one.casefold() != one)
    kinds = ("_ABBRVS", "_MARKERS", "_EXCLAMATION")
    words = {word for language in SHORTENED for word in words_of(language, *kinds)}
    letters = {one for word in words for one in word.lower() if one.isalpha() and one.lower() != one.upper()}
    assert len(letters) > 100
    for letter in sorted(letters):
        same = re.findall(letter, everything, re.IGNORECASE) + regex.findall(letter, everything, regex.IGNORECASE)
        assert {folded(one) for one in same} == {folded(letter)}
