"""Measure how whole sentences stay when their text was wrapped: `make bench-prose`, with the real engine.

Paragraphs of prose are written as README files and e-mails write them, translated, and held against the
translation of the same paragraphs on one line each: the same words in the same order, or a sentence was broken.
Beside it, what comes out when every line is translated alone. Exits with 1 below the goals.
"""

import json
import random
import re
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from pydoc_data.topics import topics

from connectors.memory import InMemoryTranslationMemory
from inference_workers.answers import Effort, translated_batch
from inference_workers.model_router import ModelRouter
from inference_workers.model_store import discover
from inference_workers.translating import SegmentTranslator
from producers.cli.output import lines_of
from schemas.ids import JobKey
from schemas.messages import Job, TranslationResult
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.join import join
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.segmentation import Segmenter

REPORT = Path(__file__).parents[2] / ".dragoman" / "prose.json"
PARAGRAPHS = 100
_ADDRESS = (
    "https://docs.example.org/a/rather/long/address/that/no/line/breaker/breaks.html#at-all-whatever-happens"
)
_MARKS = re.compile(r"^[ \t]*(?:> ?|\* |- )*", re.MULTILINE)
# Some lines that a person ended on purpose look like wrapped ones, and the other way round.
_LEAST_SAME, _MOST_TOO_WIDE = 0.95, 2

Wrap = Callable[[str], str]


@dataclass(frozen=True)
class Kept:
    """How many paragraphs of one kind came back as from one line; `too_wide`: lines beyond the source's widest."""

    kind: str
    paragraphs: int
    same: float
    same_line_by_line: float
    too_wide: int

    @property
    def passed(self) -> bool:
        """Return whether hardly a sentence was broken."""
        return self.same >= _LEAST_SAME and self.too_wide <= _MOST_TOO_WIDE


class Pipeline:
    """Cuts, translates and joins as the platform does, in one process."""

    def __init__(self) -> None:
        self._segments = SegmentTranslator(ModelRouter(discover()), InMemoryTranslationMemory(), time.perf_counter)

    def translate(self, text: str) -> str:
        """Return the translation from English into Portuguese."""
        return self.result(text).text or ""

    def result(self, text: str) -> TranslationResult:
        """Return what the platform answers."""
        pieces = cut(Segmenter().split(text, "en", "pt"), BatchLimits())
        count = sum(len(piece.texts) for piece in pieces)
        job = Job(source_language="en", target_language="pt", segments=count, batches=len(pieces))
        batches = batches_of(JobKey("bench", "prose"), job, pieces, [None] * count, Wishes())
        answers = self._segments.translate(batches).answers
        effort = Effort("", 0.0, 0.0, 1)
        done = [translated_batch(batch, some, effort) for batch, some in zip(batches, answers, strict=True)]
        return join(done, 1)


def prose() -> list[str]:
    """Return paragraphs of plain prose, each on one line."""
    found = [
        " ".join(paragraph.split())
        for topic in topics.values()
        for paragraph in topic.split("\n\n")
        if re.fullmatch(r" {0,3}[A-Z][^*`_|<>{}=\[\]#+~\\/“”‘]*\.\s*", paragraph)
    ]
    chosen = [one for one in dict.fromkeys(found) if len(one) > 150]
    return random.Random(1).sample(chosen, PARAGRAPHS)


def by_hand(text: str) -> str:
    """Wrap as a person does, who leaves room."""
    chance, lines, line = random.Random(text), [], ""
    width = chance.randint(58, 74)
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line, width = "", chance.randint(58, 74)
        line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


def filled(width: int, first: str = "", others: str = "", line_end: str = "\n") -> Wrap:
    """Return what wraps as an editor does."""
    return lambda text: textwrap.fill(text, width, initial_indent=first, subsequent_indent=others).replace(
        "\n", line_end
    )


KINDS: dict[str, Wrap] = {
    "README, 72 columns": filled(72),
    "list items": filled(76, "* ", "  "),
    "docstring, indented": filled(79, "    ", "    "),
    "e-mail, CR LF": filled(72, line_end="\r\n"),
    "e-mail, quoted": filled(72, "> ", "> "),
    "e-mail, quoted twice": filled(74, "> > ", "> > ", "\r\n"),
    "wrapped by hand": by_hand,
    "beside a long address": lambda text: f"{filled(72)(text)}\n{_ADDRESS}",
}


def kept(pipeline: Pipeline, kind: str, texts: Sequence[str]) -> Kept:
    """Translate the texts as this kind writes them, on one line each, and line by line."""
    sources = [KINDS[kind](text) for text in texts]
    wanted = [pipeline.translate(text) for text in texts]
    found = pipeline.translate("\n\n".join(sources))
    parts = re.split(r"(?:\r?\n){2}", found)
    alone = ["\n".join(map(pipeline.translate, source.splitlines())) for source in sources]
    most = max(len(line) for source in sources for line in source.splitlines())
    return Kept(
        kind,
        len(texts),
        _share(parts, wanted),
        _share(alone, wanted),
        sum(len(line) > most for line in found.splitlines()),
    )


def _share(found: Sequence[str], wanted: Sequence[str]) -> float:
    same = [_words(one) == _words(other) for one, other in zip(found, wanted, strict=False)]
    return round(sum(same) / len(wanted), 3)


def _words(text: str) -> str:
    return " ".join(_MARKS.sub("", text).replace(_ADDRESS, "").split())


def main() -> int:
    """Return 0 when every kind reaches its goals."""
    pipeline, texts = Pipeline(), prose()
    measured = [kept(pipeline, kind, texts) for kind in KINDS]
    passed = all(one.passed for one in measured)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"kinds": [asdict(one) for one in measured], "passed": passed}, indent=2))
    rows = [tuple(map(str, asdict(one).values())) for one in measured]
    print(lines_of(("kind", "paragraphs", "same", "line by line", "too wide"), rows))
    print(f"passed: {passed}; {REPORT}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
