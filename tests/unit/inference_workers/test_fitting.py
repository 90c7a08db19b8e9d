"""A device with little memory: smaller parts, holes for what never fits, a lesson that lasts a while."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_workers.engines.ctranslate2_engine import _failure
from inference_workers.engines.protocol import OutOfMemoryError
from inference_workers.fitting import FittingTranslator, SafeSize
from schemas.errors import FatalError


@dataclass(frozen=True)
class Done:
    text: str
    score: float | None = None
    cause: str | None = None


class Device:
    """Holds `room` padded characters."""

    def __init__(self, room):
        self.room, self.tried, self.now = room, [], 0.0

    def version_of(self, source, target):
        return f"{source}-{target}"

    def translate(self, texts, *_):
        self.tried.append(len(texts))
        if len(texts) * max(map(len, texts)) > self.room:
            raise OutOfMemoryError
        return [Done(text.upper()) for text in texts]


def fitted(device, forget_after_seconds=60):
    return FittingTranslator(device, SafeSize(forget_after_seconds), lambda: device.now)


def translate(translator, texts):
    return translator.translate(texts, "en", "pt", {})


def test_what_does_not_fit_is_halved_until_it_does():
    device = Device(room=100)
    outcomes = translate(fitted(device), ["x" * 10] * 64)
    assert [one.text for one in outcomes] == ["X" * 10] * 64
    assert device.tried == [64, 32, 16] + [8] * 8


def test_the_lesson_lasts_so_that_the_next_cycle_does_not_fail_first():
    device = Device(room=100)
    translator = fitted(device)
    translate(translator, ["x" * 10] * 64)
    device.tried.clear()
    translate(translator, ["x" * 10] * 16)
    assert device.tried == [8, 8]


def test_the_lesson_is_forgotten_after_a_while():
    device = Device(room=100)
    translator = fitted(device, forget_after_seconds=60)
    translate(translator, ["x" * 10] * 64)
    device.tried.clear()
    device.now, device.room = 61, 10_000
    translate(translator, ["x" * 10] * 16)
    assert device.tried == [16]


def test_a_text_that_never_fits_is_a_hole_and_costs_the_others_nothing():
    device = Device(room=100)
    outcomes = translate(fitted(device), ["y" * 500, *["x" * 10] * 31])
    assert [one.cause for one in outcomes] == ["out_of_memory"] + [None] * 31
    assert outcomes[0].text == "y" * 500


def test_without_any_memory_all_are_holes_and_it_ends():
    outcomes = translate(fitted(Device(room=0)), ["a", "bb", "ccc"])
    assert [one.cause for one in outcomes] == ["out_of_memory"] * 3


@given(st.lists(st.text(min_size=1, max_size=40), max_size=60), st.integers(0, 400))
def test_every_text_has_its_outcome_in_its_place(texts, room):
    device = Device(room)
    outcomes = translate(fitted(device), texts)
    assert [one.text for one in outcomes] == [text if len(text) > room else text.upper() for text in texts]
    assert len(device.tried) <= 3 * len(texts) + 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("CUDA failed with error out of memory"), OutOfMemoryError),
        (RuntimeError("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"), OutOfMemoryError),
        (MemoryError(), OutOfMemoryError),
        (RuntimeError("CUDA failed with error unspecified launch failure"), FatalError),
    ],
)
def test_ctranslate2_out_of_memory_is_told_from_a_broken_device(error, kind):
    assert isinstance(_failure(error), kind)
