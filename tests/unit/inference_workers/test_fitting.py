"""A device with little memory: smaller parts, holes for what never fits, a lesson that lasts a while."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_workers.engines.protocol import EngineError, OutOfMemoryError, engine_errors
from inference_workers.fidelity import Outcome
from inference_workers.fitting import FittingTranslator, SafeSize
from schemas.errors import FatalError, PermanentError
from tests.translators import PlainTranslator, translated


class Device(PlainTranslator):
    """Holds `room` padded characters."""

    def __init__(self, room):
        self.room, self.tried, self.now = room, [], 0.0

    def translate(self, texts):
        self.tried.append(len(texts))
        if len(texts) * max(map(len, texts)) > self.room:
            raise OutOfMemoryError
        return [Outcome(text.upper(), None) for text in texts]


def fitted(device, forget_after_seconds=60):
    return FittingTranslator(device, SafeSize(forget_after_seconds), lambda: device.now)


def test_what_does_not_fit_is_halved_until_it_does():
    device = Device(room=100)
    outcomes = translated(fitted(device), ["x" * 10] * 64)
    assert [one.text for one in outcomes] == ["X" * 10] * 64
    assert device.tried == [64, 32, 16] + [8] * 8


def test_the_lesson_lasts_so_that_the_next_cycle_does_not_fail_first():
    device = Device(room=100)
    translator = fitted(device)
    translated(translator, ["x" * 10] * 64)
    device.tried.clear()
    translated(translator, ["x" * 10] * 16)
    assert device.tried == [8, 8]


def test_the_lesson_is_forgotten_after_a_while():
    device = Device(room=100)
    translator = fitted(device, forget_after_seconds=60)
    translated(translator, ["x" * 10] * 64)
    device.tried.clear()
    device.now, device.room = 61, 10_000
    translated(translator, ["x" * 10] * 16)
    assert device.tried == [16]


def test_a_lesson_that_is_forgotten_at_once_ends_all_the_same():
    device = Patient(room=100)
    outcomes = translated(fitted(device, forget_after_seconds=0), ["x" * 10] * 64)
    assert [one.text for one in outcomes] == ["X" * 10] * 64


class Patient(Device):
    """Takes two hundred calls."""

    def translate(self, texts):
        assert len(self.tried) < 200, "it never ends"
        return super().translate(texts)


def test_a_text_that_never_fits_is_a_hole_and_costs_the_others_nothing():
    device = Device(room=100)
    outcomes = translated(fitted(device), ["y" * 500, *["x" * 10] * 31])
    assert [one.cause for one in outcomes] == ["out_of_memory"] + [None] * 31
    assert outcomes[0].text == "y" * 500


def test_without_any_memory_all_are_holes_and_it_ends():
    outcomes = translated(fitted(Device(room=0)), ["a", "bb", "ccc"])
    assert [one.cause for one in outcomes] == ["out_of_memory"] * 3


@given(st.lists(st.text(min_size=1, max_size=40), max_size=60), st.integers(0, 400))
def test_every_text_has_its_outcome_in_its_place(texts, room):
    device = Device(room)
    outcomes = translated(fitted(device), texts)
    assert [one.text for one in outcomes] == [text if len(text) > room else text.upper() for text in texts]
    assert len(device.tried) <= 3 * len(texts) + 1


class Crashing(Device):
    """Fails on texts with `poison` in them; a broken one fails on all."""

    def __init__(self, is_broken=False):
        super().__init__(room=float("inf"))
        self.is_broken = is_broken

    def translate(self, texts):
        if self.is_broken or any("poison" in text for text in texts):
            self.tried.append(len(texts))
            raise EngineError("No position encodings are defined for positions >= 512")
        return super().translate(texts)


def test_a_text_on_which_the_engine_fails_is_a_hole_and_its_neighbours_are_translated():
    device = Crashing()
    texts = ["a"] * 20 + ["poison"] + ["b"] * 11
    outcomes = translated(fitted(device), texts)
    assert [one.cause for one in outcomes] == [None] * 20 + ["engine_error"] + [None] * 11
    assert [one.text for one in outcomes] == ["A"] * 20 + ["poison"] + ["B"] * 11
    assert len(device.tried) <= 3 * 6  # each of the halvings of 32: the failure, the probe, the other half


def test_an_engine_that_fails_on_any_text_ends_the_process_and_makes_no_holes():
    with pytest.raises(FatalError):
        translated(fitted(Crashing(is_broken=True)), ["a", "b"])


@given(st.lists(st.sampled_from(["a", "poison", "bb"]), max_size=40))
def test_exactly_the_poisonous_texts_are_holes(texts):
    outcomes = translated(fitted(Crashing()), texts)
    assert [one.cause for one in outcomes] == ["engine_error" if "poison" in text else None for text in texts]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("CUDA failed with error out of memory"), OutOfMemoryError),
        (RuntimeError("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"), OutOfMemoryError),
        (MemoryError(), OutOfMemoryError),
        (RuntimeError("CUDA failed with error unspecified launch failure"), EngineError),
        (RuntimeError("No position encodings are defined for positions >= 512"), EngineError),
        (ValueError("'secret' is not in the vocabulary"), EngineError),
    ],
)
def test_out_of_memory_is_told_from_other_failures_of_a_library_and_no_text_is_quoted(error, kind):
    with pytest.raises(kind) as raised, engine_errors("CTranslate2"):
        raise error
    assert "secret" not in str(raised.value)


def test_errors_of_our_own_pass_an_engine_unchanged():
    mine = PermanentError("bad_options", "no beam")
    with pytest.raises(PermanentError) as raised, engine_errors("CTranslate2"):
        raise mine
    assert raised.value is mine
