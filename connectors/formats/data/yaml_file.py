"""YAML: a unit is a string value. Keys, anchors, tags, comments and the style of each value stay."""

import re
from collections.abc import Iterator
from functools import partial

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from connectors.formats.coding import coded_of
from connectors.formats.data.json_file import any_json
from connectors.formats.data.paths import has_letters, is_wanted
from connectors.formats.flat import FlatFilter
from connectors.formats.merging import Encode
from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found

_STRING = "tag:yaml.org,2002:str"
# What a plain value may be: begins with a letter, and holds nothing that ends a value or begins something else.
_PLAIN = re.compile(r"[^\W\d_][^\n\r\t:#{}\[\],&*!|>'\"%@`\\]*(?<![ :])\Z")
_HEADER = re.compile(r"(?:[&!][^\s]*[ \t]+)*[|>]([-+\d]*)[^\n]*\n")
_FIRST_LINE = re.compile(r"(?:[ \t\r]*\n)*( {1,100})(?=\S)")
_PROPERTIES = re.compile(r"(?:[&!][^\s]*\s+)*")
# What YAML takes for line breaks besides LF and CR, and what it allows as an escape only.
_BREAKS = re.compile("[\x85\u2028\u2029]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_RESERVED = re.compile(r"(?:y|n|yes|no|on|off|true|false|null|none)\Z", re.IGNORECASE)


def values(text: str, options: Options) -> Iterator[Found]:
    """Find the strings of a file."""
    if re.search(rf"(?:[\[{{]\s*){{{options.limits.depth}}}", text):
        # Of such nesting the parser takes quadratic time.
        raise malformed(f"the file is nested more than {options.limits.depth} deep")
    try:
        for document in _parser().compose_all(text):
            if document is not None:
                yield from _below(document, (), text, options)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise malformed(f"the file is no YAML{where}") from error
    except RecursionError as error:
        raise malformed("the file is nested too deeply") from error


def _parser() -> YAML:
    parser = YAML(typ="rt", pure=True)
    # Allowed, and its warning would quote the document.
    parser.composer.warn_double_anchors = False
    return parser


def _below(node: Node, path: tuple[str, ...], text: str, options: Options) -> Iterator[Found]:
    if len(path) > options.limits.depth:
        raise malformed(f"the file is nested more than {options.limits.depth} deep")
    # An alias is the very node that its anchor names, which stands further up and was found there.
    behind = node.start_mark.index
    if isinstance(node, ScalarNode):
        yield from _value(node, path, text, options)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if value.start_mark.index >= max(behind, key.start_mark.index):
                yield from _below(value, (*path, str(key.value)), text, options)
                behind = value.end_mark.index
    elif isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            if item.start_mark.index >= behind:
                yield from _below(item, (*path, str(number)), text, options)
                behind = item.end_mark.index


def _value(node: ScalarNode, path: tuple[str, ...], text: str, options: Options) -> Iterator[Found]:
    if node.tag != _STRING or not has_letters(node.value) or not is_wanted(path, options):
        return
    if node.style is None and _RESERVED.match(node.value):
        return
    properties = _PROPERTIES.match(text, node.start_mark.index)
    start, end = properties.end() if properties else node.start_mark.index, node.end_mark.index
    coded = coded_of(_whole(node.value), _double)
    if coded is None:
        return
    place = f"{'.'.join(path)} (line {node.start_mark.line + 1})"
    if node.style in ("|", ">"):
        yield from _block(node, text, place)
    elif node.style is None:
        yield Found(start, end, coded, place, "plain")
    else:
        # A further line has to stand further to the right than the key.
        newline = " crlf" if "\r\n" in text[start:end] else ""
        single = f"single {max(node.start_mark.column, 1)}{newline}"
        yield Found(start + 1, end - 1, coded, place, single if node.style == "'" else "double")


def _whole(value: str) -> str:
    """Put halves of characters together, which escapes may stand for one by one."""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _block(node: ScalarNode, text: str, place: str) -> Iterator[Found]:
    """Find the lines of a block; its header and the blank lines at its end stay."""
    header = _HEADER.match(text, node.start_mark.index)
    if header is None or any(map(str.isdigit, header[1])):  # indented by more than it seems: left alone
        return
    first = _FIRST_LINE.match(text, header.end())
    if first is None:
        return
    indent, start = first[1], first.end()
    lines = re.compile(rf"[^\n]*(?:\n(?:{indent}[^\n]*|[ \t\r]*(?=\n|\Z)))*").match(text, start)
    content = lines[0].rstrip() if lines else ""
    has_returns = "\r\n" in content
    coded = coded_of(content.replace("\r\n", "\n").replace("\n" + indent, "\n"))
    if coded:
        style = f"{len(indent)} crlf" if has_returns else str(len(indent))
        yield Found(start, start + len(content), coded, place, style)


def _plain(text: str) -> str:
    if _PLAIN.match(text) and not _RESERVED.match(text) and _printable(text) == text:
        return text
    return f'"{_double(text)}"'


def _double(text: str) -> str:
    escapes = {ord(each): f"\\u{ord(each):04x}" for each in {*_BREAKS.findall(text), *_UNPRINTABLE.findall(text)}}
    return any_json(text).translate(escapes)


def _printable(text: str) -> str:
    """Return a text without what only double quotes can hold."""
    return _UNPRINTABLE.sub("\ufffd", _BREAKS.sub(" ", text))


def _single(indent: int, newline: str, text: str) -> str:
    # A line break inside single quotes is a space unless doubled.
    return _printable(text).replace("'", "''").replace("\n", f"{newline}{newline}{' ' * indent}")


def _indented(indent: int, newline: str, text: str) -> str:
    # A return of the translation belongs to the end of its line, whatever the file has there.
    lines = _printable(text.replace("\r\n", "\n")).split("\n")
    return newline.join([lines[0], *(" " * indent + line if line else "" for line in lines[1:])])


_STYLES = {"plain": _plain, "double": _double}


def encoder_of(name: str) -> Encode:
    """Return how a value of this style is written."""
    if name in _STYLES:
        return _STYLES[name]
    is_single = name.startswith("single")
    # Skeletons of version 2 have no indentation of what is in single quotes.
    indent, _, newline = (name.removeprefix("single").strip() or "1").partition(" ")
    return partial(_single if is_single else _indented, int(indent), "\r\n" if newline else "\n")


YAML_FILE = FlatFilter(
    frozenset({"application/yaml", "application/x-yaml", "text/yaml"}),
    "3",
    values,
    encoder_of,
)
