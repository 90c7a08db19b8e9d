"""What of a cycle has to be translated: identical segments once, grouped by pair, ordered by length. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.languages import LanguagePair
from schemas.messages import SegmentBatch

OptionItems = tuple[tuple[str, str], ...]
WorkKey = tuple[LanguagePair, str | None, OptionItems]
# Batch index in the cycle, segment index in the batch.
SegmentIndex = tuple[int, int]


@dataclass
class Work:
    """Distinct normalised segments of one pair, glossary and options, and where each one is wanted."""

    pair: LanguagePair
    glossary: str | None
    options: Mapping[str, str]
    places: dict[str, list[SegmentIndex]] = field(default_factory=dict)

    def by_length(self) -> list[str]:
        """The distinct segments, longest first, so that neighbours of a device batch need equal padding."""
        return sorted(self.places, key=lambda text: (-len(text), text))


def plan(batches: Sequence[SegmentBatch], normalised: Sequence[Sequence[str]]) -> list[Work]:
    """The work of a cycle; `normalised` holds the normalised texts of each batch."""
    works: dict[WorkKey, Work] = {}
    for index, (batch, texts) in enumerate(zip(batches, normalised, strict=True)):
        work = works.setdefault(_group(batch), _empty_work(batch))
        for position in _open_segments(batch):
            work.places.setdefault(texts[position], []).append((index, position))
    return [work for work in works.values() if work.places]


def pair_of(batch: SegmentBatch) -> LanguagePair:
    """The languages of a batch."""
    return LanguagePair(batch.job.source_language, batch.job.target_language)


def _open_segments(batch: SegmentBatch) -> Iterable[int]:
    return (at for at, filled in enumerate(batch.translations) if filled is None)


def _group(batch: SegmentBatch) -> WorkKey:
    return pair_of(batch), batch.job.glossary, tuple(sorted(batch.options.items()))


def _empty_work(batch: SegmentBatch) -> Work:
    return Work(pair_of(batch), batch.job.glossary, batch.options)
