"""Whatever the engine does to the masks, nothing that must not change is lost."""

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inference_workers.engines.bergamot import TRAITS, traits_of
from inference_workers.engines.protocol import Traits, Translation
from inference_workers.fidelity import Fidelity
from inference_workers.fidelity.disguise import disguised
from inference_workers.fidelity.masking import Hiding, Masker
from tests.bench.fidelity_texts import AROUND, BEFORE, KINDS

HIDDEN = st.sampled_from(
    ["{name}", "%s", "https://example.org/a", "<b>", "a@b.co", "`x y`", "&amp;", "QZ7", "/etc/x"]
)
# Without `cd`, which an engine could move before a path: a command.
# No word of them is a command: gh with an address behind it would be one.
WORDS = st.text(alphabet="abefgij ", min_size=1, max_size=12).filter(str.strip)
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


@given(st.lists(TEXTS, max_size=5), st.integers())
def test_every_hidden_piece_is_in_the_translation_once_or_the_source_stands(texts, seed):
    masker = Masker(None)
    found = Fidelity(Careless(seed)).translate(texts, {})
    assert len(found) == len(texts)
    for text, outcome in zip(texts, found, strict=True):
        if outcome.cause is not None:
            assert outcome.text == text
            continue
        wanted, got = (
            sorted("".join("".join(masker.take_apart(one).hidden).split())) for one in (text, outcome.text)
        )
        assert got == wanted


# What makes a text protected, in pieces, so that they meet by chance.
PIECES = st.sampled_from(
    ("a", "Q", "Z", "QZ", "7", ".", "..", "www", "www.", "(", ")", "_", "__", "/", "~", "\\", "C:", "http:",
     "//", "@", "<", ">", "&", "amp", ";", "`", "$", "{", "}", "%", "s", "(x)", "#", "©", "日", "“", "–",
     "word", "Ö", "é", "!", "'", '"', ",", "-", "**", "*", "[", "]", "](", "€", "5", "1,5", ":", ":)",
     "\u200d", "👩", "🏳", "\ufe0f", "\x00", "km", "<b>", "</b>", "<!--", "-->", "{{", "}}", "<%", "%>", "|",
     " ", " ", "\u00a0", "\n")
)  # fmt: skip
ANY_TEXT = st.one_of(st.text(), st.lists(PIECES, max_size=16).map("".join), TEXTS)


@pytest.mark.parametrize("unseen", [None, TRAITS.unseen, traits_of("éã").unseen])
@settings(max_examples=100)
@given(text=ANY_TEXT, hiding=st.sampled_from(Hiding))
@example(text="_QZ0", hiding=Hiding.FEW)
def test_any_text_taken_apart_goes_together_again(unseen, text, hiding):
    parts = Masker(unseen).take_apart(text, hiding=hiding)
    assert len(parts.plain) == len(parts.hidden) + 1 == len(parts.marks) + 1
    assert "".join(map("".join, zip(parts.plain, (*parts.hidden, ""), strict=True))) == text
    if not parts.is_crowded:
        disguise = disguised(parts, "QZ{}")
        restored = disguise.restored(disguise.sent)
        assert restored is not None
        assert restored.text == text


@settings(max_examples=100)
@given(texts=st.lists(ANY_TEXT, max_size=5), seed=st.integers())
def test_every_span_of_any_text_returns_once_or_the_text_is_marked(texts, seed):
    masker = Masker(None)
    for text, outcome in zip(texts, Fidelity(Careless(seed)).translate(texts, {}), strict=True):
        if not outcome.is_sound:
            assert outcome.warning or outcome.text == text
            continue
        # Spans side by side are hidden as one, or one of them is left to the engine.
        for piece in (piece for span in masker.take_apart(text).hidden for piece in span.split()):
            assert outcome.text.count(piece) >= text.count(piece)


# Inside the others are words, which are translated; names are prose for a model that knows their letters.
DIALECTS = st.sampled_from(sorted(set(KINDS) - BEFORE - (AROUND - {"reST"}) - {"foreign names"}))


@settings(max_examples=100)
@given(
    before=WORDS, behind=WORDS, dialect=DIALECTS, seed=st.integers(0, 10**6), chance=st.integers(),
)  # fmt: skip
def test_a_placeholder_of_any_dialect_in_any_prose_returns_once(before, behind, dialect, seed, chance):
    span = KINDS[dialect](random.Random(seed))
    text = f"{before} {span} {behind}"
    (outcome,) = Fidelity(Careless(chance)).translate([text], {})
    assert not outcome.is_sound or outcome.text.count(span) == 1
