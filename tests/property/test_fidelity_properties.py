"""Whatever the engine does to the masks, nothing that must not change is lost."""

import random
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

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
