"""WebVTT (.vtt): the header, notes, styles, regions, identifiers, times, settings and tags stay."""

import re
from collections.abc import Iterator
from functools import partial
from html import unescape

from connectors.formats.flat import FlatFilter
from connectors.formats.merging import Encode
from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found
from connectors.formats.subtitles.cues import NEWLINES, Cue, found_in, laid_out, newlines_of, sentences

_TIMES = re.compile(r"(?:\A|(?<=[\r\n]))(?:\d+:)?\d\d:\d\d\.\d{3}[ \t]+-->[^\r\n]*(?:\r\n|\n|\r|\Z)")
# A cue ends at a blank line, or where another one's times are.
_END = re.compile(r"(?:\r\n|\n|\r(?!\n))(?:[ \t]*(?:\r\n|\n|\r|\Z)|(?=[^\r\n]*-->))|\Z")
# It would end the cue.
_BLANK = re.compile(r"\n[ \t]*(?=\n)")


def cues(text: str) -> Iterator[Cue]:
    """Yield the cues. Raises PermanentError: `malformed_document` without the header."""
    if not re.match(r"WEBVTT(?:[ \t\r\n]|\Z)", text):
        raise malformed("the file does not begin with WEBVTT")
    at = number = 0
    while times := _TIMES.search(text, at):
        number += 1
        end = _END.search(text, times.end() - 1)
        at = max(end.start() if end else len(text), times.end())
        yield Cue(times.end(), at, text[times.end() : at], f"cue {number}")


def subtitles(text: str, _options: Options) -> Iterator[Found]:
    """Find the sentences of a file."""
    encoder = newlines_of(text)
    for group in sentences(cues(text)):
        yield from found_in(text, group, encoder, unescape)


def _encoder(name: str) -> Encode:
    return partial(_written, NEWLINES[name])


def _written(newline: str, text: str) -> str:
    escaped = _BLANK.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace("-->", "--&gt;")
    return escaped.replace("\n", newline)


WEBVTT = FlatFilter(
    frozenset({"text/vtt"}),
    "3",
    subtitles,
    _encoder,
    laid_out,
)
