"""Codes that people write for a language, and the one that answers show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.language_names import ALIASES, names, nearest, script_of
from schemas.languages import parse_language

LANGUAGES = ("en", "pt", "zh", "sr", "no", "nb", "iw", "in", "tl", "uz", "und", "por", "qq")
TAGS = st.tuples(
    st.sampled_from(LANGUAGES),
    st.sampled_from(["", "-Hant", "_Latn", "-Cyrl"]),
    st.sampled_from(["", "_br", "-PT", "-TW", "-419"]),
).map("".join)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("pb", "pt-BR"),
        ("por", "pt"),
        ("PT_br", "pt-BR"),
        ("zh-CN", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh_HK", "zh-Hant-HK"),
        ("zt", "zh-Hant"),
        ("zho_Hant", "zh-Hant"),
        ("iw", "he"),
        ("in", "id"),
        ("tl", "fil"),
        ("nb", "nb"),
        ("nor", "no"),
        ("sr-latn", "sr-Latn"),
        ("sh", "sr-Latn"),
        ("sr-ME", "sr-Latn-ME"),
        ("eng_Latn", "en"),
        ("es-419", "es-419"),
    ],
)
def test_a_code_is_answered_in_its_canonical_form(asked, answered):
    assert str(parse_language(asked, "target_language")) == answered


@given(tag=TAGS)
def test_a_canonical_code_stays_as_it_is_and_keeps_its_script(tag):
    language = parse_language(tag, "target_language")
    assert parse_language(str(language), "target_language") == language
    assert {script_of(name) for name in names(str(language)) if name not in {"pb", "zt"}} == {
        script_of(str(language))
    }


def test_every_alias_is_a_name_of_its_language():
    for name, aliases in ALIASES.items():
        for alias in aliases:
            assert str(parse_language(alias, "target_language")) == name
            assert alias in names(name)


@pytest.mark.parametrize(
    ("source", "target", "is_same"),
    [
        ("pt", "pt-BR", True),
        ("pt-BR", "pt", True),
        ("pt-PT", "pt-BR", False),
        ("zh", "zh-Hans", True),
        ("zh", "zh-Hant", False),
        ("sr", "sr-Latn", False),
        ("en", "pt", False),
    ],
)
def test_a_text_is_in_the_target_already_only_in_its_script_and_region(source, target, is_same):
    one, other = (parse_language(tag, "target_language") for tag in (source, target))
    assert one.is_read_as(other) is is_same


def test_the_nearest_offer_is_another_region_before_another_language_and_nothing_far():
    assert nearest("pt-PT", ["es", "en", "pt-BR"]) == "pt-BR"
    assert nearest("gl", ["en", "es"]) == "es"
    assert nearest("ja", ["en", "es"]) is None
    assert nearest("ja", []) is None
