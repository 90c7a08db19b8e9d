"""Measure what comes back whole, beside the bare engine in the same run: `make bench-fidelity`.

Each text goes to the bare engine and through the fidelity layer around the same engine. Kept: the span stands in
the translation exactly once and nothing is marked. chrF is of the prose, without the span. A kind whose chrF is
below the bare engine's is measured again with MORE times as many texts; it is worse where the bare engine leads in
all of the 95 % interval of their difference (paired.py). Exits with 1 where a span is lost, where the prose of a
kind is worse, or where plain prose is more than 0.3 below the bare engine's. Fills a table of docs/fidelity.md.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from sacrebleu.metrics.chrf import CHRF

from inference_workers.engines.protocol import Engine
from inference_workers.fidelity import Fidelity, Outcome
from inference_workers.fidelity.figures import same_figures
from inference_workers.model_store import discover, load
from schemas.languages import LanguagePair
from schemas.segments import count_words, normalise
from tests.bench.fidelity_texts import BEFORE, Sample, catalogue, generated
from tests.bench.paired import Interval, difference

ROOT = Path(__file__).parents[2]
REPORT, PAGE = ROOT / ".dragoman" / "fidelity.json", ROOT / "docs" / "fidelity.md"
_TABLE = re.compile(r"(?s)(?<=<!-- fidelity -->\n).*?(?=<!-- /fidelity -->)")
PAIRS = (("en", "pt"), ("pt", "en"))
MOST_DIFFERENCE = 0.3
MORE = 4
_PROSE, _LIFE = "plain prose", "placeholders of Django"
_LEAST_WORDS = 5


@dataclass(frozen=True)
class Row:
    """One kind of texts: shares from 0 to 1, chrF from 0 to 100, milliseconds a text."""

    pair: str
    kind: str
    texts: int
    kept: float
    bare_kept: float
    chrf: float
    bare_chrf: float
    suspect: float
    ms: float
    bare_ms: float
    lead: Interval

    @property
    def passed(self) -> bool:
        """Return whether the kind reaches its goal."""
        if self.kind == _PROSE:
            return self.chrf >= self.bare_chrf - MOST_DIFFERENCE
        return self.kept == 1 and not (self.is_below and self.lead.most < 0)

    @property
    def is_below(self) -> bool:
        """Return whether chrF is lower than the bare engine's, by chance or not."""
        return self.chrf < self.bare_chrf


class Bench:
    """The bare engine of a pair, and the layer around it."""

    def __init__(self, pair: tuple[str, str], *, shows_losses: bool) -> None:
        self.pair = LanguagePair(*pair)
        self.engine: Engine = load(next(info for info in discover() if info.translates(*pair))).engine(*pair)
        self.layer = Fidelity(self.engine, self.pair)
        self.engine.translate(["The house is big."], {})
        self._shows_losses = shows_losses

    def row(self, kind: str, samples: Sequence[Sample]) -> Row:
        """Measure one kind."""
        texts = [normalise(sample.text) for sample in samples]
        began = time.process_time()
        bare = [one.text for one in self.engine.translate(texts, {})]
        between = time.process_time()
        outcomes = self.layer.translate(texts, {})
        ended = time.process_time()
        kept = [_is_kept(sample, one) for sample, one in zip(samples, outcomes, strict=True)]
        if self._shows_losses:
            self._show(samples, outcomes, kept)
        said = [one.text for one in outcomes]
        plain = self._sentences_alone(samples) if kind in BEFORE else bare
        return Row(
            pair=str(self.pair),
            kind=kind,
            texts=len(texts),
            kept=_share(kept),
            bare_kept=_share([_stands(sample, text) for sample, text in zip(samples, bare, strict=True)]),
            chrf=_chrf(samples, said),
            bare_chrf=_chrf(samples, plain),
            suspect=_share([not one.is_sound for one in outcomes]),
            ms=round((ended - between) / len(texts) * 1000, 2),
            bare_ms=round((between - began) / len(texts) * 1000, 2),
            lead=difference(_proses(samples, said), _proses(samples, plain), [one.reference for one in samples]),
        )

    def _sentences_alone(self, samples: Sequence[Sample]) -> list[str]:
        """Translate what stands behind the spans: with a header before it, bare prose differs by chance alone."""
        alone = [normalise(sample.text.removeprefix(sample.span)) for sample in samples]
        return [one.text for one in self.engine.translate(alone, {})]

    @staticmethod
    def _show(samples: Sequence[Sample], outcomes: Sequence[Outcome], kept: Sequence[bool]) -> None:
        for sample, one, is_kept in zip(samples, outcomes, kept, strict=True):
            if not is_kept or one.attempts > 1:
                print(f"{sample.text!r}\n  {one.text!r} {one.cause or one.warning or ''} attempts={one.attempts}")


