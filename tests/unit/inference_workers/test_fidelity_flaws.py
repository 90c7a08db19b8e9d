"""What is no translation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_workers.fidelity import flaws
from inference_workers.fidelity.figures import same_figures
from inference_workers.fidelity.flaws import bounds_of, doubt_of, flaw_of
from schemas.languages import LanguagePair


@pytest.mark.parametrize("translated", ["", "  ", "\n"])
def test_an_empty_answer_is_no_translation(translated):
    assert flaw_of("Hello.", translated) == "empty_translation"


@pytest.mark.parametrize(
    ("source", "translated"),
    [
        ("a long sentence " * 10, "uma frase"),
        ("这是一个很长的句子" * 12, "a long one"),
        ("long words " * 40, "长的词"),
    ],
)
def test_a_translation_that_is_far_too_short_for_its_source_lost_its_end(source, translated):
    assert flaw_of(source, translated) == "truncated"


@pytest.mark.parametrize(
    ("source", "translated"),
    [
        ("a long sentence " * 10, "这是一个很长的句子" * 4),
        ("这是一个很长的句子" * 12, "this is one long sentence " * 8),
        ("Yes.", "y"),
    ],
)
def test_scripts_that_say_more_in_fewer_characters_are_not_short(source, translated):
    assert flaw_of(source, translated) is None


@pytest.mark.parametrize("loop", ["não ", "de novo ", "e de novo ", "uma vez mais sim "])
def test_the_same_words_again_and_again_are_no_translation(loop):
    assert flaw_of("A short text.", loop * 20) == "repetition_loop"


def test_a_measured_pair_needs_fewer_repetitions_for_a_loop():
    source, translated = "one two three four five six", "um dois três quatro cinco seis " + "seis " * 8
    assert flaw_of(source, translated, bounds_of(LanguagePair("en", "pt"))) == "repetition_loop"
    assert flaw_of(source, translated, bounds_of(LanguagePair("en", "xx"))) is None


@pytest.mark.parametrize(
    ("source", "translated"),
    [("Ha ha ha ha ha!", "Ha ha ha ha ha!"), ("One.", "Uma frase um pouco mais longa, mas sem laço.")],
)
def test_repetition_of_the_source_and_a_longer_answer_are_fine(source, translated):
    assert flaw_of(source, translated) is None


@pytest.mark.parametrize(
    ("source", "translated", "doubt"),
    [
        ("In 2025 he had 3 cats", "Em 2025 ele tinha 4 gatos", "figures_differ"),
        ("Anna and Otto", "Anna e Otto (", "brackets_differ"),
        ("see (this) one", "veja (este um", "brackets_differ"),
        ("see this) one", "veja este) um", None),
        ("The house is very big", "The house is very big", "source_repeated"),
        (
            "A sentence of a usual length stands here, and is not short at all.",
            "muito longo " * 40,
            "unlikely_length",
        ),
        ("In 2025 he had 3 cats", "Em 2025 ele tinha 3 gatos", None),
        ("See the page", "Veja https://x.org a página", "spans_differ"),
        ("See the page", "Veja a página {name}", "spans_differ"),
        ("See https://x.org/a here", "Veja https://x.org/a aqui", None),
        ("Maria Silva, New York", "Maria Silva, New York", None),
        ("OK", "OK", None),
    ],
)
def test_what_a_reader_should_look_at_is_named(source, translated, doubt):
    assert doubt_of([source], [translated]) == doubt


def test_the_bounds_of_a_measured_pair_are_narrower():
    source, translated = "a sentence of some length " * 4, "uma frase longa " * 14
    assert doubt_of([source], [translated], bounds_of(LanguagePair("en", "pt"))) == "unlikely_length"
    assert doubt_of([source], [translated], bounds_of(LanguagePair("en", "xx"))) is None
    assert doubt_of(["Thank you!"], ["Obrigado por enviar uma edição."], bounds_of(LanguagePair("en", "pt"))) == (
        "unlikely_length"
    )
    assert doubt_of(["Thank you!"], ["Obrigado por enviar."], bounds_of(LanguagePair("en", "pt"))) is None
    assert bounds_of(None) == bounds_of(LanguagePair("xx", "yy"))


def test_a_quotation_that_is_not_closed_is_doubtful():
    assert doubt_of(['He said "yes" twice.'], ['Ele disse "sim" duas" vezes.']) == "brackets_differ"
    assert doubt_of(["It is 6'2\" tall."], ["Tem 6'2\" de altura."]) is None


def test_digits_of_every_script_are_compared():
    digits = [chr(code) for code in range(0x110000) if chr(code).isdecimal()]
    assert len(digits) > 600
    assert {doubt_of([f"a {digit} b"], ["a b"]) for digit in digits} == {"figures_differ"}


@given(st.text(alphabet="ab \n.:/@<>{}()[]\"'wqzQZ12٣é日-"), st.text(alphabet="ab \n.:/@<>{}()[]\"'wqzQZ12٣é日-"))
def test_texts_without_a_sign_of_it_have_no_doubt_of_figures_brackets_and_what_is_made_up(source, translated):
    doubt = flaws._doubt_of_signs(source, translated, [source], [translated])
    made_up = flaws._made_up(translated) - flaws._made_up(source)
    assert (doubt is None) == (
        same_figures([source], [translated])
        and not made_up
        and flaws._open_brackets(source) == flaws._open_brackets(translated)
    )
