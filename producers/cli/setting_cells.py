"""Describe one setting as the cells of a table row: name, type, default, unit, bounds and meaning."""

import socket
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_json

HEADER = ("variable", "type", "default", "unit", "bounds", "meaning")

_SIGNS = {Ge: (">=", "ge"), Gt: (">", "gt"), Le: ("<=", "le"), Lt: ("<", "lt")}
# Names end in their unit (CONTRIBUTING.md); the last word that is one counts.
_UNITS = {
    **{"ms": "ms", "seconds": "s", "minutes": "min", "hours": "h", "days": "days"},
    **{"bytes": "bytes", "kbytes": "KiB", "mb": "MB", "megabytes": "MB"},
    **{"share": "share", "utilisation": "share", "threshold": "share"},
    **{"characters": "characters", "length": "characters", "words": "words"},
    **{
        name: name
        for name in (
            "records",
            "rows",
            "requests",
            "segments",
            "ids",
            "redrives",
            "entries",
            "connections",
            "attempts",
        )
    },
}
# Numbers that have no unit.
_WITHOUT_UNIT = {"port"}
# DRAGOMAN and the name of the section.
_PREFIX_WORDS = 2
_COMPUTED = {socket.gethostname: "the host's name"}


def cells_of(variable: str, field: FieldInfo, other_defaults: dict[str, str]) -> tuple[str, ...]:
    """Return the row. `other_defaults`: process -> its default, where that is not the field's."""
    others = "".join(f"; {process}: {default}" for process, default in other_defaults.items())
    return (
        f"`{variable}`",
        type_of(field.annotation),
        default_of(field) + others,
        unit_of(variable, field.annotation),
        bounds_of(field),
        field.description or "",
    )


def unit_of(variable: str, annotation: Any) -> str:
    """Return the unit that the name ends in; a number without one is a count."""
    if not is_number(annotation):
        return ""
    words = variable.lower().split("_")
    if words[-1] in _WITHOUT_UNIT:
        return ""
    if words[-2:] == ["per", "second"]:
        return f"{words[-3]}/s"
    own_words = words[_PREFIX_WORDS:]  # DRAGOMAN_REQUESTS_MAX_OPTIONS counts options
    return next((_UNITS[word] for word in reversed(own_words) if word in _UNITS), "count")


def is_number(annotation: Any) -> bool:
    """Say whether the values are numbers, or numbers and None."""
    kinds = {kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)}
    return get_origin(annotation) in (None, Union, types.UnionType) and bool({int, float} & kinds)


def type_of(annotation: Any) -> str:
    """Name the type as it is written in the environment: everything with parts is JSON."""
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if annotation is SecretStr:
        return "secret"
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(type_of(kind) for kind in get_args(annotation) if kind is not types.NoneType)
    if get_origin(annotation) in (tuple, dict):
        return _json_type(annotation)
    if issubclass(annotation, Enum):
        return " or ".join(str(member.value) for member in annotation)
    return str(annotation.__name__).lower()


def default_of(field: FieldInfo) -> str:
    """Write the default as one would write it in the environment."""
    if field.default_factory in _COMPUTED:
        return _COMPUTED[field.default_factory]
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "none: it must be given"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == "":
        return "not set"
    return f"`{value}`" if isinstance(value, str) else f"`{_as_json(value)}`"


def bounds_of(field: FieldInfo) -> str:
    """Write the bounds, such as `> 0, <= 1`, and a pattern where there is one."""
    bounds = [
        f"{sign} {getattr(part, name)}"
        for part in field.metadata
        for kind, (sign, name) in _SIGNS.items()
        if isinstance(part, kind)
    ]
    patterns = [f"`{part.pattern}`" for part in field.metadata if getattr(part, "pattern", None)]
    return ", ".join(bounds + patterns)


def nested_models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models whose JSON a setting holds."""
    for kind in get_args(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind


def _as_json(value: Any) -> str:
    # A path or a member of an enumeration is a string in JSON, and bare in the environment.
    return to_json(value).decode().strip('"')


def _json_type(annotation: Any) -> str:
    parts = [kind for kind in get_args(annotation) if kind is not Ellipsis]
    named = [kind.__name__ if issubclass(kind, BaseModel) else type_of(kind) for kind in parts]
    if get_origin(annotation) is dict:
        return f"JSON object: {named[0]} to {named[1]}"
    return f"JSON list of {named[0]}"
