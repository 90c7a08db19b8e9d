"""SubRip (.srt): numbered cues with times. Numbers, times and tags stay."""

import re
from collections.abc import Iterator
from functools import partial

from connectors.formats.flat import FlatFilter
from connectors.formats.merging import Encode
from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found
from connectors.formats.subtitles.cues import NEWLINES, Cue, found_in, laid_out, newlines_of, sentences

_TIMES = re.compile(
    r"(?:\A|(?<=[\r\n]))(?:[^\S\r\n]*(\d+)[^\S\r\n]*(?:\r\n|\n|\r))?"
    r"[^\S\r\n]*\d+:\d\d:\d\d[,.]\d{1,3}[^\S\r\n]*-->[^\r\n]*(?:\r\n|\n|\r|\Z)",
)
# Before the words of a cue.
_BLANK_LINES = re.compile(r"(?:[^\S\r\n]*[\r\n])*")


def cues(text: str) -> list[Cue]:
    """List the cues. Raises PermanentError: `malformed_document` where there is none."""
    times = list(_TIMES.finditer(text))
    if not times:
        raise malformed("the file has no line with the times of a subtitle (00:00:01,000 --> 00:00:02,000)")
    ends = [following.start() for following in times[1:]] + [len(text)]
    return [
        _cue(text, one.end(), end, f"cue {one[1] or number}")
        for number, (one, end) in enumerate(zip(times, ends, strict=True), 1)
    ]


def _cue(text: str, start: int, end: int, place: str) -> Cue:
    blank = _BLANK_LINES.match(text, start, end)
    start = blank.end() if blank else start
    content = text[start:end].rstrip()
    return Cue(start, start + len(content), content, place)


def subtitles(text: str, _options: Options) -> Iterator[Found]:
    """Find the sentences of a file."""
    encoder = newlines_of(text)
    for group in sentences(cues(text)):
        yield from found_in(text, group, encoder, str)


def _encoder(name: str) -> Encode:
    return partial(_written, NEWLINES[name])


def _written(newline: str, text: str) -> str:
    return text.replace("\n", newline)


SUBRIP = FlatFilter(
    frozenset({"application/x-subrip", "text/srt"}),
    "2",
    subtitles,
    _encoder,
    laid_out,
)
