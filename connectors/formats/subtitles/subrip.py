"""SubRip (.srt): numbered cues with times. Numbers, times and tags stay."""

import re
from collections.abc import Iterator

from connectors.formats.flat import FlatFilter
from connectors.formats.merging import Encode
from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found
from connectors.formats.subtitles.cues import Cue, found_in, laid_out, sentences

_TIMES = re.compile(
    r"^(?:[^\S\r\n]*(\d+)[^\S\r\n]*(?:\r\n|\n|\r))?"
    r"[^\S\r\n]*\d+:\d\d:\d\d[,.]\d{1,3}[^\S\r\n]*-->[^\r\n]*(?:\r\n|\n|\r|\Z)",
    re.MULTILINE,
)


def cues(text: str) -> list[Cue]:
    """List the cues. Raises PermanentError: `malformed_document` where there is none."""
    times = list(_TIMES.finditer(text))
    if not times:
        raise malformed("the file has no line with the times of a subtitle (00:00:01,000 --> 00:00:02,000)")
    ends = [following.start() for following in times[1:]] + [len(text)]
    return [
        Cue(one.end(), one.end() + len(content), content, f"cue {one[1] or number}")
        for number, (one, end) in enumerate(zip(times, ends, strict=True), 1)
        for content in (text[one.end() : end].rstrip(),)
    ]


def subtitles(text: str, _options: Options) -> Iterator[Found]:
    """Find the sentences of a file."""
    encoder = "crlf" if "\r\n" in text else "lf"
    for group in sentences(cues(text)):
        yield from found_in(text, group, encoder, str)


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


NEWLINES: dict[str, Encode] = {"lf": str, "crlf": _crlf}
SUBRIP = FlatFilter(
    frozenset({"application/x-subrip", "text/srt"}),
    "1",
    subtitles,
    NEWLINES.__getitem__,
    laid_out,
)