def rows_of(pair: tuple[str, str], each: int, *, shows_losses: bool = False) -> list[Row]:
    """Measure every kind of one pair."""
    bench = Bench(pair, shows_losses=shows_losses)
    prose, placeholders = _of_life(bench, pair)
    rows = [bench.row(kind, samples) for kind, samples in generated(pair, each).items()]
    below = [row.kind for row in rows if row.is_below]
    larger = generated(pair, MORE * each) if below else {}
    again = {kind: bench.row(kind, larger[kind]) for kind in below}
    return [*(again.get(row.kind, row) for row in rows), bench.row(_LIFE, placeholders), bench.row(_PROSE, prose)]


def _of_life(bench: Bench, pair: tuple[str, str]) -> tuple[list[Sample], list[Sample]]:
    """Return the catalogue's sentences without anything to hide, and its texts with placeholders."""
    entries = catalogue(pair)
    prose = [
        Sample(text, "", other)
        for text, other in entries
        if not _spans(bench, text) and count_words(text) >= _LEAST_WORDS
    ]
    placeholders = [
        Sample(text, spans[0], other.replace(spans[0], ""), (spans[0],))
        for text, other in entries
        if len(spans := _spans(bench, text)) == 1 and text.count(spans[0]) == other.count(spans[0]) == 1
    ]
    return prose, [one for one in placeholders if "%" in one.span or "{" in one.span]


def _spans(bench: Bench, text: str) -> tuple[str, ...]:
    return bench.layer.spans(text)


def _stands(sample: Sample, text: str) -> bool:
    """Tell whether all marks stand in the translation as often as in the text; figures are compared by value."""
    if re.fullmatch(r"[\d.,%]+", sample.span):
        return same_figures([sample.span], [text]) and text.count("%") == sample.text.count("%")
    if sample.span.endswith(" "):
        return text.startswith(sample.span)
    marks, source = map(normalise, sample.marks), normalise(sample.text)
    return all(text.count(mark) == source.count(mark) for mark in marks)


def _is_kept(sample: Sample, outcome: Outcome) -> bool:
    return outcome.cause is None and _stands(sample, outcome.text)


def _share(flags: Sequence[bool]) -> float:
    return round(sum(flags) / max(len(flags), 1), 4)


def _chrf(samples: Sequence[Sample], texts: Sequence[str]) -> float:
    score = CHRF().corpus_score(_proses(samples, texts), [[sample.reference for sample in samples]])
    return round(score.score, 2)


def _proses(samples: Sequence[Sample], texts: Sequence[str]) -> list[str]:
    """Return the texts without their spans."""
    return [
        text.replace(normalise(sample.span), "") if sample.span else text
        for sample, text in zip(samples, texts, strict=True)
    ]


def table_of(rows: Sequence[Row]) -> str:
    """Return a Markdown table with a row per kind."""
    columns = ("pair", "kind", "texts", "kept", "bare", "chrF", "bare", "lead", "suspect", "ms", "bare")
    head = f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|"
    lines = [
        f"| {one.pair} | {one.kind} | {one.texts} | {one.kept:.1%} | {one.bare_kept:.1%} | {one.chrf:.1f} "
        f"| {one.bare_chrf:.1f} | {one.lead} | {one.suspect:.1%} | {one.ms:.1f} | {one.bare_ms:.1f} |"
        for one in rows
    ]
    return "\n".join([head, *lines])


def main() -> int:
    """Return 0 when every goal is reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=100, help="texts of each generated kind")
    parser.add_argument("--losses", action="store_true", help="show what was lost or took several attempts")
    asked = parser.parse_args()
    measured = partial(rows_of, each=asked.each, shows_losses=asked.losses)
    with ProcessPoolExecutor(len(PAIRS), get_context("spawn")) as processes:
        rows = [row for some in processes.map(measured, PAIRS) for row in some]
    missed = [f"{row.pair} {row.kind}" for row in rows if not row.passed]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"rows": [asdict(row) for row in rows], "missed": missed}, indent=2))
    PAGE.write_text(
        _TABLE.sub(lambda _: table_of(rows) + "\n", PAGE.read_text(encoding="utf-8")), encoding="utf-8"
    )
    print(table_of(rows))
    for row in filter(lambda one: one.is_below, rows):
        print(f"below: {row.pair} {row.kind}, {row.texts} texts: by {row.lead.least:.2f} to {row.lead.most:.2f}")
    print(f"missed: {', '.join(missed) or 'none'}; {REPORT}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
