"""Whatever the engine does, every code comes back once and nested as before, or the source stands."""

from hypothesis import given, settings
from hypothesis import strategies as st

from inference_workers.fidelity import Fidelity
from schemas.coded_text import check, closing, detagged, isolated, opening
from schemas.messages import Job, SegmentBatch
from schemas.segments import normalise
from stream_apps.pipeline.finishing import finished
from tests.property.test_fidelity_properties import Careless

_WORDS = st.lists(st.sampled_from(["the", "door", "is", "open", "now", "2", "{name}", "Ana"]), max_size=3)


@st.composite
def sentences(draw: st.DrawFn) -> str:
    """Words with pairs up to three deep and codes that stand alone; every number once."""
    numbers = iter(range(100))

    def some(depth: int) -> str:
        pieces = draw(_WORDS)
        for _ in range(draw(st.integers(0, 2 if depth else 0))):
            number = next(numbers)
            is_pair = draw(st.booleans())
            pieces.append(opening(number) + some(depth - 1) + closing(number) if is_pair else isolated(number))
            pieces += draw(_WORDS)
        return " ".join(pieces)

    return f"start {some(3)}"


def _numbered(text: str) -> str:
    return normalise(text, has_codes=True)


class Honest(Careless):
    """Loses no word and doubles none, and swaps some."""

    def _spoilt(self, sentence: str) -> str:
        words = sentence.split(" ")
        at = self._random.randrange(len(words))
        return " ".join([*words[at:], *words[:at]])


@settings(max_examples=60)
@given(st.lists(sentences(), max_size=4), st.integers(), st.sampled_from([Careless, Honest]))
def test_every_code_comes_back_once_and_nested_as_before(texts, seed, engine):
    texts = list(map(_numbered, texts))
    found = Fidelity(engine(seed)).translate(texts, {})
    assert len(found) == len(texts)
    batch = SegmentBatch(
        request_id="r", batch_number=0, job=Job(inline_codes=True, batches=1), texts=texts, gaps=[""] * len(texts)
    )
    done = finished(batch, [one.text for one in found], [one.cause for one in found])
    for text, translation, cause in zip(texts, done.translations, done.causes, strict=True):
        assert check(text, translation) is None
        assert cause is None or translation == text


@settings(max_examples=60)
@given(sentences(), st.integers())
def test_an_engine_that_loses_no_word_loses_none_to_the_codes(text, seed):
    (outcome,) = Fidelity(Honest(seed)).translate([text], {})
    assert sorted(detagged(outcome.text).split()) == sorted(detagged(text).split())


@settings(max_examples=60)
@given(st.lists(st.sampled_from([*map(opening, range(3)), *map(closing, range(3)), isolated(0), "a ", "b"])))
def test_codes_that_plain_text_holds_in_any_order_come_back_as_often(pieces):
    text = "".join(pieces).strip()
    (outcome,) = Fidelity(Honest(1)).translate([text], {})
    assert outcome.cause or sorted("".join(outcome.text.split())) == sorted("".join(text.split()))
