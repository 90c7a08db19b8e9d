"""Markdown (CommonMark with tables): a unit is the text of a paragraph, heading, list item or table cell.

Blocks are found by markdown-it; their lines are found again in the source, which stays as it is around them. Code,
addresses, references, shortcodes and front matter (but its title and description) stay.
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from connectors.formats.coding import coded_of
from connectors.formats.data.yaml_file import encoder_of as yaml_encoder
from connectors.formats.data.yaml_file import values as yaml_values
from connectors.formats.flat import FlatFilter
from connectors.formats.markup.html import HTML_ENCODERS
from connectors.formats.markup.html import texts as html_texts
from connectors.formats.merging import Encode
from connectors.formats.plain.markdown_block import Block
from connectors.formats.plain.markdown_inline import InlineReader, escaped
from connectors.formats.plain.markdown_masks import mask_of, masked
from connectors.formats.protocol import Options
from connectors.formats.splicing import Found, Slot, Stamp
from schemas.errors import PermanentError

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\+\+\+[ \t]*\r?\n(.*?\n)\+\+\+[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FRONT_KEYS = frozenset({"caption", "description", "excerpt", "subtitle", "summary", "title"})
_TOML_STRING = re.compile(
    r"^([a-z]+)[ \t]*=[ \t]*(\"(?:[^\"\\\r\n]|\\.)*\")(?=[ \t]*(?:#[^\n]*)?\r?$)", re.M | re.I
)
# The encoders of texts by the ends of their lines.
_LINE_ENDS = {"text": "\n", "crlf": "\r\n", "cr": "\r"}
_KINDS = {line_end: kind for kind, line_end in _LINE_ENDS.items()}


class _Line(NamedTuple):
    start: int
    text: str


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    # What was escaped stays a token of its own, with the characters that were there.
    parser.disable("text_join")
    return parser


def units(text: str, options: Options) -> Iterator[Found | Stamp]:
    """Find the units of a file."""
    front = _FRONT_MATTER.match(text) or _TOML.match(text)
    if front:
        yield from _toml(front) if text.startswith("+++") else _front_matter(front, options)
    body_start = front.end() if front else 0
    mask = mask_of(text)
    body = masked(text[body_start:], mask)
    lines = [_Line(found.start() + body_start, found[0]) for found in _LINE.finditer(body)]
    cursors: dict[int, int] = {}
    is_cell = False
    skipped = text.count("\n", 0, body_start)
    for token in _parser().parse(body):
        if token.type in ("td_open", "th_open", "td_close", "th_close"):
            is_cell = token.nesting > 0
        if token.map is None:
            continue
        place = f"line {token.map[0] + 1 + skipped}"
        if token.type == "html_block":
            yield from (found._replace(place=place) for found in _html(text, lines, token, options))
        elif token.type == "inline":
            block = _block(text, lines, token, cursors, is_cell=is_cell)
            if block:
                encoder = "cell" if is_cell else _encoder_name(block.line_start)
                found_in_block = InlineReader(block, token.children or [], mask).found(encoder)
                yield from (found._replace(place=place) for found in found_in_block)


def _front_matter(front: re.Match[str], options: Options) -> Iterator[Found]:
    try:
        for found in yaml_values(front[1], options):
            key = found.place.rpartition(" (")[0]
            if key.lower() in _FRONT_KEYS:
                start, end = found.start + front.start(1), found.end + front.start(1)
                yield found._replace(start=start, end=end, encoder=f"yaml {found.encoder}", place=key)
    except PermanentError:
        # Whatever stands there is not for us.
        return


def _toml(front: re.Match[str]) -> Iterator[Found]:
    for entry in _TOML_STRING.finditer(front[1]):
        try:
            # TOML writes a string as JSON does, but for a few escapes.
            coded = coded_of(json.loads(entry[2]))
        except ValueError:
            continue
        if coded and entry[1].lower() in _FRONT_KEYS:
            start, end = entry.start(2) + front.start(1) + 1, entry.end(2) + front.start(1) - 1
            yield Found(start, end, coded, entry[1], "yaml double")


def _html(text: str, lines: list[_Line], token: Token, options: Options) -> Iterator[Found]:
    first, end = token.map or (0, 0)
    start = lines[first].start
    stop = lines[end].start if end < len(lines) else len(text)
    for found in html_texts(text[start:stop], options):
        if isinstance(found, Found):
            coded = found.coded._replace(
                originals={
                    code: tuple((piece, at + start if at >= 0 else at) for piece, at in original)
                    for code, original in found.coded.originals.items()
                }
            )
            yield found._replace(
                start=found.start + start,
                end=found.end + start,
                coded=coded,
                encoder=f"html {found.encoder}",
            )


def _block(text: str, lines: list[_Line], token: Token, cursors: dict[int, int], *, is_cell: bool) -> Block | None:
    """Find the content of a token in the source; None where it is not there."""
    first, _ = token.map or (0, 0)
    contents = (token.content.replace("|", "\\|") if is_cell else token.content).split("\n")
    starts = _located(lines, first, contents, cursors)
    if not starts:
        return None
    prefix = _prefix(lines[first + 1], starts[1], contents[1]) if len(starts) > 1 else ""
    line = lines[first].text
    line_end = line[len(line.rstrip("\r\n")) :] or "\n"
    return Block(text, token.content, starts, line_end + prefix, is_cell=is_cell)


def _encoder_name(line_start: str) -> str:
    """Name the encoder of texts whose lines end and begin so."""
    prefix = line_start.lstrip("\r\n")
    return f"{_KINDS[line_start.removesuffix(prefix)]} {prefix}"


def _located(lines: list[_Line], first: int, wanted: list[str], cursors: dict[int, int]) -> list[int]:
    """Return where each line of a block's content begins in the source; nothing where one is not there."""
    starts: list[int] = []
    for number, content in enumerate(wanted, first):
        if number >= len(lines):
            return []
        # Of a tab that only half belongs to a list's indentation, the other half is spaces in the content.
        bare = content.lstrip(" ")
        start = lines[number].text.find(bare, cursors.get(number, 0))
        if start < 0:
            return []
        cursors[number] = start + len(bare)
        starts.append(lines[number].start + start - (len(content) - len(bare)))
    return starts


def _prefix(line: _Line, start: int, content: str) -> str:
    """Return what stands before the content of a line: of a tab that half belongs to it, all."""
    at = start - line.start
    before = line.text[: max(at, 0)]
    bare_at = at + len(content) - len(content.lstrip(" "))
    return before if line.text.startswith(content, max(at, 0)) else line.text[:bare_at]


def _prefixed(line_start: str, text: str) -> str:
    return escaped(text).replace("\n", line_start)


def _laid_out(text: str, slot: Slot) -> str:
    """Let no line begin with spaces, which would make code of it, and no blank line end the block."""
    return text if slot.encoder.startswith(("html", "yaml")) else re.sub(r"^\s+|(?<=\n)\s+", "", text)


def _cell(text: str) -> str:
    return escaped(text).replace("|", "\\|").replace("\n", " ")


def _encoder(name: str) -> Encode:
    kind, _, argument = name.partition(" ")
    if kind == "yaml":
        return yaml_encoder(argument)
    if kind == "html":
        return HTML_ENCODERS[argument]
    return _cell if kind == "cell" else partial(_prefixed, _LINE_ENDS[kind] + argument)


MARKDOWN = FlatFilter(frozenset({"text/markdown", "text/x-markdown"}), "3", units, _encoder, _laid_out)
