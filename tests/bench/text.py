"""Measure what a sentence costs before any engine sees it: `make bench-text`.

Cuts real texts into segments, and takes the segments apart for masking, by the short ways and as if there were
none: by the library alone, and by the search alone. Both sides in one run, A-B-A, in processor time; both must
give the same. Exits with 1 where they differ or where the short way is not short enough: by the ratio, because
microseconds follow the machine and what else it does.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from pydoc_data.topics import topics
from unittest import mock

from yasbd import BoundaryDetector

from inference_workers.engines.bergamot import TRAITS
from inference_workers.fidelity.masking import Masker
from producers.cli.output import lines_of
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


class Searching(Masker):
    """Searches every text."""

    def is_plain(self, text: str) -> bool:
        return False


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


def costs() -> list[Cost]:
    """Measure documents of wrapped prose, their sentences one by one, and the masks of these."""
    documents = list(topics.values())
    sentences = [text for split in cut(documents) for text in split.texts]
    prose = [text for text in sentences if text[0].isupper() and text.endswith(".")]
    masker, searching = Masker(TRAITS.unseen), Searching(TRAITS.unseen)
    plain = [text for text in prose if masker.is_plain(text)]
    cuts = (cut_by_library, cut)
    masks: tuple[Way, Way] = (
        lambda texts: [searching.take_apart(text) for text in texts],
        lambda texts: [masker.take_apart(text) for text in texts],
    )
    return [
        cost_of("segmentation, documents", documents, cuts, len(sentences), 3),
        cost_of("segmentation, one sentence", prose, cuts, len(prose), 4),
        cost_of("masking, nothing to hide", plain, masks, len(plain), 15),
        # Every second sentence names code.
        cost_of("masking, all sentences", sentences, masks, len(sentences), 1.5),
    ]


def table_of(measured: Sequence[Cost]) -> str:
    """Return a table with a row per cost."""
    rows = [
        (one.what, str(one.sentences), f"{one.long_us:g}", f"{one.short_us:g}", f"{one.ratio:g}", str(one.same))
        for one in measured
    ]
    return lines_of(("us a sentence", "sentences", "long way", "short way", "ratio", "same"), rows)


def main() -> int:
    """Return 0 when every goal is reached."""
    measured = costs()
    passed = all(cost.passed for cost in measured)
    report = {"costs": [asdict(cost) for cost in measured], "passed": passed}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2))
    print(table_of(measured))
    print(f"passed: {passed}; {REPORT}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
