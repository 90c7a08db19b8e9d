"""Measure what becomes of pairs of inline codes: `make bench-codes`, with the real engine.

One to three words of real sentences (the catalogues of Django) stand in a pair of codes, as bold words do. Each
goes through the fidelity layer twice: with masks for both halves, and with the pair projected onto a translation
made without it, as workers do it. Exits with 1 where a code is lost, or the prose is further than MOST_LOSS from
the plain translation.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sacrebleu.metrics.chrf import CHRF

from inference_workers.engines.protocol import Engine
from inference_workers.fidelity import Fidelity, Outcome
from inference_workers.fidelity.placing import words_between
from inference_workers.model_store import discover, load
from schemas.coded_text import check, closing, detagged, isolated, opening
from schemas.languages import LanguagePair
from schemas.segments import normalise
from tests.bench.fidelity_texts import catalogue

REPORT = Path(__file__).parents[2] / ".dragoman" / "codes.json"
PAIRS = (("en", "pt"), ("pt", "en"))
MOST_LOSS = 5.0
_LEAST_WORDS, _LONGEST_SPAN, _LEAST_LETTERS = 6, 3, 4
_AS_MASKS = str.maketrans({opening(0): isolated(0), closing(0): isolated(1)})
_AS_PAIR = str.maketrans({isolated(0): opening(0), isolated(1): closing(0)})


@dataclass(frozen=True)
class Row:
    """One way, one length of the span. Shares from 0 to 1, chrF from 0 to 100, milliseconds a sentence.

    `chrf` is against the plain translation; `span_chrf`: the words in the pair, translated back, against those of
    the source.
    """

    pair: str
    way: str
    words: int
    sentences: int
    kept: float
    chrf: float
    span_chrf: float
    ms: float

    @property
    def passed(self) -> bool:
        """Return whether the way that is taken reaches its goal."""
        return self.way == "masks" or (self.kept == 1 and self.chrf >= 100 - MOST_LOSS)


class Bench:
    """A pair of languages with both its engines."""

    def __init__(self, pair: tuple[str, str]) -> None:
        self.pair = LanguagePair(*pair)
        self.layer = Fidelity(_engine(*pair), self.pair)
        self.back = _engine(*reversed(pair))
        self._chrf = CHRF()

    def rows(self, sentences: Sequence[str], words: int) -> list[Row]:
        """Measure both ways."""
        chance = random.Random(words)
        coded = [found for sentence in sentences if (found := _with_span(sentence, words, chance))]
        masked = [text.translate(_AS_MASKS) for text in coded]
        return [self._row("masks", words, coded, masked), self._row("projected", words, coded, coded)]

    def _row(self, way: str, words: int, coded: list[str], sent: list[str]) -> Row:
        plain = [one.text for one in self.layer.translate([detagged(text) for text in coded], {})]
        began = time.process_time()
        outcomes = self.layer.translate(sent, {})
        seconds = time.process_time() - began
        texts = [one.text.translate(_AS_PAIR) for one in outcomes]
        return Row(
            pair=str(self.pair),
            way=way,
            words=words,
            sentences=len(coded),
            kept=sum(map(_is_kept, coded, texts, outcomes)) / len(coded),
            chrf=self._chrf.corpus_score([normalise(detagged(text)) for text in texts], [plain]).score,
            span_chrf=self._there_and_back(coded, texts),
            ms=1000 * seconds / len(coded),
        )

    def _there_and_back(self, coded: Sequence[str], texts: Sequence[str]) -> float:
        spans = [words_between(text).get(0) or "-" for text in texts]
        said = [one.text.lower() for one in self.back.translate(spans, {})]
        wanted = [words_between(text)[0].lower() for text in coded]
        scores = [self._chrf.sentence_score(one, [other]).score for one, other in zip(said, wanted, strict=True)]
        return sum(scores) / len(scores)


def _engine(source: str, target: str) -> Engine:
    return load(next(info for info in discover() if info.translates(source, target))).engine(source, target)


def _is_kept(source: str, text: str, outcome: Outcome) -> bool:
    return outcome.cause is None and check(source, text) is None


def _with_span(sentence: str, count: int, chance: random.Random) -> str | None:
    """Put a pair around words of a sentence, of which the outer ones are no particles."""
    words = sentence.split(" ")
    last = count - 1
    starts = [
        at for at in range(len(words) - last) if min(len(words[at]), len(words[at + last])) >= _LEAST_LETTERS
    ]
    if not starts:
        return None
    at = chance.choice(starts)
    words[at] = opening(0) + words[at]
    words[at + last] += closing(0)
    return " ".join(words)


def _sentences(pair: tuple[str, str], most: int) -> list[str]:
    found = [normalise(text) for text, _ in catalogue(pair)]
    prose = [text for text in found if len(text.split()) >= _LEAST_WORDS and not set("%{<") & set(text)]
    random.Random(7).shuffle(prose)
    return prose[:most]


def main() -> int:
    """Measure, print and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=100, help="sentences of each pair")
    most = parser.parse_args().most
    rows = [
        row
        for pair in PAIRS
        for bench in [Bench(pair)]
        for words in range(1, _LONGEST_SPAN + 1)
        for row in bench.rows(_sentences(pair, most), words)
    ]
    for row in rows:
        print(
            f"{row.pair} {row.way:9} {row.words} words {row.sentences:3} sentences  kept {row.kept:6.1%}  "
            f"chrF {row.chrf:5.1f}  span {row.span_chrf:5.1f}  {row.ms:5.1f} ms"
        )
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
