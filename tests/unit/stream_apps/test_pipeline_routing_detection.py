"""A language is named when it is likely, and asked for when it is not."""

import pytest

from schemas.errors import PermanentError
from stream_apps.pipeline.routing import LangidDetector


@pytest.fixture(scope="module")
def detector():
    return LangidDetector()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The house is big and the garden is green.", "en"),
        ("A casa é grande e o jardim é verde.", "pt"),
        ("Das Haus ist groß und der Garten ist grün.", "de"),
        ("家は大きく、庭は緑です。", "ja"),
    ],
)
def test_a_sentence_is_recognised(detector, text, language):
    assert str(detector.detect(text)) == language


@pytest.mark.parametrize("text", ["12345", "?!", "   ", ""])
def test_a_text_without_letters_has_no_language(detector, text):
    with pytest.raises(PermanentError) as caught:
        detector.detect(text)
    assert (caught.value.cause, caught.value.field) == ("undetected_language", "source_language")
    assert caught.value.cure == "name the source language, or send more text"


def test_only_the_beginning_of_a_long_text_is_looked_at():
    text = "The house is big and the garden is green. " * 5 + "Das Haus ist groß. " * 1000
    assert str(LangidDetector(sample_characters=200).detect(text)) == "en"


def test_a_language_must_be_as_likely_as_configured():
    with pytest.raises(PermanentError):
        LangidDetector(threshold=1.01).detect("The house is big and the garden is green.")
