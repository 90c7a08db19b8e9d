"""How hidden pieces come back."""

import pytest

from inference_workers.engines.bergamot import TRAITS
from inference_workers.fidelity.disguise import disguised
from inference_workers.fidelity.masking import Masker
from schemas.coded_text import closing, isolated, opening

STYLES = TRAITS.mask_styles


def disguise(text, style="QZ{}"):
    return disguised(Masker(None).take_apart(text), style)


@pytest.mark.parametrize("style", STYLES)
def test_masks_come_back_wherever_the_engine_put_them(style):
    sent = disguise("Send {a} to {b} now", style)
    assert sent.sent == f"Send {style.format(0)} to {style.format(1)} now"
    restored = sent.restored(f"Para {style.format(1)} envie {style.format(0)} agora")
    assert restored is not None
    assert restored.text == "Para {b} envie {a} agora"
    assert restored.written == ("Para ", " envie ", " agora")


@pytest.mark.parametrize("style", STYLES)
def test_words_in_capitals_leave_masks_alone(style):
    restored = disguise("send {a} now", style).restored(f"envie {style.format(0)} agora", is_loud=True)
    assert restored is not None
    assert restored.text == "ENVIE {a} AGORA"


@pytest.mark.parametrize("translated", ["Envie agora", "QZ0 QZ0 QZ1", "QZ0 QZ2", "QZ0", "QZ0QZ10"])
def test_a_mask_that_is_missing_doubled_or_made_up_is_noticed(translated):
    assert disguise("Send {a} to {b} now").restored(translated) is None


def test_an_engine_that_spells_a_mask_otherwise_is_understood():
    restored = disguise("Send {a} now").restored("Envie qz 0 agora")
    assert restored is not None
    assert restored.text == "Envie {a} agora"


@pytest.mark.parametrize("translated", ["EnvieQZ0 agora", "Envie QZ0agora", "Envie QZ0s agora"])
def test_a_mask_that_grew_together_with_a_word_is_noticed(translated):
    assert disguise("Send {a} now").restored(translated) is None


def test_a_script_without_spaces_may_stand_beside_a_mask():
    restored = disguise("Send {a} now").restored("请QZ0发送")
    assert restored is not None
    assert restored.text == "请{a}发送"


def test_what_touches_a_word_does_so_afterwards():
    sent = disguise("See a <b>big</b> house")
    assert sent.sent == "See a QZ0 big QZ1 house"
    restored = sent.restored("Veja uma casa QZ0 grande QZ1")
    assert restored is not None
    assert restored.text == "Veja uma casa <b>grande</b>"


@pytest.mark.parametrize("translated", ["Veja QZ1 uma QZ0 casa", "Veja QZ0 QZ1 uma casa grande", "QZ0 QZ1"])
def test_marks_keep_their_order_and_what_is_between_them(translated):
    assert disguise("See a <b>big</b> house").restored(translated) is None


def test_marks_at_the_edges_are_not_sent():
    sent = disguise("🙂 <b>Hello there</b> 🎉")
    assert sent.sent == "Hello there"
    restored = sent.restored("Olá")
    assert restored is not None
    assert restored.text == "🙂 <b>Olá</b> 🎉"


def test_a_text_without_spans_may_not_gain_a_mask():
    assert disguise("Send it now").restored("Envie QZ0 agora") is None


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (f"Start the {opening(0)}engine{closing(0)}", "Start the QZ0 engine QZ1"),
        (f"{opening(0)}Start{closing(0)} it", "QZ0 Start QZ1 it"),
        (f"{opening(0)}Start it{closing(0)}", "Start it"),
        (f"{isolated(0)}Start {opening(1)}it{closing(1)}{isolated(2)}", "Start QZ0 it QZ1"),
    ],
)
def test_an_inline_code_stays_with_its_other_half_where_that_stands_amid_the_words(text, sent):
    assert disguise(text).sent == sent


def test_words_that_slipped_out_of_their_inline_codes_are_noticed():
    sent = disguise(f"Start the {opening(0)}engine{closing(0)}")
    assert sent.restored("Ligue o motor QZ0 QZ1") is None
    restored = sent.restored("Ligue o QZ0 motor QZ1")
    assert restored is not None
    assert restored.text == f"Ligue o {opening(0)}motor{closing(0)}"
