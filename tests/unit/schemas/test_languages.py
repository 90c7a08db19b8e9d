"""Under which names a pair of languages may be served."""

import pytest

from schemas.languages import Language, LanguagePair, parse_pair, served_as

EN, PT, BRAZILIAN = Language("en"), Language("pt"), Language("pt", None, "BR")


def test_the_names_of_a_pair_go_from_the_most_specific_to_the_plain_one():
    names = served_as(Language("en", None, "GB"), BRAZILIAN)
    assert [name for name in names if "pb" not in name] == ["en-GB-pt-BR", "en-pt-BR", "en-GB-pt", "en-pt"]
    assert served_as(EN, PT)[0] == "en-pt"
    assert not {"en-pt-PT", "en-GB-pt"} & set(served_as(EN, PT))


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("en-pt", "en", "pt"),
        ("en-pt-BR", "en", "pt-BR"),
        ("zh-Hant-en", "zh-Hant", "en"),
        ("en-GB-pt", "en-GB", "pt"),
    ],
)
def test_the_name_of_a_pair_is_read_as_it_was_written(name, source, target):
    assert parse_pair(name) == LanguagePair(source, target)
    assert str(LanguagePair(source, target)) == name


@pytest.mark.parametrize("name", ["", "en", "en_pt", "english-portuguese", "en-pt-", "EN-PT"])
def test_what_is_no_pair_is_refused(name):
    with pytest.raises(ValueError, match="no pair of languages"):
        parse_pair(name)
