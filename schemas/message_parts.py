"""What messages hold: the parts of requests, batches and results that are records of their own."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a correction keeps of the answer it corrects: the figures of the segments translated already."""

    segments: int = 0
    cached_segments: int = 0
    cached_words: int = 0
    target_words: int = 0
    characters: int = 0
    confidence: float | None = None
    models: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Warning:  # the name of the record on the wire
    """Something in a translation that a reader should look at. `place` is for people."""

    cause: str
    count: int = 1
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Document:
    """The file of a document, and how its text was taken out of it."""

    source_ref: str = ""
    source_sha256: str = ""
    source_bytes: int = 0
    media_type: str = ""
    file_name: str = ""
    skeleton_ref: str = ""
    filter: str = ""
    filter_version: str = ""
    units: int = 0
    output_content_type: str = ""
    output_mode: str = "translation"
    filter_options: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """Where a segment stands, in its unit's text, and what is the matter with it; -1 where that is not known."""

    segment: int
    cause: str
    start: int = -1
    length: int = -1
    unit: int = -1
    place: str = ""


class Hole(_Mark):
    """A segment that could not be translated; the result holds its source text instead."""


class Suspect(_Mark):
    """A segment that is translated, and that a reader should look at; `cause` is one of those in `warnings`."""
