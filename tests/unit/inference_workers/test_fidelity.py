"""The layer around an engine: masks, second tries, and the way around them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from inference_workers.engines.protocol import Traits, Translation
from inference_workers.fidelity import Fidelity


class Shouter:
    """Translates by shouting. `spoils` names mask styles that it mangles; `loops` words that it cannot stop."""

    version = "shout-1"

    def __init__(self, spoils: str = "", loops: str = "", scores: bool = True, most_words: int = 1000) -> None:
        self.traits = Traits(gives_scores=scores, spellings={"—": " - "})
        self.asked: list[list[str]] = []
        self._spoils, self._loops, self._most_words = re.compile(spoils or "$^"), loops, most_words

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        self.asked.append(list(sentences))
        return [self._one(sentence) for sentence in sentences]

    def close(self) -> None:
        """Nothing is open."""

    def _one(self, sentence: str) -> Translation:
        if len(sentence.split()) > self._most_words:
            return Translation("", is_cut=True)
        if self._loops and self._loops in sentence:
            return Translation("again " * 50, 0.9)
        said = self._spoils.sub("lost", sentence)
        masks = r"(QZ\d+|https://x\.co/\d+)"
        text = "".join(part if re.fullmatch(masks, part) else part.upper() for part in re.split(masks, said))
        return Translation(text, 0.5 if self.traits.gives_scores else None)


def translate(engine: Shouter, *texts: str):
    return Fidelity(engine).translate(texts, {})


def test_masked_pieces_come_back_as_they_were():
    (found,) = translate(Shouter(), "see {name} at https://example.org/x now")
    assert (found.text, found.cause, found.attempts) == ("SEE {name} AT https://example.org/x NOW", None, 2)


def test_a_lost_mask_is_tried_again_in_the_next_style():
    engine = Shouter(spoils=r"QZ\d+")
    (found,) = translate(engine, "see {name} now")
    assert (found.text, found.attempts) == ("SEE {name} NOW", 2)
    assert engine.asked == [["see QZ0 now"], ["see https://x.co/0 now"]]


def test_emphasis_is_left_to_the_engine_and_put_around_its_words_where_it_breaks_it():
    engine = Shouter()
    (found,) = translate(engine, "see *this* now")
    assert (found.text, found.attempts, engine.asked) == ("SEE *THIS* NOW", 1, [["see *this* now"]])
    engine = Shouter(spoils=r"this\*")
    (found,) = translate(engine, "see *this* now")
    assert (found.text, engine.asked[1:]) == ("SEE *THIS* NOW", [["see this now", "this"]])


def test_emphasis_whose_words_stand_nowhere_in_the_translation_is_hidden():
    class Inflecting(Shouter):
        def _one(self, sentence: str) -> Translation:
            said = {"this": "OTHER", "see this now": "SEE ANYTHING NOW"}.get(sentence)
            return Translation(said) if said else super()._one(sentence)

    engine = Inflecting(spoils=r"this\*")
    (found,) = translate(engine, "see *this* now")
    assert (found.text, found.cause) == ("SEE *THIS* NOW", None)
    assert "".join(engine.asked[2]) == "see QZ0 this QZ1 now"


def test_a_link_at_the_end_whose_words_the_engine_leaves_out_is_translated_again():
    class LeavingOut(Shouter):
        def _one(self, sentence: str) -> Translation:
            return super()._one(sentence.replace("QZ0issue", "QZ0").replace("QZ0 issue", "QZ0"))

    (found,) = translate(LeavingOut(), "Fix the [issue](https://x.io/7)")
    assert (found.text, found.cause) == ("FIX THE [ISSUE](https://x.io/7)", None)


@pytest.mark.parametrize(("name", "said"), [("Emma", "Emma (em inglês)"), ("John Smith", "John Smith (a)")])
def test_a_name_beside_which_the_engine_writes_what_it_is_stays(name, said):
    class Explaining(Shouter):
        def _one(self, sentence: str) -> Translation:
            return Translation(said)

    (found,) = translate(Explaining(), name)
    assert (found.text, found.is_sound) == (name, True)


def test_emphasis_inside_a_word_is_around_the_word_and_a_hole_shows_what_was_written():
    assert [one.text for one in translate(Shouter(), "This is **un**usual now.")] == ["THIS IS **UNUSUAL** NOW."]
    (hole,) = translate(Shouter(loops="unusual"), "It is **un**usual.")
    assert (hole.cause, hole.text) == ("repetition_loop", "It is **un**usual.")


def test_when_every_mask_is_lost_the_text_is_translated_around_them():
    engine = Shouter(spoils=r"QZ\d+|https://x\.co/\d+")
    (found,) = translate(engine, "  see {name}, then {b} now ")
    assert (found.text, found.cause, found.attempts) == ("  SEE {name}, THEN {b} NOW ", None, 3)


def test_only_the_texts_that_need_it_are_tried_again():
    engine = Shouter(spoils=r"QZ\d+")
    translate(engine, "plain words", "see {name} now")
    assert engine.asked[1] == ["see https://x.co/0 now"]


def test_a_text_without_words_never_reaches_the_engine():
    engine = Shouter()
    (found,) = translate(engine, "{a} https://example.org")
    assert (found.text, found.score, found.attempts) == ("{a} https://example.org", 1.0, 0)
    assert engine.asked == []


def test_without_scores_of_the_engine_none_is_invented():
    assert [found.score for found in translate(Shouter(scores=False), "{a}", "words here")] == [None, None]


def test_a_loop_is_cut_in_two_and_a_loop_in_both_is_a_named_hole():
    engine = Shouter(loops="endless")
    (found,) = translate(engine, "an endless story of an endless kind")
    assert (found.text, found.cause) == ("an endless story of an endless kind", "repetition_loop")


def test_capitals_are_translated_in_lower_case_and_come_back_as_capitals():
    engine = Shouter()
    (found,) = translate(engine, "DO NOT ENTER")
    assert found.text == "DO NOT ENTER"
    assert engine.asked == [["do not enter"]]


def test_characters_that_the_model_spells_otherwise_are_replaced_before_it_sees_them():
    engine = Shouter()
    translate(engine, "one—two words")
    assert engine.asked == [["one - two words"]]


def test_a_capital_that_the_model_does_not_know_begins_the_translation_all_the_same():
    class Whisperer(Shouter):
        def _one(self, sentence: str) -> Translation:
            return Translation(sentence.lower())

    engine = Whisperer()
    engine.traits = Traits(spellings={"Ó": "ó"})
    (found,) = translate(engine, "Óleo novo, ouro")
    assert (found.text, engine.asked) == ("Óleo novo, ouro", [["óleo novo, ouro"]])


@pytest.mark.parametrize("text", ["PREÇOS", "AÇÃO DE PREÇOS", "ÇA"])
def test_capitals_that_the_model_does_not_know_are_capitals_all_the_same(text):
    class Speaker(Shouter):
        def _one(self, sentence: str) -> Translation:
            return Translation(f"{sentence}s")

    engine = Speaker()
    engine.traits = Traits(spellings={"Ç": "ç", "Ã": "ã"})
    (found,) = translate(engine, text)
    sent, right = (text, "ÇA") if text == "ÇA" else (text.lower(), f"{text}S")
    assert (found.text, engine.asked) == (right, [] if text == "ÇA" else [[sent]])


@pytest.mark.parametrize("count", [0, 1, 5])
def test_every_text_has_its_outcome_in_its_place(count):
    texts = [f"word number {number}" for number in range(count)]
    assert [found.text for found in translate(Shouter(), *texts)] == [text.upper() for text in texts]


def test_a_sentence_of_400_words_is_translated_in_clauses_and_joined_as_it_was():
    engine = Shouter(most_words=30)
    clauses = [f"clause number {number} ends with {{name}} here" for number in range(57)]
    text = ", ".join(clauses) + "."
    (found,) = translate(engine, text)
    assert len(text.split()) == 399
    assert (found.text, found.cause) == (text.upper().replace("{NAME}", "{name}"), None)
    sent = [sentence for call in engine.asked for sentence in call if len(sentence.split()) <= 30]
    assert all(sentence.endswith(("here,", "here.")) for sentence in sent)


def test_long_sentences_are_halved_together_and_short_ones_are_asked_once():
    engine = Shouter(most_words=10)
    long = "one two three four five six seven, eight nine ten eleven twelve thirteen"
    translate(engine, long, "short words", long)
    assert [len(call) for call in engine.asked] == [3, 4]


def test_what_is_too_long_however_it_is_cut_is_a_named_hole():
    text = "one two three four five six seven eight"
    (found,) = translate(Shouter(most_words=0), text)
    assert (found.text, found.cause) == (text, "truncated")


class Undecided(Shouter):
    """Loops, but under another decoding."""

    def __init__(self) -> None:
        super().__init__(loops="story")
        self.traits = replace(self.traits, other_decoding={"beam_size": "5"})

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        self._loops = "" if options.get("beam_size") == "5" else "story"
        return super().translate(sentences, options)


def test_what_went_wrong_is_translated_under_another_decoding_before_it_is_cut():
    engine = Undecided()
    found, plain = translate(engine, "an endless story of some kind", "plain words")
    assert (found.text, found.cause, found.attempts) == ("AN ENDLESS STORY OF SOME KIND", None, 2)
    assert plain.attempts == 1
    assert [len(call) for call in engine.asked] == [2, 1]


class Forgetful(Shouter):
    """Takes the third word of a long sentence for its end."""

    def _one(self, sentence: str) -> Translation:
        words = super()._one(sentence).text.split()
        return Translation(" ".join(words[:3] if len(words) > 20 else words), 0.5)


def test_a_translation_that_is_far_too_short_is_made_again_in_parts():
    text = ", ".join(["a sentence with several words in it"] * 8) + "."
    (found,) = translate(Forgetful(), text)
    assert (found.text, found.cause) == (text.upper(), None)


GLOSSARY = {"release": "liberação", "version 2.0": "versão 2.0"}


def with_glossary(text, engine=None, terms=()):
    (found,) = Fidelity(engine or Shouter()).translate([text], {}, terms, GLOSSARY)
    return found.text


@pytest.mark.parametrize(
    ("text", "translated"),
    [
        ("see the release now", "SEE THE liberação NOW"),
        ("release", "liberação"),
        ("see version 2.0 now", "SEE versão 2.0 NOW"),
        ("see **the release** now", "SEE **THE liberação** NOW"),
        ("<p>one release</p><p>the release</p>", "<p>ONE liberação</p><p>THE liberação</p>"),
        ("SEE THE RELEASE", "SEE THE LIBERAÇÃO"),
        ("read https://x.io/release or `release`", "READ https://x.io/release OR `release`"),
    ],
)
def test_a_term_becomes_what_the_glossary_says_but_not_inside_what_must_not_change(text, translated):
    assert with_glossary(text) == translated


def test_a_term_that_must_stay_goes_before_one_of_the_glossary():
    assert with_glossary("see the release now", terms=["the release"]) == "SEE the release NOW"


def test_a_term_whose_mask_is_lost_in_every_style_is_put_between_the_stretches_around_it():
    assert (
        with_glossary("see the release now", Shouter(spoils=r"QZ\d+|https://x.co/\d+")) == "SEE THE liberação NOW"
    )
