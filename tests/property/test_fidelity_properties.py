"""Whatever the engine does to the masks, nothing that must not change is lost."""

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_workers.engines.bergamot import TRAITS
from inference_workers.engines.protocol import Traits, Translation
from inference_workers.fidelity import Fidelity
from inference_workers.fidelity.masking import Masker, masked, unmasked

HIDDEN = st.sampled_from(
    ["{name}", "%s", "https://example.org/a", "<b>", "a@b.co", "`x y`", "&amp;", "QZ7", "/etc/x"]
)
WORDS = st.text(alphabet="abcdefgh ", min_size=1, max_size=12).filter(str.strip)
TEXTS = st.lists(st.one_of(WORDS, HIDDEN), min_size=1, max_size=8).map(" ".join)


class Careless:
    """Drops, doubles and swaps words by chance, masks among them."""

    version = "careless-1"
    traits = Traits()

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        return [Translation(self._spoilt(sentence)) for sentence in sentences]

    def close(self) -> None:
        """Nothing is open."""

    def _spoilt(self, sentence: str) -> str:
        words = sentence.split(" ")
        if self._random.random() < 0.5:
            self._random.shuffle(words)
        if self._random.random() < 0.3:
            words.append(self._random.choice(words))
        return " ".join(word for word in words if self._random.random() < 0.9)


@given(TEXTS)
def test_a_text_taken_apart_goes_together_again(text):
    parts = Masker(None).take_apart(text)
    assert unmasked(masked(parts, "⟦{}⟧"), parts.hidden, "⟦{}⟧") == text


@given(st.lists(TEXTS, max_size=5), st.integers())
def test_every_hidden_piece_is_in_the_translation_once_or_the_source_stands(texts, seed):
    masker = Masker(None)
    found = Fidelity(Careless(seed)).translate(texts, {})
    assert len(found) == len(texts)
    for text, outcome in zip(texts, found, strict=True):
        if outcome.cause is not None:
            assert outcome.text == text
            continue
        wanted, got = (sorted("".join(masker.take_apart(one).hidden)) for one in (text, outcome.text))
        assert got == wanted


# What makes a text protected, in pieces, so that they meet by chance.
PIECES = st.sampled_from(
    [
        *(
            "a",
            "Q",
            "Z",
            "QZ",
            "7",
            ".",
            "..",
            "www",
            "www.",
            "(",
            ")",
            "_",
            "__",
            "/",
            "~",
            "\\",
            "C:",
            "http:",
            "//",
        ),
        *(
            "@",
            "<",
            ">",
            "&",
            "amp",
            ";",
            "`",
            "$",
            "{",
            "}",
            "%",
            "s",
            "(x)",
            "#",
            "©",
            "日",
            "“",
            "–",
            "\u00a0",
            "\n",
        ),
        *("word", " ", " ", "Ö", "é", "!", "'", '"', ",", "-"),
    ]
)


class Searching(Masker):
    """Never takes the short way."""

    def is_plain(self, text: str) -> bool:  # whatever the text is
        return False


@pytest.mark.parametrize("unseen", [None, TRAITS.unseen])
@settings(max_examples=300)
@given(text=st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join), TEXTS))
def test_a_text_that_is_plain_at_a_glance_has_nothing_to_hide(unseen, text):
    assert Masker(unseen).take_apart(text) == Searching(unseen).take_apart(text)
