"""Run the texts that another hand wrote through the real path, and say what became of each: `make bench-hand`.

Whoever wrote `other_hand.json` had not read the code that keeps spans: each text is as a user would send it, with
the pieces that must come back. A piece with several forms is a list, its first form is the source's. Every text is
cut, translated by the real local engine and joined as the platform does it, as English to Portuguese whatever its
language: what must not change does not depend on it. Exits with 1 where a piece is lost without a mark, unless the
text is `known` for it.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from schemas.messages import TranslationResult
from tests.bench.prose import Pipeline

_HANDS = ("", "_again", "_third", "_fourth", "_fifth", "_fifth_again")
FILES = tuple(Path(__file__).with_name(f"other_hand{name}.json") for name in _HANDS)
REPORT = Path(__file__).parents[2] / ".dragoman" / "hand.json"
WHOLE, MARKED, BROKEN = "whole", "marked", "broken silently"


@dataclass(frozen=True)
class Wanted:
    """A text, and the forms that each of its pieces may come back in; `known` says why some are lost."""

    kind: str
    text: str
    pieces: tuple[tuple[str, ...], ...]
    known: str = ""

    def lost_in(self, translated: str) -> list[str]:
        """Return the pieces that do not stand in the translation as often as in the text."""
        return [forms[0] for forms in self.pieces if _count(forms, translated) != _count(forms, self.text)]


@dataclass(frozen=True)
class Found:
    """What became of a text."""

    kind: str
    text: str
    translated: str
    lost: Sequence[str]
    marks: Sequence[str]
    known: str = ""

    @property
    def verdict(self) -> str:
        """Return whether it is whole, marked for a reader, or broken without a mark."""
        return MARKED if self.marks else BROKEN if self.lost else WHOLE


def texts(file: Path) -> list[Wanted]:
    """Return the texts of a file in their order."""
    kinds = json.loads(file.read_text(encoding="utf-8"))
    return [
        Wanted(kind, one["text"], tuple(map(_forms, one["keep"])), one.get("known", ""))
        for kind, some in kinds.items()
        for one in some
    ]


def found(pipeline: Pipeline, wanted: Wanted) -> Found:
    """Translate a text, and say what became of it."""
    result = pipeline.result(wanted.text)
    translated = wanted.text if result.text is None else result.text
    return Found(wanted.kind, wanted.text, translated, wanted.lost_in(translated), _marks(result), wanted.known)


def _forms(piece: str | list[str]) -> tuple[str, ...]:
    return (piece,) if isinstance(piece, str) else tuple(piece)


def _count(forms: Sequence[str], text: str) -> int:
    return sum(text.count(form) for form in forms)


def _marks(result: TranslationResult) -> list[str]:
    """Return why a reader should look at it; what passes through is whole."""
    return [hole.cause for hole in result.holes] + [
        mark.cause for mark in result.warnings if mark.cause not in ("no_letters", "code_block")
    ]


def main() -> int:
    """Return 0 where nothing was lost without a mark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="show whole ones too")
    parser.add_argument("files", nargs="*", type=Path, default=FILES)
    asked = parser.parse_args()
    pipeline = Pipeline()
    report: dict[str, list[dict[str, object]]] = {}
    broken = 0
    for file in asked.files:
        done = [found(pipeline, one) for one in texts(file)]
        for one in done:
            if asked.all or one.verdict != WHOLE:
                print(f"{one.verdict}: {one.kind} {one.marks or ''} {one.known}\n  {one.text!r}")
                print(f"  {one.translated!r}\n  lost {one.lost}")
        counts = Counter(one.verdict for one in done)
        broken += sum(one.verdict == BROKEN and not one.known for one in done)
        report[file.stem] = [asdict(one) | {"verdict": one.verdict} for one in done]
        said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in (WHOLE, MARKED, BROKEN))
        print(f"{file.stem}: of {len(done)} texts {said}")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2, ensure_ascii=False))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
