"""What is translated: sets of languages instead of all their pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import PIVOT, Catalogue, LanguageSet, catalogue_of, sets_of, union, unsupported_pair
from schemas.languages import Language, LanguagePair, parse_language

LANGUAGES = ("en", "pt", "fil", "de", "zh-Hant")
languages = st.frozensets(st.sampled_from(LANGUAGES), min_size=1, max_size=3)
models = st.lists(st.builds(LanguageSet, languages, languages, st.sampled_from("abc")), max_size=3)
catalogues = st.lists(models, max_size=2).map(lambda workers: Catalogue(*workers))


def served(catalogue: Catalogue, source: str | None, target: str) -> bool:
    asked = source and parse_language(source, "source_language")
    return catalogue.serves(asked or None, parse_language(target, "target_language"))


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
        (None, "zh-Hant-TW", True),
        (None, "zh", False),
        (None, "ja", False),
    ],
)
def test_a_model_serves_the_regions_of_its_languages_and_nothing_more_general(source, target, is_fit):
    assert served(catalogue_of({"en-pt": "1", "en-zh-Hant": "1"}), source, target) is is_fit


@pytest.mark.parametrize(
    ("offered", "target", "is_fit"),
    [
        ("en-iw", "he", True),
        ("en-he", "iw", True),
        ("en-pb", "pt_BR", True),
        ("en-zt", "zh-TW", True),
        ("en-no", "nb", True),
        ("en-tl", "fil", True),
        ("en-zh", "zh-TW", False),
        ("en-sr", "sr-Latn", False),
        ("en-pt-BR", "pt-PT", False),
    ],
)
def test_a_model_is_found_under_any_name_of_its_language_and_never_in_another_script(offered, target, is_fit):
    assert served(catalogue_of({offered: "1"}), "en", target) is is_fit


@pytest.mark.parametrize(
    ("target", "cure"),
    [("pt-PT", "ask for en-pt-BR, the nearest one,"), ("zh-Hant", "ask for en-zh,"), ("ja", "one of these pairs")],
)
def test_a_refusal_names_the_nearest_pair_where_one_is_near(target, cure):
    for source in ("en", "auto"):
        refusal = unsupported_pair(source, target, catalogue_of({"en-pt-BR": "1", "en-zh": "1"}))
        assert cure.replace("en-", "auto-" if source == "auto" else "en-") in (refusal.cure or "")


def test_the_most_specific_model_names_the_version():
    catalogue = catalogue_of({"en-pt": "general", "en-pt-BR": "brazilian"})
    assert catalogue.version_of(Language("en", None, "GB"), Language("pt", None, "BR")) == "brazilian"
    assert catalogue.version_of(Language("en"), Language("pt")) == "general"


def test_two_models_of_one_worker_translate_through_english_and_two_of_two_workers_do_not():
    into, out_of = sets_of([LanguagePair("de", "en"), LanguagePair("en", "pt")], ["v1", "v2"])
    assert Catalogue([into, out_of]).version_of(Language("de"), Language("pt")) == "v1+v2"
    assert Catalogue([into], [out_of]).version_of(Language("de"), Language("pt")) is None


@given(catalogue=catalogues)
def test_an_undetected_source_is_served_exactly_when_some_source_is(catalogue):
    for target in LANGUAGES:
        assert served(catalogue, None, target) is any(served(catalogue, source, target) for source in LANGUAGES)


@given(catalogue=catalogues)
def test_the_sets_and_the_list_of_pairs_say_what_a_look_up_of_each_pair_says(catalogue):
    pairs = [LanguagePair(one, other) for one in LANGUAGES for other in LANGUAGES]
    routed = {str(pair) for pair in pairs if catalogue.route(pair.source, pair.target)}
    assert set(catalogue.pairs(1000) or ()) == routed
    assert {str(pair) for one in catalogue.sets() for pair in one.pairs()} == routed
    assert bool(catalogue) is bool(routed)


@given(catalogue=catalogues)
def test_a_route_is_one_model_of_the_pair_or_two_that_meet_in_english(catalogue):
    for source in LANGUAGES:
        for target in LANGUAGES:
            route = catalogue.route(source, target)
            steps = [(source, target)] if len(route) == 1 else [(source, PIVOT), (PIVOT, target)]
            assert not route or all(one.serves(*step) for one, step in zip(route, steps, strict=True))


@given(
    pairs=st.dictionaries(st.sampled_from(["en-pt", "pt-en", "de-en", "en-de", "de-pt"]), st.sampled_from("ab"))
)
def test_pairs_in_sets_are_the_same_pairs_with_the_same_versions(pairs):
    sets = catalogue_of(pairs).workers[0]
    assert {str(pair): one.version for one in sets for pair in one.pairs()} == pairs
    assert sum(len(list(one.pairs())) for one in sets) == len(pairs)


def test_a_union_serves_what_each_of_its_parts_serves():
    both = union(catalogue_of({"en-pt": "1"}), catalogue_of({"de-en": "2"}))
    assert both.pairs(10) == ["de-en", "en-pt"]
    assert not union()


def test_the_refusal_lists_the_pairs_that_are_served():
    error = unsupported_pair("en", "ja", catalogue_of({"pt-en": "1", "en-pt": "1"}))
    assert (error.cause, error.field, error.limit) == ("unsupported_pair", "target_language", "en-pt, pt-en")
    assert error.cure
    assert unsupported_pair("en", "ja", Catalogue()).limit == "no pair at present"


def test_the_refusal_lists_languages_where_the_pairs_are_thousands():
    names = frozenset(f"{one}{other}" for one in "abcdefghijklmnopqrst" for other in "abcdefghij")
    error = unsupported_pair("en", "ja", Catalogue([LanguageSet(names, frozenset({"pt", "en"}))]))
    assert error.limit is not None
    assert "200 in all" in error.limit
    assert error.limit.endswith("into en, pt")
