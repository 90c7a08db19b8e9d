"""Measure what a sentence costs besides the engine: `make bench-text`.

Cuts real texts into segments, by the short way and by the library alone: both sides in one run, A-B-A, in
processor time; both must give the same, and the ratio counts, because microseconds follow the machine. Then takes
the segments apart for masking, and sends them through the whole fidelity layer around an engine that takes no
time: here microseconds count, as the goal is one of microseconds. Exits with 1 where a goal is missed.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from pydoc_data.topics import topics
from unittest import mock

from yasbd import BoundaryDetector

from inference_workers.engines.bergamot import TRAITS, traits_of
from inference_workers.engines.protocol import Translation
from inference_workers.fidelity import Fidelity
from inference_workers.fidelity.masking import Masker
from producers.cli.output import lines_of
from schemas.languages import LanguagePair
from stream_apps.pipeline import segmentation
from stream_apps.pipeline.segmentation import Segmenter
from stream_apps.pipeline.split import Split

REPORT = Path(__file__).parents[2] / ".dragoman" / "text.json"
LANGUAGE = "en"


@dataclass(frozen=True)
class Cost:
    """Microseconds of processor time a sentence; `ratio` is the long way's by the short one's."""

    what: str
    sentences: int
    long_us: float
    short_us: float
    ratio: float
    least_ratio: float
    same: bool

    @property
    def passed(self) -> bool:
        """Return whether both ways agree and the short one is as short as it must be."""
        return self.same and self.ratio >= self.least_ratio


class Library:
    """The library by itself."""

    def __init__(self) -> None:
        self._library = BoundaryDetector(LANGUAGE)

    def segment(self, text: str) -> list[str]:
        """Return the sentences."""
        return list(self._library.segment(text, preserve_whitespace=True))


class Backwards:
    """An engine that takes no time: it says the words from the last to the first."""

    version = "backwards-1"
    traits = replace(TRAITS, is_one_by_one=False)

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        return [Translation(" ".join(reversed(sentence.split()))) for sentence in sentences]

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Spent:
    """Microseconds of processor time a sentence, and the most that they may be; the best of three runs."""

    what: str
    sentences: int
    us: float
    most_us: float

    @property
    def passed(self) -> bool:
        """Return whether it is little enough."""
        return self.us <= self.most_us


Way = Callable[[Sequence[str]], object]


def cost_of(what: str, texts: Sequence[str], ways: tuple[Way, Way], sentences: int, least_ratio: float) -> Cost:
    """Run the long way, the short one and the long one again."""
    long, short = ways
    before, wanted = _timed(long, texts)
    between, found = _timed(short, texts)
    after, _ = _timed(long, texts)
    long_us, short_us = (seconds / sentences * 1e6 for seconds in ((before + after) / 2, between))
    ratio = round(long_us / short_us, 1)
    return Cost(what, sentences, round(long_us, 1), round(short_us, 1), ratio, least_ratio, wanted == found)


def _timed(way: Way, texts: Sequence[str]) -> tuple[float, object]:
    started = time.process_time()
    result = way(texts)
    return time.process_time() - started, result


def cut(texts: Sequence[str]) -> list[Split]:
    """Cut the texts as intake does."""
    segmenter = Segmenter()
    return [segmenter.split(text, LANGUAGE) for text in texts]


def cut_by_library(texts: Sequence[str]) -> list[Split]:
    """Cut the texts without the short way."""
    library = Library()
    with mock.patch.object(segmentation, "detector_of", return_value=library):
        return cut(texts)


def documents() -> list[str]:
    """Return documents of wrapped prose."""
    return list(topics.values())


def costs() -> list[Cost]:
    """Measure how documents are cut, and their sentences one by one."""
    texts = documents()
    sentences = [text for split in cut(texts) for text in split.texts]
    prose = _prose(sentences)
    ways = (cut_by_library, cut)
    return [
        cost_of("segmentation, documents", texts, ways, len(sentences), 3),
        cost_of("segmentation, one sentence", prose, ways, len(prose), 4),
    ]


def spendings() -> list[Spent]:
    """Measure masks alone, and all that the fidelity layer does: masks, comparison, and what they were put for."""
    sentences = [text for split in cut(documents()) for text in split.texts]
    masker, layer = Masker(traits_of("ÁÉàáâãçéêíóôõú").unseen), Fidelity(Backwards(), LanguagePair("en", "pt"))
    plain = [text for text in _prose(sentences) if not masker.take_apart(text).hidden]
    return [
        _spent("masking, nothing to hide", plain, lambda: [masker.take_apart(text) for text in plain], 25),
        # Every second sentence names code.
        _spent("masking, all sentences", sentences, lambda: [masker.take_apart(text) for text in sentences], 50),
        _spent("the whole layer, nothing to hide", plain, lambda: layer.translate(plain, {}), 100),
    ]


def _prose(sentences: Sequence[str]) -> list[str]:
    return [text for text in sentences if text[0].isupper() and text.endswith(".")]


def _spent(what: str, texts: Sequence[str], way: Callable[[], object], most_us: float) -> Spent:
    seconds = min(_timed(lambda _: way(), texts)[0] for _ in range(3))
    return Spent(what, len(texts), round(seconds / len(texts) * 1e6, 1), most_us)


def table_of(cuts: Sequence[Cost], spent: Sequence[Spent]) -> str:
    """Return two tables, with a row per cost."""
    rows = [
        (one.what, str(one.sentences), f"{one.long_us:g}", f"{one.short_us:g}", f"{one.ratio:g}", str(one.same))
        for one in cuts
    ]
    others = [(one.what, str(one.sentences), f"{one.us:g}", f"{one.most_us:g}") for one in spent]
    return "\n\n".join(
        (
            lines_of(("us a sentence", "sentences", "long way", "short way", "ratio", "same"), rows),
            lines_of(("us a sentence", "sentences", "spent", "at most"), others),
        )
    )


def main() -> int:
    """Return 0 when every goal is reached."""
    cuts, spent = costs(), spendings()
    passed = all(one.passed for one in cuts) and all(one.passed for one in spent)
    report = {"costs": [asdict(one) for one in cuts], "spent": [asdict(one) for one in spent], "passed": passed}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2))
    print(table_of(cuts, spent))
    print(f"passed: {passed}; {REPORT}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
