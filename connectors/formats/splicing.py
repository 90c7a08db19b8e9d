"""The skeleton of a file: where its units stand, and what belongs there besides. Merging replaces these spans.

A unit whose text comes back unchanged keeps its bytes, so a file with nothing translated is the file.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from connectors.formats.coding import Coded
from connectors.formats.protocol import Extraction, Limits, Unit, Warned
from connectors.formats.refusals import broken_codes, no_text, too_costly
from schemas.coded_text import check, codes_of, restored

Encode = Callable[[str], str]
_DIGEST_BYTES = 8


class Found(NamedTuple):
    """A unit that stands between two offsets. `encoder` names how its text is written there."""

    start: int
    end: int
    coded: Coded
    place: str
    encoder: str = ""
    longest: int | None = None
    part: str = ""


@dataclass(frozen=True)
class Slot:
    """Where a unit stands, and what it needs to be written there again. `digest` is of its own text."""

    start: int
    end: int
    lead: str
    trail: str
    codes: str
    originals: dict[str, str]
    digest: str
    place: str
    encoder: str
    part: str


@dataclass(frozen=True)
class Skeleton:
    """The slots of a file in the order of its units, and what its filter noted besides."""

    slots: tuple[Slot, ...]
    notes: dict[str, Any] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return the skeleton as bytes."""
        slots = [list(asdict(slot).values()) for slot in self.slots]
        return zlib.compress(json.dumps([slots, self.notes]).encode())

    @staticmethod
    def decoded(encoded: bytes) -> "Skeleton":
        """Read what `encoded` gave."""
        slots, notes = json.loads(zlib.decompress(encoded))
        return Skeleton(tuple(Slot(*slot) for slot in slots), notes)


def extraction_of(
    found: Iterable[Found],
    limits: Limits,
    notes: Mapping[str, Any] | None = None,
    warnings: tuple[Warned, ...] = (),
    pages: int | None = None,
) -> Extraction:
    """Make the extraction of what a filter found, in its order.

    Raises PermanentError: `no_text`, and `document_too_costly` for too many units.
    """
    units: list[Unit] = []
    slots: list[Slot] = []
    for one in found:
        if len(units) == limits.units:
            raise too_costly("the document has too many units of text", f"{limits.units} units")
        units.append(Unit(one.coded.text, one.coded.codes, one.place, longest=one.longest))
        slots.append(_slot(one))
    if not units:
        raise no_text()
    return Extraction(tuple(units), Skeleton(tuple(slots), dict(notes or {})).encoded(), warnings, pages)


def _slot(found: Found) -> Slot:
    lead, text, trail, originals, _ = found.coded
    return Slot(
        found.start,
        found.end,
        lead,
        trail,
        "".join(codes_of(text)),
        originals,
        _digest(text),
        found.place,
        found.encoder,
        found.part,
    )


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


class Change(NamedTuple):
    """A span of the source, and what stands there instead."""

    start: int
    end: int
    text: str


def changes_of(
    slots: Sequence[Slot], units: Sequence[str], encoders: Mapping[str, Encode]
) -> Iterable[tuple[Slot, Change]]:
    """Yield the slots whose text changed, with what to write there. Raises PermanentError: `broken_codes`."""
    for slot, text in zip(slots, units, strict=True):
        if _digest(text) == slot.digest:
            continue
        wrong = check(slot.codes, text)
        if wrong:
            raise broken_codes(wrong, slot.place)
        whole = restored(slot.lead + text + slot.trail, slot.originals, encoders[slot.encoder])
        yield slot, Change(slot.start, slot.end, whole)


def spliced(source: str, changes: Iterable[Change]) -> str:
    """Replace the spans; they do not overlap."""
    pieces: list[str] = []
    behind = 0
    for start, end, text in sorted(changes):
        pieces += (source[behind:start], text)
        behind = end
    return "".join((*pieces, source[behind:]))


def spliced_bytes(source: bytes, changes: Iterable[Change]) -> bytes:
    """Replace the spans of UTF-8; they do not overlap."""
    pieces: list[bytes] = []
    behind = 0
    for start, end, text in sorted(changes):
        pieces += (source[behind:start], text.encode())
        behind = end
    return b"".join((*pieces, source[behind:]))
