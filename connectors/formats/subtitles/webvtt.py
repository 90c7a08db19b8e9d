"""WebVTT (.vtt): the header, notes, styles, regions, identifiers, times, settings and tags stay."""

import re
from collections.abc import Iterator
from html import unescape

from connectors.formats.flat import FlatFilter
from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found
from connectors.formats.subtitles.cues import Cue, found_in, laid_out, sentences

_TIMES = re.compile(r"(?:^|(?<=\r))(?:\d+:)?\d\d:\d\d\.\d{3}[ \t]+-->[^\r\n]*(?:\r\n|\n|\r|\Z)", re.MULTILINE)
# A cue ends at a blank line, or where another one's times are.
_BLANK = re.compile(r"\n[ \t]*(?=\n)")
_END = re.compile(r"(?:\r\n|\n|\r(?!\n))(?:[ \t]*(?:[\r\n]|\Z)|(?=[^\r\n]*-->))|\Z")


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
    encoder = "crlf" if "\r\n" in text else "lf" if "\n" in text else "cr"
    for group in sentences(cues(text)):
        yield from found_in(text, group, encoder, unescape)


def _lf(text: str) -> str:
    # A blank line would end the cue.
    return _BLANK.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace("-->", "--&gt;")


def _crlf(text: str) -> str:
    return _lf(text).replace("\n", "\r\n")


def _cr(text: str) -> str:
    return _lf(text).replace("\n", "\r")


WEBVTT = FlatFilter(
    frozenset({"text/vtt"}),
    "3",
    subtitles,
    {"lf": _lf, "crlf": _crlf, "cr": _cr}.__getitem__,
    laid_out,
)
