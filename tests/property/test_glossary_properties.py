"""Any term in any sentence: its translation stands there once for each occurrence, or the segment is marked."""

import re

from hypothesis import given
from hypothesis import strategies as st

from inference_workers.engines.protocol import Traits, Translation
from inference_workers.fidelity import Fidelity
from schemas.terms import TermIndex

# Targets that no engine says by itself, and none of which is part of another.
TARGETS = ("ıalphaı", "ıbetaı", "ıgammaı")
WORDS = st.text("abcdeéß", min_size=1, max_size=5)
TERMS = st.lists(st.lists(WORDS, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=3, unique=True)
GAPS = st.sampled_from([" ", ", ", " (", ") ", ". ", " - "])


class Hostile:
    """An engine that writes backwards, and loses, doubles, or glues masks, as its dice say."""

    version = "hostile-1"

    def __init__(self, dice):
        self.traits, self._dice = Traits(), dice

    def translate(self, sentences, options):
        return [Translation(self._said(sentence), 0.5) for sentence in sentences]

    def close(self):
        """Nothing is open."""

    def _said(self, sentence):
        masks = re.compile(r"QZ\d+|https://x\.co/\d+")
        changes = {"keeps": lambda one: one[0], "loses": lambda _: "", "doubles": lambda one: f"{one[0]} {one[0]}"}
        changes["glues"] = lambda one: f"x{one[0]}x"
        change = changes[next(self._dice, "keeps")]
        pieces = re.split(f"({masks.pattern})", sentence)
        # What is not hidden is translated: backwards.
        return "".join(masks.sub(change, one) if number % 2 else one[::-1] for number, one in enumerate(pieces))


@given(TERMS, st.lists(st.tuples(st.one_of(WORDS, st.integers(0, 2)), GAPS), max_size=12), st.data())
def test_each_occurrence_becomes_its_target_once_or_the_segment_is_marked(terms, pieces, data):
    glossary = dict(zip(terms, TARGETS, strict=False))
    # With a word before them: `a) ` at the beginning is the mark of a list, which is no term.
    text = "so " + "".join((terms[one % len(terms)] if isinstance(one, int) else one) + gap for one, gap in pieces)
    dice = data.draw(st.lists(st.sampled_from(["keeps", "loses", "doubles", "glues"]), max_size=8))
    (found,) = Fidelity(Hostile(iter(dice))).translate([text], {}, (), glossary)
    if found.cause or found.warning:
        return
    wanted = sorted(one.target.lower() for one in TermIndex(glossary).find(text))
    assert sorted(re.findall("ı[a-z]+ı", found.text.lower().replace("i\u0307", "i"))) == wanted


@given(TERMS, st.text("abcdeéß .,", max_size=60))
def test_terms_are_whole_words_and_never_overlap(terms, text):
    end = 0
    for one in TermIndex(dict.fromkeys(terms, "x")).find(text):
        assert one.start >= end
        assert not text[one.start - 1 : one.start].isalnum() or one.start == 0
        assert not text[one.end : one.end + 1].isalnum()
        end = one.end
