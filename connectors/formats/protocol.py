"""What every format is to the rest: units of text out of a file, and the same file with other texts. Pure values.

`merge(extract(x))` with the units' own texts gives the bytes of x again: filters splice, they do not rewrite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Protocol


class CodeKind(StrEnum):
    """How a code behaves when its text is translated."""

    PAIR = "pair"  # around words: bold, a link
    OBJECT = "object"  # stands for words: a field, a picture, a footnote's mark
    BREAK = "break"  # between words: a line break, the end of a cue


@dataclass(frozen=True)
class Code:
    """An inline code of a unit (schemas/coded_text). `shown` is what a reader would see of it, for messages."""

    number: int
    kind: CodeKind
    shown: str = ""


@dataclass(frozen=True)
class Unit:
    """A text that belongs together: a paragraph, a cell, an attribute.

    `text` is coded text. `place` tells a person where it stands (`Sheet1!B7`, `slide 3`, `line 12`).
    `longest` is how many characters have room, None where any number has.
    """

    text: str
    codes: tuple[Code, ...] = ()
    place: str = ""
    translate: bool = True
    longest: int | None = None


@dataclass(frozen=True)
class Warned:
    """What a filter left alone on purpose: a stable cause, how often, and the first place."""

    cause: str
    count: int
    place: str


@dataclass(frozen=True)
class Extraction:
    """The units of a file in reading order, and what merging needs beside the source.

    The skeleton is opaque, written and read by the same filter. `pages` where the format tells: slides, PDF pages.
    """

    units: tuple[Unit, ...]
    skeleton: bytes
    warnings: tuple[Warned, ...] = ()
    pages: int | None = None


@dataclass(frozen=True)
class Limits:
    """What a file may ask of the machine. Bytes, counts, and the ratio of unpacked to packed bytes."""

    members: int = 5000
    unpacked_bytes: int = 300_000_000
    ratio: int = 200
    ratio_above_bytes: int = 1_000_000
    units: int = 500_000
    depth: int = 256


@dataclass(frozen=True)
class Options:
    """What the request says about its document. Languages are BCP-47 tags, empty where unknown.

    `settings` are the request's filter options, by name.
    """

    source_language: str = ""
    target_language: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()


class Filter(Protocol):
    """One format. Runs in the sandbox: no network, no files, and no state between calls."""

    @property
    def media_types(self) -> frozenset[str]:
        """What callers name it by."""
        ...

    @property
    def version(self) -> str:
        """Counted up with every change of what the units are or of the skeleton."""
        ...

    def extract(self, source: BinaryIO, options: Options) -> Extraction:
        """Find the units of a file.

        Raises PermanentError: `malformed_document`, `encrypted_document`, `macros_refused`, `archive_too_large`,
        `unknown_encoding`, `no_text` or `no_text_layer`.
        """
        ...

    def merge(
        self, source: BinaryIO, skeleton: bytes, units: Sequence[str], output: BinaryIO, options: Options, /
    ) -> None:
        """Write the file with these texts in place of the units' texts, as many and in their order.

        `source` and `options` are those of the extraction. A unit that is unchanged keeps its bytes. Raises
        PermanentError: `broken_codes` where a unit's codes are not each there once and well nested.
        """
        ...
