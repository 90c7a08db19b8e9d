"""JSON and JSON lines: a unit is a string value. Keys, numbers and all white space stay."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from connectors.formats.coding import CodedBuilder
from connectors.formats.data.paths import has_letters, is_wanted
from connectors.formats.flat import FlatFilter
from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]')


class _Level(NamedTuple):
    """An object with its latest key, or an array with its latest index."""

    is_object: bool
    at: str


def values(text: str, options: Options) -> Iterator[Found]:
    """Find the strings of a file."""
    _check(text)
    encoder = "json" if not text.isascii() else "ascii"
    for start, end, path in _strings(text, options.limits.depth):
        value = json.loads(text[start:end])
        if has_letters(value) and is_wanted(path, options):
            builder = CodedBuilder(_ascii)
            builder.text(value)
            coded = builder.built()
            if coded:
                yield Found(start + 1, end - 1, coded, f"$.{'.'.join(path)}", encoder)


def _check(text: str) -> None:
    wrong = _fault(text)
    if wrong is None:
        return
    # Strings may hold what Python takes for line ends besides these, such as U+2028.
    lines = enumerate(re.split(r"\r\n|\n|\r", text), 1)
    are_sound = {number: _fault(line) is None for number, line in lines if line.strip()}
    if all(are_sound.values()):
        return
    if next(iter(are_sound.values())):  # they are meant to be JSON lines
        wrong = f"see line {min(number for number, is_sound in are_sound.items() if not is_sound)}"
    raise malformed(f"the file is neither JSON nor JSON lines: {wrong}")


def _fault(text: str) -> str | None:
    """Tell what is wrong in a text, without quoting it; None where it is JSON."""
    try:
        # Numbers stay as they are written, so they need no conversion, which has limits.
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        return f"{_told(error)} in line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        return "it is nested too deeply"
    return None


def _told(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos : error.pos + 2]
    if rest.startswith(("//", "/*", "#")):
        return "a comment"
    return "a comma too many" if rest.startswith(("}", "]", ",}", ",]")) else "an error"


def _strings(text: str, deepest: int) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield the spans of string values and their paths. The text is valid."""
    levels: list[_Level] = []
    is_key = False
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[" as opening:
                if len(levels) == deepest:
                    raise malformed(f"the file is nested more than {deepest} deep")
                levels.append(_Level(opening == "{", "" if opening == "{" else "0"))
                is_key = opening == "{"
            case "}" | "]":
                levels.pop()
                is_key = False
            case ",":
                if levels:
                    levels[-1] = _next(levels[-1])
                    is_key = levels[-1].is_object
            case ":":
                is_key = False
            case string if is_key:
                levels[-1] = _Level(is_object=True, at=json.loads(string))
            case _:
                yield token.start(), token.end(), tuple(level.at for level in levels)


def _next(level: _Level) -> _Level:
    return level if level.is_object else _Level(is_object=False, at=str(int(level.at) + 1))


def any_json(text: str) -> str:
    """Write a text inside double quotes, with the characters that it has."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _ascii(text: str) -> str:
    return json.dumps(text)[1:-1]


JSON = FlatFilter(
    frozenset({"application/json", "application/jsonl", "application/x-ndjson"}),
    "1",
    values,
    {"json": any_json, "ascii": _ascii}.__getitem__,
)
