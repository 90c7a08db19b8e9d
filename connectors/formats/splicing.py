"""The skeleton of a file: where its units stand, and what belongs there besides. Merging replaces these spans.

A unit whose text comes back unchanged keeps its bytes, so a file with nothing translated is the file.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from types import MappingProxyType
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


class Stamp(NamedTuple):
    """A span that is no text but changes with the language, such as the value of `lang`. Written if a unit changed."""

    start: int
    end: int
    text: str
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
    stamps: tuple[Stamp, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return the skeleton as bytes."""
        slots = [list(asdict(slot).values()) for slot in self.slots]
        return zlib.compress(json.dumps([slots, self.stamps, self.notes]).encode())

    @staticmethod
    def decoded(encoded: bytes) -> "Skeleton":
        """Read what `encoded` gave."""
        slots, stamps, notes = json.loads(zlib.decompress(encoded))
        return Skeleton(tuple(Slot(*slot) for slot in slots), tuple(Stamp(*stamp) for stamp in stamps), notes)


def extraction_of(
    found: Iterable[Found | Stamp],
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
    stamps: list[Stamp] = []
    for one in found:
        if isinstance(one, Stamp):
            stamps.append(one)
            continue
        if len(units) == limits.units:
            raise too_costly("the document has too many units of text", f"{limits.units} units")
        units.append(Unit(one.coded.text, one.coded.codes, one.place, longest=one.longest))
        slots.append(_slot(one))
    if not units:
        raise no_text()
    return Extraction(tuple(units), Skeleton(tuple(slots), tuple(stamps), dict(notes or {})).encoded(), warnings, pages)


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


# Lays the coded text of a unit out before its codes are restored: wraps its lines.
Layout = Callable[[str, Slot], str]
NO_LAYOUTS: Mapping[str, Layout] = MappingProxyType({})


class Change(NamedTuple):
    """A span of a part of the source, and what stands there instead."""

    start: int
    end: int
    text: str
    part: str = ""


def changes_of(
    skeleton: Skeleton, units: Sequence[str], encoders: Mapping[str, Encode], layouts: Mapping[str, Layout] = NO_LAYOUTS
) -> list[Change]:
    """List what to write where the text of a unit changed. Raises PermanentError: `broken_codes`."""
    changes = list(_changes(skeleton.slots, units, encoders, layouts))
    return [*changes, *(Change(*stamp) for stamp in skeleton.stamps)] if changes else []


def _changes(
    slots: Sequence[Slot], units: Sequence[str], encoders: Mapping[str, Encode], layouts: Mapping[str, Layout]
) -> Iterator[Change]:
    for slot, text in zip(slots, units, strict=True):
        if _digest(text) == slot.digest:
            continue
        wrong = check(slot.codes, text)
        if wrong:
            raise broken_codes(wrong, slot.place)
        laid = layouts[slot.encoder](text, slot) if slot.encoder in layouts else text
        whole = restored(slot.lead + laid + slot.trail, slot.originals, encoders[slot.encoder])
        yield Change(slot.start, slot.end, whole, slot.part)


def spliced(source: str, changes: Iterable[Change]) -> str:
    """Replace the spans; they do not overlap."""
    pieces: list[str] = []
    behind = 0
    for start, end, text, _ in sorted(changes):
        pieces += (source[behind:start], text)
        behind = end
    return "".join((*pieces, source[behind:]))


def spliced_bytes(source: bytes, changes: Iterable[Change]) -> bytes:
    """Replace the spans of UTF-8; they do not overlap."""
    pieces: list[bytes] = []
    behind = 0
    for start, end, text, _ in sorted(changes):
        pieces += (source[behind:start], text.encode())
        behind = end
    return b"".join((*pieces, source[behind:]))
