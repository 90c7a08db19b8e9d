"""Texts with tags are read inside intake, without a sandbox: no markup may take more than its length."""

import time
from contextlib import suppress

import pytest

from connectors.formats.markup.fragments import fragments
from schemas.errors import PermanentError
from stream_apps.intake.marked_split import split_marked
from stream_apps.pipeline.split import Split

_COUNT = 2_000
_LONGER = 4
# Four times the text takes four times as long when each character costs the same, sixteen times when it does not.
_MOST_TIMES = 9
SHAPES = {
    "breaks in a row": lambda count: "a" + "<br>" * count + "b",
    "nobody closes": lambda count: "<i>" * count + "x",
    "others are closed": lambda count: "<i>" * count + "x" + "</b>" * count,
    "pairs in pairs": lambda count: "<i>" * count + "x" + "</i>" * count,
    "pairs in pairs with spaces": lambda count: "<i> " * count + "x" + " </i>" * count,
    "attributes in pictures in a row": lambda count: "a" + "<img alt='It is.'>" * count + "b",
    "quotes that nobody closes": lambda count: "<a b='" * count,
}


def _seconds(text: str) -> float:
    """Return the least processor time of three readings: what else the machine does is in the others."""
    return min(_timed(text) for _ in range(3))


def _timed(text: str) -> float:
    began = time.process_time()
    with suppress(PermanentError):  # one has more codes than a unit may
        found = fragments(text, "text/html", {})
        split_marked(text, found, lambda prose: Split("", (prose,), ("",)))
    return time.process_time() - began


@pytest.mark.parametrize("shape", SHAPES)
def test_markup_is_read_in_linear_time(shape):
    assert _seconds(SHAPES[shape](_LONGER * _COUNT)) < _MOST_TIMES * _seconds(SHAPES[shape](_COUNT))
