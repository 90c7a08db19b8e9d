"""Sentences with pairs of inline codes: translated without them, which come back around the right words."""

import re
from collections.abc import Mapping, Sequence

import pytest

from inference_workers.engines.protocol import Traits, Translation
from inference_workers.fidelity import Fidelity
from inference_workers.fidelity.placing import MOST_PAIRS, Placing, paired
from schemas.coded_text import CODE, check, closing, isolated, number_of, opening

# <0 and 0> for a pair, =0 for a code that stands alone.
_SHOWN = re.compile(r"<(\d+) ?| ?(\d+)>|=(\d+)")


def coded(shown: str) -> str:
    def code(found: re.Match[str]) -> str:
        opens, closes, alone = found.groups()
        return opening(int(opens)) if opens else closing(int(closes)) if closes else isolated(int(alone))

    return _SHOWN.sub(code, shown)


def shown(text: str) -> str:
    return CODE.sub(lambda code: _named(code[0]), text)


def _named(code: str) -> str:
    number = number_of(code)
    return f"<{number} " if code == opening(number) else f" {number}>" if code == closing(number) else f"={number}"


class Phrasebook:
    """Knows whole texts, and repeats what it does not know. `loses` are masks that it drops."""

    version = "phrasebook-1"
    traits = Traits()

    def __init__(self, known: Mapping[str, str], loses: str = "$^") -> None:
        self._known, self._loses = known, loses
        self.asked: list[list[str]] = []

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        self.asked.append(list(sentences))
        return [Translation(re.sub(self._loses, "", self._known.get(one, one))) for one in sentences]

    def close(self) -> None:
        """Nothing is open."""


def translated(text: str, known: Mapping[str, str], loses: str = "$^") -> str:
    (outcome,) = Fidelity(Phrasebook(known, loses)).translate([coded(text)], {})
    assert outcome.cause is None
    assert check(coded(text), outcome.text) is None
    return shown(outcome.text)


def test_a_pair_stands_around_the_translation_of_its_words():
    known = {"Open the settings now": "Abra as configurações agora", "the settings": "as configurações"}
    assert translated("Open <0 the settings 0> now", known) == "Abra <0 as configurações 0> agora"


def test_the_engine_is_asked_once_for_sentence_and_words_where_these_are_found():
    engine = Phrasebook({"Open the door now": "Abra a porta agora", "the door": "a porta"})
    Fidelity(engine).translate([coded("Open <0 the door 0> now")], {})
    assert engine.asked == [["Open the door now", "the door"]]


def test_words_that_are_inflected_otherwise_in_the_sentence_are_recognised():
    known = {"The doors are closed tonight": "As portas estão fechadas esta noite", "closed": "fechado"}
    assert translated("The doors are <0 closed 0> tonight", known) == "As portas estão <0 fechadas 0> esta noite"


def test_words_that_begin_and_end_alike_are_taken_before_others_of_the_same_letters():
    known = {
        "our terms of service and more": "nossos termos de serviço e mais",
        "terms of service": "termos e condições de serviço",
    }
    expected = "nossos <0 termos de serviço 0> e mais"
    assert translated("our <0 terms of service 0> and more", known) == expected


def test_of_equal_words_those_in_the_likelier_place_are_taken():
    known = {"one and two and one": "um e dois e um", "one": "um"}
    assert translated("one and two and <0 one 0>", known) == "um e dois e <0 um 0>"


def test_pairs_change_places_with_their_words():
    known = {"a red car": "um carro vermelho", "red": "vermelho", "car": "carro"}
    assert translated("a <0 red 0> <1 car 1>", known) == "um <1 carro 1> <0 vermelho 0>"


def test_an_inner_pair_is_placed_inside_its_outer_one():
    known = {
        "Press the red button twice": "Pressione o botão vermelho duas vezes",
        "the red button": "o botão vermelho",
        "red": "vermelho",
    }
    expected = "Pressione <0 o botão <1 vermelho 1> 0> duas vezes"
    assert translated("Press <0 the <1 red 1> button 0> twice", known) == expected


def test_signs_at_the_edges_of_a_pair_stay_in_it():
    known = {"Do it now, please": "Faça agora, por favor", "now,": "agora"}
    assert translated("Do it <0 now, 0> please", known) == "Faça <0 agora, 0> por favor"


def test_a_name_is_found_as_it_is():
    known = {"Ask Ana for help": "Peça ajuda a Ana", "Ana": "Um"}
    assert translated("Ask <0 Ana 0> for help", known) == "Peça ajuda a <0 Ana 0>"


def test_what_stands_between_the_masks_tells_the_place_where_the_words_alone_do_not():
    known = {
        "He ran out of it": "Ele ficou sem isso",
        "out": "fora",
        "He ran QZ0 out QZ1 of it": "Ele ficou QZ0 sem QZ1 aquilo",
    }
    assert translated("He ran <0 out 0> of it", known) == "Ele ficou <0 sem 0> isso"


def test_masks_are_the_last_resort():
    known = {"He ran out of it": "Acabou", "out": "fora", "He ran QZ0 out QZ1 of it": "Ele QZ0 saiu QZ1 disso"}
    assert translated("He ran <0 out 0> of it", known) == "Ele <0 saiu 0> disso"


def test_codes_that_stand_alone_are_masks_and_stay_in_their_pair():
    known = {
        "Press QZ0 key now please": "Agora pressione a tecla QZ0 por favor",
        "key": "tecla",
        "Press": "Pressione",
    }
    assert translated("Press =1 <0 key 0> now please", known) == "Agora pressione a <0 tecla 0> =1 por favor"


def test_half_a_pair_stays_a_mask_beside_pairs_that_are_whole():
    known = {"go QZ0 far away now": "vá QZ0 longe agora", "far": "longe"}
    assert translated("go <1 <0 far 0> away now", known) == "vá <1 <0 longe 0> agora"


def test_a_doubtful_sentence_is_translated_with_masks_where_that_is_sound():
    known = {
        "It costs 5 of them all": "Custa 6 de todos eles",
        "them": "eles",
        "It costs 5 of QZ0 them QZ1 all": "Custa 5 de QZ0 todos QZ1 eles",
    }
    engine = Phrasebook(known)
    (outcome,) = Fidelity(engine).translate([coded("It costs 5 of <0 them 0> all")], {})
    assert outcome.warning is None


def test_a_text_that_is_all_pairs_is_left_to_the_masks():
    text = " ".join(f"<{number} word {number}>" for number in range(MOST_PAIRS + 1))
    assert paired(coded(text)) is None
    assert translated(text, {}) == text


def test_a_pair_whose_outer_one_has_no_place_has_none():
    text = paired(coded("<0 a b <1 c 1> 0> d"))
    assert text is not None
    placing = Placing(text, "x c d")
    placing.place({0: ["unknown words"], 1: ["c"]})
    assert placing.projected() is None


@pytest.mark.parametrize("text", ["plain", "a =0 b", "a 0> b", "a <0 b", "0> a <0"])
def test_a_text_without_whole_pairs_has_none_to_project(text):
    assert paired(coded(text)) is None
