"""A language is named when it is likely; a short text may lean on its neighbours."""

import pytest

from stream_apps.pipeline.language_detection import LangidDetector


@pytest.fixture(scope="module")
def detector():
    return LangidDetector()


def names(detections):
    return [one.language and str(one.language) for one in detections]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The house is big and the garden is green.", "en"),
        ("A casa é grande e o jardim é verde.", "pt"),
        ("Das Haus ist groß und der Garten ist grün.", "de"),
        ("家は大きく、庭は緑です。", "ja"),
        ("Bom dia a todos.", "pt"),
    ],
)
def test_a_sentence_is_recognised_with_a_probability(detector, text, language):
    found = detector.detect(text)
    assert str(found.language) == language
    assert 0.5 <= found.probability <= 1


@pytest.mark.parametrize("text", ["12345", "?!", "   ", "", "👩‍👩‍👧 🏳️‍🌈", "ℹ️"])
def test_a_text_without_letters_has_no_language(detector, text):
    assert detector.detect(text) == (None, 0.0)


@pytest.mark.parametrize("text", ["OK", "Guardar", "NASA"])
def test_a_short_text_alone_has_no_likely_language(detector, text):
    found = detector.detect(text)
    assert found.language is None
    assert found.probability < 0.5


def test_only_the_beginning_of_a_long_text_is_looked_at():
    text = "The house is big and the garden is green. " * 5 + "Das Haus ist groß. " * 1000
    assert str(LangidDetector(sample_characters=200).detect(text).language) == "en"


def test_a_language_must_be_as_likely_as_configured():
    assert LangidDetector(threshold=1.01).detect("The house is big and the garden is green.").language is None


def test_short_texts_lean_on_their_neighbours_and_clear_ones_do_not(detector):
    texts = [
        "Guardar",
        "O ficheiro foi guardado na pasta que escolheu.",
        "OK",
        "12:30",
        "The settings were changed by another user.",
        "Tem a certeza de que deseja apagar este ficheiro?",
        "Cancelar",
        "こんにちは",
    ]
    assert names(detector.detect_each(texts)) == ["pt", "pt", "pt", None, "en", "pt", "pt", "ja"]


def test_texts_without_a_sure_neighbour_stand_for_themselves(detector):
    texts = ["OK", "Guardar", "Abbrechen"]
    assert detector.detect_each(texts) == [detector.detect(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "among", "language"),
    [
        ("Save", ["en", "pt-BR"], "en"),
        ("Guardar", ["en", "pt-BR"], "pt"),
        ("Das Haus ist groß und der Garten ist grün.", ["en", "pt"], "de"),
        ("123", ["en", "pt"], "None"),
        ("Save", ["tlh"], "None"),
    ],
)
def test_a_guess_is_one_of_those_that_are_wanted_unless_the_text_speaks_for_itself(
    detector, text, among, language
):
    (found,) = detector.guess_each([text], among)
    assert str(found.language) == language


def test_a_guess_among_none_is_one_among_all(detector):
    (found,) = detector.guess_each(["Save"], [])
    assert found.language is not None
    assert 0 < found.probability < detector.threshold


def test_long_texts_speak_for_themselves_and_short_ones_are_in_the_language_of_all(detector):
    german = "Das Haus ist groß und der Garten ist grün."
    english = "The house is big and the garden is green, and nobody is at home today."
    found = detector.guess_each([english, "Save", german, "", "123"], ["en", "pt"])
    assert [str(one.language) for one in found] == ["en", "en", "de", "None", "None"]
