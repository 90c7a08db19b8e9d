"""What people really write, through the bundled models: each text was reported of a system, and comes back whole.

One row for each that concerns masks and the comparison after translation.
"""

import re

import pytest

from inference_workers.model_router import ModelRouter
from inference_workers.model_store import discover
from tests.translators import translated as outcomes_of_pair


@pytest.fixture(scope="module")
def router():
    router = ModelRouter(discover())
    yield router
    router.close()


def translated(router, text, pair=("en", "pt"), **wishes):
    (outcome,) = outcomes_of_pair(router, [text], *pair, **wishes)
    assert (outcome.cause, outcome.warning) == (None, None)
    return outcome.text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ('The price is €5, £3.20 or ¥100 - don\'t pay "more".', ["€5", "£3.20", "¥100"]),
        ("We are a family \U0001f469\u200d\U0001f469\u200d\U0001f467 and proud \U0001f3f3\ufe0f\u200d\U0001f308.",
         ["\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f3f3\ufe0f\u200d\U0001f308"]),
        ("Moved to :folder by :user_name.", [":folder", ":user_name"]),
        ("Hello <%= @user.first_name %>!", ["<%= @user.first_name %>"]),
        ("See the note [^1] and :ref:`setup` before you go.", ["[^1]", ":ref:`setup`"]),
        ("There is a nul \x00 here, and a \u200b too.", ["\x00", "\u200b"]),
        ("The solution has Ca2+ at pH 7.4, sent at 10 KBps.", ["Ca2+", "pH", "10 KBps"]),
        ("Call $t(menu.open) and @:message.key or {{ user.name }} in [[name]].",
         ["$t(menu.open)", "@:message.key", "{{ user.name }}", "[[name]]"]),
        ("Install README.md of v2.4.1 with --force in C:\\Users\\joe.",
         ["README.md", "v2.4.1", "--force", "C:\\Users\\joe"]),
        ("In 2025 they sold 1,234 of 3,000 chairs.", ["2025", "1.234", "3.000"]),
    ],
)  # fmt: skip
def test_each_span_stands_in_the_translation_once(router, text, pieces):
    found = translated(router, text)
    assert {piece: found.count(piece) for piece in pieces} == dict.fromkeys(pieces, 1)


def test_emoji_alone_are_kept_byte_for_byte(router):
    text = "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308"
    assert translated(router, text) == text


@pytest.mark.parametrize(
    ("text", "pair", "right"),
    [
        ("LENTILHA", ("pt", "en"), "LENTILS"),
        ("LENTILS", ("en", "pt"), "LENTILHAS"),
        ("NASA", ("en", "pt"), "NASA"),
        ("AI", ("en", "pt"), "AI"),
        ("NO", ("en", "pt"), "NÃO"),
        ("PREÇOS", ("pt", "en"), "PRICES"),
        ("ÔNIBUS", ("pt", "en"), "BUS"),
    ],
)
def test_words_in_capitals_are_translated_and_acronyms_are_kept(router, text, pair, right):
    assert translated(router, text, pair) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("The WHO asked every hospital to report new cases.", "OMS"),
        ("Please open a ticket with IT before Friday.", "TI"),
        ("US troops left the base.", "EUA"),
        ("AIDS research needs more money.", "AIDS"),
        ("LED lights save energy.", "LED"),
        ("The SWAT team entered the house.", "SWAT"),
    ],
)
def test_an_acronym_that_is_a_word_too_is_none_in_a_sentence(router, text, right):
    assert re.search(rf"\b{right}\b", translated(router, text))


def test_an_acronym_alone_between_two_tags_is_no_word(router):
    found = translated(router, 'The <abbr title="World Health Organization">WHO</abbr> says <i>no</i>.')
    assert ">WHO</abbr>" in found or ">OMS</abbr>" in found


def test_block_tags_part_sentences_and_comments_are_not_translated(router):
    found = translated(router, "<p>Want a hand<br>picking the right plan?</p><!-- hello there -->")
    assert found.startswith("<p>")
    assert found.endswith("</p><!-- hello there -->")
    assert "Want" not in found
    assert found.count("<br>") == 1


def test_quotes_outside_tags_stay_and_what_is_inside_is_translated(router):
    assert translated(router, "'<x id=\"%1$@\">Gold</x>'") == "'<x id=\"%1$@\">Ouro</x>'"


def test_what_a_caller_wants_to_keep_is_kept(router):
    text = "Buy the Blue Bird at <<the big shop>> today."
    found = translated(router, text, options={"placeholder_pattern": "<<[a-z ]+>>"}, terms=["Blue Bird"])
    assert found.count("Blue Bird") == found.count("<<the big shop>>") == 1
