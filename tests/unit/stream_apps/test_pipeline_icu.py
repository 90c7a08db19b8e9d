"""ICU messages: each branch is a whole sentence, with the plural forms of the target language."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import Job
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.finishing import BROKEN_MESSAGE, finished
from stream_apps.pipeline.icu_blocks import blocks
from stream_apps.pipeline.icu_messages import BRANCHING, MalformedMessageError, parse
from stream_apps.pipeline.icu_split import MOST_SENTENCES
from stream_apps.pipeline.message_forms import restored
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.plural_categories import forms_of
from stream_apps.pipeline.segmentation import Segmenter
from tests.keys import key

FILES = "{count, plural, =0 {No files selected.} one {# file selected.} other {# files selected.}}"


def batch_of(text, target="pt", source="en"):
    split = Segmenter().split(text, source, target)
    pieces = cut(split, BatchLimits(1000))
    (batch,) = batches_of(key("r1"), Job(batches=1), pieces, [None] * len(split.texts), Wishes())
    return replace(batch, texts=list(batch.texts), message_forms=list(batch.message_forms))


def translated(text, target="pt", translate=lambda text: text, source="en"):
    batch = batch_of(text, target, source)
    done = finished(batch, [translate(one) for one in batch.texts], [None] * len(batch.texts))
    return batch.lead + "".join(map(str.__add__, done.translations, done.gaps))


def test_each_branch_is_a_segment_and_the_syntax_is_none():
    batch = batch_of(FILES)
    assert batch.texts == ["No files selected.", "1 file selected.", "5 files selected."]
    assert batch.message_forms == ["icu", "icu 1 #", "icu 5 #"]
    known = {
        "No files selected.": "Nenhum arquivo selecionado.",
        "1 file selected.": "1 arquivo selecionado.",
        "5 files selected.": "5 arquivos selecionados.",
    }
    assert translated(FILES, translate=known.get) == (
        "{count, plural, =0 {Nenhum arquivo selecionado.} one {# arquivo selecionado.} "
        "other {# arquivos selecionados.}}"
    )


@pytest.mark.parametrize(
    "message",
    [
        FILES,
        "{n, plural,\n  one   {One  file}\n  other {# files}\n}",
        "{n,plural,offset:1 =0{Nobody} =1{Only you} one{You and # other} other{You and # others}}",
        "{g, select, male {He sees {name}} female {She sees {name}} other {They see {n, number, ::.00}}}",
        "{g, select, a {{n, plural, one {# dog} other {# dogs}}} other {No dogs, it's said''}}",
        "{n, plural, one {5 of # file} other {5 of # files}}",
        "Intro.\n\n{n, plural, one {# dog} other {# dogs}}\n\nThe end. It is {here}.\n",
    ],
)
def test_a_message_that_no_engine_changed_comes_back_byte_for_byte(message):
    assert translated(message) == message


def test_apostrophes_are_doubled_only_where_they_would_quote():
    text = "{g, select, other {It''s the dogs'' '' {bowl}, isn''t it''}}"
    assert translated(text) == "{g, select, other {It's the dogs' ' {bowl}, isn't it''}}"
    assert translated(text, translate=lambda one: one.replace(" {", "{")).count("''{bowl}") == 1


def test_what_stands_around_a_plural_is_part_of_every_branch():
    text = "You have {count, plural, one {# file} other {# files}} in {folder}."
    assert translated(text) == (
        "{count, plural, one {You have # file in {folder}.} other {You have # files in {folder}.}}"
    )


def test_the_target_language_gets_all_its_forms_each_translated_with_a_number_of_its_own():
    batch = batch_of("{n, plural, one {# file} other {# files}}", "pl")
    forms = dict(zip(batch.texts, batch.message_forms, strict=True))
    assert forms == {"1 file": "icu 1 #", "3 files": "icu 3 #", "5 files": "icu 5 #"}
    polish = {"1 file": "1 plik", "3 files": "3 pliki", "5 files": "5 plików"}
    assert translated("{n, plural, one {# file} other {# files}}", "pl", polish.get) == (
        "{n, plural, one {# plik} few {# pliki} many {# plików} other {# plików}}"
    )


def test_forms_that_the_target_language_has_not_are_left_out():
    text = "{n, selectordinal, one {#st place} two {#nd place} few {#rd place} other {#th place}}"
    assert translated(text, "ja", lambda one: f"第{one[0]}位") == "{n, selectordinal, other {第#位}}"
    assert [form.category for form in forms_of("pt-BR", ordinal=False)] == ["one", "other"]
    assert [form.category for form in forms_of("ar", ordinal=False)] == [
        "zero",
        "one",
        "two",
        "few",
        "many",
        "other",
    ]
    assert forms_of("qq", ordinal=False) == ()


def test_a_number_sign_of_an_outer_plural_is_named_inside_an_inner_one():
    text = "{a, plural, other {# dogs and {b, plural, other {# cats}}}}"
    assert "{a, number} dogs and # cats" in translated(text, "ja")


@pytest.mark.parametrize(
    "text",
    [
        "{n, plural, one {# file} other {# files}",
        "{n, plural, one {# file}}",
        "{n, plural, }",
        "{n, plural, one # file other # files}",
        "{n, plural, other {a '{' b}}",
        "{n, plural, other {" + "word " * 300 + "}}",
        " and ".join(f"{{{name}, plural, one {{a}} other {{b}}}}" for name in "abcdefgh"),
    ],
)
def test_what_is_no_message_comes_back_unchanged_and_marked(text):
    split = Segmenter().split(f"Before.\n\n{text}\n\nBehind.", "en", "pt")
    assert split.texts == ("Before.", "Behind.")
    assert split.joined() == f"Before.\n\n{text}\n\nBehind."
    assert [one.cause for one in split.marks] == ["unparsable_message"]


@pytest.mark.parametrize(
    ("translation", "branch"),
    [
        ("Vê 5 cães de {name}", "Vê # cães de {name}"),
        ("Vê l'{name}, 5", "Vê l''{name}, #"),
        ("5 {name}'", "# {name}''"),
        ("Vê cinco cães de {name}", None),
        ("5 e 5 de {name}", None),
        ("5 cães de {nome}", None),
        ("5 cães", None),
        ("5 cães de {name} }", None),
        ("15 cães de {name}", None),
    ],
)
def test_a_branch_keeps_its_number_and_arguments_or_is_none(translation, branch):
    assert restored("Sees 5 dogs of {name}", translation, "icu 5 #") == branch


def test_a_broken_branch_is_a_hole_that_shows_its_source():
    batch = batch_of(FILES)
    done = finished(batch, ["Nenhum.", "Um arquivo.", "5 arquivos."], [None] * 3)
    assert list(done.translations) == ["Nenhum.", "# file selected.", "# arquivos."]
    assert list(done.causes) == [None, BROKEN_MESSAGE, None]


def test_messages_multiply_only_up_to_a_limit():
    text = " ".join(f"{{{name}, select, x {{{name}}} other {{b}}}}" for name in "abcdefghijklmnopqrst")
    assert 2 ** len(text.split("select")) > MOST_SENTENCES
    assert Segmenter().split(text, "en", "pt").texts == ()


PARTS = st.sampled_from(
    ["{", "}", "'", "''", "#", "{n, plural, ", "{g, select, ", "one {", "other {", "}}", " a b ", "\n\n"]
)
TEXTS = st.lists(PARTS, max_size=40).map("".join)


@settings(deadline=None)
@given(TEXTS)
def test_the_blocks_of_a_text_are_the_text(text):
    found = list(blocks(text))
    assert "".join(text[one.start : one.end] for one in found) == text
    assert any(one.is_message for one in found) or not BRANCHING.search(text)


@settings(deadline=None)
@given(TEXTS)
def test_any_message_stays_one_and_anything_else_stays_as_it_is(text):
    whole = f"{{n, select, other {{{text}}}}}".replace("\n\n", " ")
    split = Segmenter().split(whole, "en", "ja")
    if "unparsable_message" in {mark.cause for mark in split.marks}:
        assert split.joined() == whole
    else:
        assert not split.message_forms or parse(translated(whole, "ja"))


@settings(deadline=None)
@given(TEXTS)
def test_reading_ends_in_a_message_or_an_error(text):
    try:
        parse(text)
    except MalformedMessageError:
        assert "{" in text or "}" in text
