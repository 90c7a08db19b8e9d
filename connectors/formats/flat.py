"""A filter of a format that is one text: its units are found in the text, and replaced there."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from connectors.formats.encodings import Decoded, decoded
from connectors.formats.merging import Encode, Layout, Writer, as_it_comes, spliced
from connectors.formats.protocol import Extraction, Options
from connectors.formats.splicing import Found, Skeleton, Stamp, extraction_of


def as_it_is(text: str) -> str:
    """Write a text without any escaping."""
    return text


def always_as_it_is(_name: str) -> Encode:
    """Return the encoder of a format without any escaping."""
    return as_it_is


def declares_nothing(_data: bytes) -> str | None:
    """Say that a text of this format names no encoding."""
    return None


@dataclass(frozen=True)
class FlatFilter:
    """A filter made of a function that finds the units of a text, and of one that gives encoders by name.

    `errors` is Python's name for what happens to characters that the file's encoding lacks; where `strict`, the
    file becomes UTF-8, and `declaring_utf8` makes its text say so.
    """

    media_types: frozenset[str]
    version: str
    find: Callable[[str, Options], Iterable[Found | Stamp]]
    encoder_of: Callable[[str], Encode] = always_as_it_is
    layout: Layout = as_it_comes
    declared: Callable[[bytes], str | None] = declares_nothing
    errors: str = "strict"
    declaring_utf8: Callable[[str], str] = as_it_is

    def extract(self, source: BinaryIO, options: Options) -> Extraction:
        text = self._read(source, options).text
        return extraction_of(self.find(text, options), options.limits)

    def merge(
        self, source: BinaryIO, skeleton: bytes, units: Sequence[str], output: BinaryIO, options: Options
    ) -> None:
        read = self._read(source, options)
        writer = Writer(self.encoder_of, spliced, self.layout)
        changes = writer.changes(Skeleton.decoded(skeleton), units)
        output.write(read.encoded(spliced(read.text, changes), self.errors, self.declaring_utf8))

    def _read(self, source: BinaryIO, options: Options) -> Decoded:
        return decoded(source.read(), self.declared, options.source_language)
