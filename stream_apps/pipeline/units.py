"""Split a text of several units: each by itself, so that no segment crosses a border. Pure."""

from collections.abc import Callable, Iterator, Sequence

from schemas.units import UNIT_SEPARATOR
from stream_apps.pipeline.split import Split, concatenated


def split_units(units: Sequence[str], split: Callable[[str], Split]) -> Split:
    """Return the split of the joined units; the gaps hold the separators. A blank unit is part of a gap."""
    if len(units) == 1:
        return split(units[0])
    return concatenated(list(_parts(units, split)))


def _parts(units: Sequence[str], split: Callable[[str], Split]) -> Iterator[Split]:
    for at, unit in enumerate(units):
        yield Split(UNIT_SEPARATOR if at else "", (), ())
        yield split(unit) if unit.strip() else Split(unit, (), ())
