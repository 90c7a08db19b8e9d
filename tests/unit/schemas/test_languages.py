"""Under which names a pair of languages is served, and when it is not served at all."""

import pytest

from schemas.languages import Language, is_served, parse_language, served_as, unsupported_pair

EN, PT, BRAZILIAN = Language("en"), Language("pt"), Language("pt", None, "BR")


def test_the_names_of_a_pair_go_from_the_most_specific_to_the_plain_one():
    assert served_as(Language("en", None, "GB"), BRAZILIAN) == ["en-GB-pt-BR", "en-pt-BR", "en-pt"]
    assert served_as(EN, PT) == ["en-pt"]


@pytest.mark.parametrize(
    ("source", "target", "is_fit"),
    [
        ("en", "pt", True),
        ("en-GB", "pt-BR", True),
        ("pt", "en", False),
        ("en", "ja", False),
        ("en", "zh-Hant", True),
        ("en", "zh", False),
        (None, "pt-BR", True),
        (None, "zh-Hant-TW", False),
        (None, "ja", False),
    ],
)
def test_a_model_serves_the_regions_of_its_languages_and_nothing_more_general(source, target, is_fit):
    known = source and parse_language(source, "source_language")
    assert is_served(known, parse_language(target, "target_language"), ["en-pt", "en-zh-Hant"]) is is_fit


def test_an_undetected_source_is_served_exactly_when_some_source_is():
    served = ["en-pt", "de-en", "en-GB-pt-BR"]
    sources = [parse_language(tag, "source_language") for tag in ("en", "de", "en-GB", "fr")]
    for target in (EN, PT, BRAZILIAN, Language("fr")):
        assert is_served(None, target, served) is any(is_served(source, target, served) for source in sources)


def test_the_refusal_lists_the_pairs_that_are_served():
    error = unsupported_pair("en-ja", {"pt-en", "en-pt"})
    assert (error.cause, error.field, error.limit) == ("unsupported_pair", "target_language", "en-pt, pt-en")
    assert error.cure
