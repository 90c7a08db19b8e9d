"""The layer around an engine: masks, second tries, and the way around them."""

import re
from collections.abc import Mapping, Sequence

import pytest

from inference_workers.engines.protocol import Traits, Translation
from inference_workers.fidelity import Fidelity


class Shouter:
    """Translates by shouting. `spoils` names mask styles that it mangles; `loops` words that it cannot stop."""

    version = "shout-1"

    def __init__(self, spoils: str = "", loops: str = "", scores: bool = True) -> None:
        self.traits = Traits(gives_scores=scores, spellings={"—": " - "})
        self.asked: list[list[str]] = []
        self._spoils, self._loops = re.compile(spoils or "$^"), loops

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        self.asked.append(list(sentences))
        return [self._one(sentence) for sentence in sentences]

    def close(self) -> None:
        """Nothing is open."""

    def _one(self, sentence: str) -> Translation:
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
    assert (found.text, found.cause, found.attempts) == ("SEE {name} AT https://example.org/x NOW", None, 1)


def test_a_lost_mask_is_tried_again_in_the_next_style():
    engine = Shouter(spoils=r"QZ\d+")
    (found,) = translate(engine, "see {name} now")
    assert (found.text, found.attempts) == ("SEE {name} NOW", 2)
    assert engine.asked == [["see QZ0 now"], ["see https://x.co/0 now"]]


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


@pytest.mark.parametrize("count", [0, 1, 5])
def test_every_text_has_its_outcome_in_its_place(count):
    texts = [f"word number {number}" for number in range(count)]
    assert [found.text for found in translate(Shouter(), *texts)] == [text.upper() for text in texts]
