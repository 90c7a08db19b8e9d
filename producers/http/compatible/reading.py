"""Read the parameters of a call as the originals take them: JSON or a form, in the body or in the address."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.exceptions import HTTPException

from producers.http.errors import BodyTooLarge
from producers.http.middleware import COUNTED_METHODS
from schemas.errors import PermanentError

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 10_000
_UNICODE = ("utf-8", "utf8", "us-ascii")
_GZIP_HEADER = 16
_MOST_BYTES_OF_OTHERS = 65_536


@dataclass(frozen=True)
class Parameters:
    """Named values. From a form each is a list of strings, from JSON it is whatever JSON holds."""

    values: Mapping[str, Any]
    is_json: bool

    def text(self, name: str) -> str | None:
        """Return a single value, the first of several; None where it is missing or null.

        Raises PermanentError naming it where it is no string.
        """
        value = self.values.get(name)
        if isinstance(value, list) and not self.is_json:
            value = value[0]
        if isinstance(value, (int, float)):
            # JSON has true and 1 where forms have "1".
            return str(int(value) if isinstance(value, bool) else value)
        return None if value is None else _sound(value, name)

    def needed(self, name: str) -> str:
        """Return a single value that is not empty. Raises PermanentError naming it."""
        value = self.text(name)
        if not value:
            raise mistake(name, f"{name} is missing", f"send {name}")
        return value

    def texts(self, name: str) -> list[str] | None:
        """Return all values; None where there is none. Raises PermanentError naming the one that is no string."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            return [_sound(value, name)]
        return [_sound(one, f"{name}[{at}]") for at, one in enumerate(value)]


def mistake(field: str, message: str, cure: str) -> PermanentError:
    """Build the refusal of a parameter."""
    return PermanentError("bad_parameter", message, field=field, cure=cure)


async def read_parameters(request: Request) -> Parameters:
    """Read the call; what stands in the body goes before what stands in the address.

    Raises PermanentError and HTTPException for a body that cannot be read, or is too large when decompressed.
    """
    max_bytes = _most_bytes(request)
    in_address = _form_of(request.url.query)
    body = _decompressed(
        await _body_of(request, max_bytes), request.headers.get("content-encoding", ""), max_bytes
    )
    if not body:
        return Parameters(in_address, is_json=False)
    kind, charset = _content_type(request.headers.get("content-type", ""))
    text = _decoded(body, charset)
    if kind == "application/json" or kind.endswith("+json"):
        # A list from the address would be no list of JSON's.
        return Parameters(
            {**{name: found[0] for name, found in in_address.items()}, **_json_of(text)}, is_json=True
        )
    if kind != _FORM:
        raise HTTPException(
            415, f"the body is declared as {kind[:80] or 'nothing'}: send application/json or {_FORM}"
        )
    return Parameters({**in_address, **_form_of(text)}, is_json=False)


def _most_bytes(request: Request) -> int:
    # Only bodies that are counted together may be large (middleware.py).
    most: int = request.app.state.limits.max_body_bytes
    return most if request.method in COUNTED_METHODS else min(most, _MOST_BYTES_OF_OTHERS)


async def _body_of(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise BodyTooLarge(max_bytes)
    return bytes(body)


def _sound(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise mistake(place, f"{place} is no string", "send a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise mistake(place, f"{place} holds a lone surrogate", "send valid Unicode") from None
    return value


def _decompressed(body: bytes, encoding: str, max_bytes: int) -> bytes:
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() != "gzip":
        raise HTTPException(415, f"the encoding {encoding[:40]} is not known: send the body as it is, or by gzip")
    unpacking = zlib.decompressobj(wbits=_GZIP_HEADER + zlib.MAX_WBITS)
    try:
        plain = unpacking.decompress(body, max_bytes + 1)
    except zlib.error:
        raise mistake("body", "the body is no gzip", "send it as it is, or compress it by gzip") from None
    if len(plain) > max_bytes:
        raise BodyTooLarge(max_bytes)
    if not unpacking.eof or unpacking.unused_data:
        raise mistake("body", "the gzip of the body is cut off, or goes on behind its end", "send all of it")
    return plain


def _content_type(header: str) -> tuple[str, str]:
    """Return the media type and the charset of a Content-Type."""
    parsed = Message()
    parsed["content-type"] = header
    return (parsed.get_content_type() if header else "", parsed.get_content_charset("utf-8"))


def _decoded(body: bytes, charset: str) -> str:
    if charset not in _UNICODE:
        raise HTTPException(415, f"the charset {charset[:40]} is not known: send UTF-8")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise mistake("body", f"the body is no UTF-8 (byte {error.start})", "send UTF-8") from None


def _json_of(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise mistake("body", "the body is no JSON", "send one JSON object") from None
    if not isinstance(found, dict):
        raise mistake("body", "the body is JSON, but no object", "send one JSON object")
    return found


def _form_of(text: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        # Bytes that are no UTF-8, or too many fields.
        limit = f"at most {_MOST_FIELDS} fields of UTF-8"
        raise mistake("body", f"the form cannot be read: {limit}", f"send {limit}") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
