"""Read from a converted model what CTranslate2 does not tell: how many positions it has. Pure but for the file."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

# What ctranslate2.specs.model_spec writes since version 4 of the format.
_OLDEST_VERSION, _NEWEST_VERSION = 4, 6
_ENCODINGS = "/position_encodings/encodings"


class _Variable(NamedTuple):
    name: str
    shape: tuple[int, ...]


def positions_of(file: Path) -> int | None:
    """Return the most tokens of a source or a translation. Asking for more raises in CTranslate2.

    None for a model that computes its positions, and for a file that cannot be read: then nothing is known.
    """
    try:
        with file.open("rb") as stream:
            limits = [one.shape[0] for one in _variables(stream) if one.name.endswith(_ENCODINGS)]
    except (OSError, struct.error, UnicodeDecodeError):
        return None
    return min(limits, default=None)


def _variables(stream: BinaryIO) -> Iterator[_Variable]:
    (version,) = _unpack(stream, "I")
    if not _OLDEST_VERSION <= version <= _NEWEST_VERSION:
        return
    _string(stream)
    _revision, count = _unpack(stream, "II")
    for _ in range(count):
        name = _string(stream)
        (rank,) = _unpack(stream, "B")
        shape = _unpack(stream, f"{rank}I")
        _kind, size = _unpack(stream, "=BI")
        stream.seek(size, 1)
        yield _Variable(name, shape)


def _string(stream: BinaryIO) -> str:
    (length,) = _unpack(stream, "H")
    return stream.read(length).rstrip(b"\0").decode()


def _unpack(stream: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))
