"""The skeleton of a file: where its units stand, and what belongs there besides."""

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from connectors.formats.coding import Coded, Original
from connectors.formats.protocol import Extraction, Limits, Unit, Warned
from connectors.formats.refusals import no_text, too_costly
from schemas.coded_text import codes_of

_DIGEST_BYTES = 8
# Places hold names out of the file, of any length and with halves of characters.
_LONGEST_PLACE = 200
_HALVES = re.compile("[\ud800-\udfff]")


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
    """A span that is no text but changes with the language, such as `lang`. Written if a unit changed."""

    start: int
    end: int
    text: str
    part: str = ""


class Again(NamedTuple):
    """A text that a file holds twice for its readers' sake. It is no unit where one before has the same text."""

    found: Found


class Slot(NamedTuple):
    """Where a unit stands, and what it needs to be written there again. `digest` is of its own text."""

    start: int
    end: int
    lead: str
    trail: str
    codes: str
    originals: dict[str, Original]
    digest: str
    place: str
    encoder: str
    part: str


@dataclass(frozen=True)
class Skeleton:
    """The slots of a file in the order of its units, and what its filter noted besides.

    Where several slots have one unit, the note `units` has the number of the unit of each slot.
    """

    slots: tuple[Slot, ...]
    stamps: tuple[Stamp, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    def texts(self, units: Sequence[str]) -> Sequence[str]:
        """Return the text of each slot."""
        numbers = self.notes.get("units")
        return units if numbers is None else [units[number] for number in numbers]

    def encoded(self) -> bytes:
        """Return the skeleton as bytes."""
        return zlib.compress(json.dumps([self.slots, self.stamps, self.notes]).encode())

    @staticmethod
    def decoded(encoded: bytes) -> "Skeleton":
        """Read what `encoded` gave."""
        slots, stamps, notes = json.loads(zlib.decompress(encoded))
        return Skeleton(tuple(Slot(*slot) for slot in slots), tuple(Stamp(*stamp) for stamp in stamps), notes)


def extraction_of(
    found: Iterable[Found | Stamp | Again],
    limits: Limits,
    notes: Mapping[str, Any] | None = None,
    warnings: tuple[Warned, ...] = (),
    pages: int | None = None,
) -> Extraction:
    """Make the extraction of what a filter found, in its order.

    Raises PermanentError: `no_text`, and `document_too_costly` for too many units.
    """
    collected = _Collected(limits)
    stamps: list[Stamp] = []
    for one in found:
        if isinstance(one, Stamp):
            stamps.append(one)
        else:
            collected.add(one)
    if not collected.units:
        raise no_text()
    skeleton = Skeleton(tuple(collected.slots), tuple(stamps), {**(notes or {}), **collected.notes()})
    return Extraction(tuple(collected.units), skeleton.encoded(), warnings, pages)


class _Collected:
    def __init__(self, limits: Limits) -> None:
        self.units: list[Unit] = []
        self.slots: list[Slot] = []
        self._limits = limits
        self._numbers: list[int] = []
        self._first: dict[str, int] = {}

    def add(self, one: Found | Again) -> None:
        """Add a slot, and its unit unless it is that of another one."""
        found = one.found if isinstance(one, Again) else one
        placed = found._replace(place=_shown(found.place))
        text = placed.coded.text
        if not (isinstance(one, Again) and text in self._first):
            if len(self.units) == self._limits.units:
                raise too_costly("the document has too many units of text", f"{self._limits.units} units")
            self._first[text] = len(self.units)
            self.units.append(Unit(text, placed.coded.codes, placed.place, longest=placed.longest))
        self._numbers.append(self._first[text])
        self.slots.append(_slot(placed))

    def notes(self) -> dict[str, Any]:
        """Return what the skeleton has to note."""
        return {} if len(self.slots) == len(self.units) else {"units": self._numbers}


def _shown(place: str) -> str:
    whole = _HALVES.sub("\ufffd", place)
    return whole if len(whole) <= _LONGEST_PLACE else f"{whole[:99]}…{whole[-100:]}"


def _slot(found: Found) -> Slot:
    lead, text, trail, originals, _ = found.coded
    return Slot(
        found.start,
        found.end,
        lead,
        trail,
        "".join(codes_of(text)),
        originals,
        digest_of(text),
        found.place,
        found.encoder,
        found.part,
    )


def digest_of(text: str) -> str:
    """Return what tells whether a unit changed."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
