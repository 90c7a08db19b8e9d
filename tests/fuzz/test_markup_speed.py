"""Texts with tags are read inside intake, without a sandbox: no markup may take more than its length."""

import time
from contextlib import suppress

import pytest

from connectors.formats.markup.fragments import fragments
from schemas.errors import PermanentError
from stream_apps.intake.marked_split import split_marked
from stream_apps.pipeline.split import Split

_COUNT = 10_000
# They take a fifth of a second; what is quadratic takes several.
_MOST_SECONDS = 2.0
SHAPES = {
    "breaks in a row": "a" + "<br>" * _COUNT + "b",
    "nobody closes": "<i>" * _COUNT + "x",
    "others are closed": "<i>" * _COUNT + "x" + "</b>" * _COUNT,
    "pairs in pairs": "<i>" * _COUNT + "x" + "</i>" * _COUNT,
    "pairs in pairs with spaces": "<i> " * _COUNT + "x" + " </i>" * _COUNT,
    "attributes in pictures in a row": "a" + "<img alt='It is.'>" * _COUNT + "b",
    "quotes that nobody closes": "<a b='" * _COUNT,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_markup_is_read_in_linear_time(shape):
    began = time.process_time()
    with suppress(PermanentError):  # one has more codes than a unit may
        found = fragments(SHAPES[shape], "text/html", {})
        split_marked(SHAPES[shape], found, lambda prose: Split("", (prose,), ("",)))
    assert time.process_time() - began < _MOST_SECONDS
