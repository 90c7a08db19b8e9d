"""The strings of gettext catalogues, which are written as those of C. Pure."""

import re
from functools import partial

_NUMBER = r"\\(?:x[0-9a-fA-F]+|[0-7]{1,3})"
_ESCAPE = re.compile(rf"(?P<numbers>(?:{_NUMBER})+)|\\(?:(?P<named>[abfnrtv\\\"'?])|(?P<other>.))", re.DOTALL)
_BYTE = re.compile(_NUMBER)
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unescaped(text: str, encoding: str = "utf-8") -> str:
    """Read the escapes of C. Numbers are bytes of a text in this encoding."""
    return _ESCAPE.sub(partial(_character, encoding), text)


def _character(encoding: str, escape: re.Match[str]) -> str:
    if escape["numbers"]:
        return _decoded(bytes(map(_byte, _BYTE.findall(escape["numbers"]))), encoding)
    return _NAMED.get(escape["named"], escape["named"]) if escape["named"] else f"\\{escape['other']}"


def _byte(number: str) -> int:
    value = int(number[2:], 16) if number[1] == "x" else int(number[1:], 8)
    return value & 0xFF


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return data.decode("latin-1")


def escaped(text: str) -> str:
    """Write a text with the escapes of C."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    for name, character in _NAMED.items():
        text = text.replace(character, f"\\{name}")
    return text


def quoted(newline: str, text: str) -> str:
    """Write a string, each of its lines in a line of its own."""
    if "\n" not in text[:-1]:
        return f'"{escaped(text)}"'
    lines = "".join(f'{newline}"{escaped(line)}"' for line in re.findall(r"[^\n]*\n|[^\n]+", text))
    return f'""{lines}'
