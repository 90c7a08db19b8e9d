"""Paragraphs made of runs: runs that look the same become one text, others become pairs of codes. Pure.

While a text is written, a run is always open. So every code closes it, writes its own, and opens a run with the
properties that hold behind it.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from connectors.formats.coding import Coded, CodedBuilder, Original
from connectors.formats.protocol import CodeKind


class Syntax(Protocol):
    """How a format writes a text with a look."""

    def begin(self, properties: str) -> str:
        """Return what stands before a text of these properties."""
        ...

    def end(self, properties: str) -> str:
        """Return what stands behind it."""
        ...

    def around(self, properties: str) -> tuple[str, str]:
        """Return what stands around something in a run that is no text."""
        ...


@dataclass
class Words:
    """Characters with the properties of their run, as XML."""

    text: str
    properties: str


@dataclass
class Alone:
    """Something that is no text: a span of the file. `is_inside` a run, or a run or more by itself."""

    raw: str
    at: int
    kind: CodeKind = CodeKind.OBJECT
    is_inside: bool = False
    properties: str = ""


@dataclass
class Wrapper:
    """An element around runs, such as a link: its tags, and what it holds."""

    begin: str
    end: str
    at: int
    items: "list[Words | Alone | Wrapper]" = field(default_factory=list)


Item = Words | Alone | Wrapper


def coded_runs(items: list[Item], syntax: Syntax) -> Coded | None:
    """Make the unit of a paragraph, None where it has no text."""
    builder = CodedBuilder()
    base = _base(items)
    builder.alone(syntax.begin(base))
    _Coding(builder, syntax).add(items, base)
    builder.alone(syntax.end(base))
    return builder.built()


def _base(items: list[Item]) -> str:
    """Return the properties that most characters have, beside links if there is anything beside them."""
    counts: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Words):
            counts[item.properties] += len(item.text)
    if counts:
        return counts.most_common(1)[0][0]
    inner = [item for item in items if isinstance(item, Wrapper)]
    return _base(inner[0].items) if inner else ""


class _Coding:
    def __init__(self, builder: CodedBuilder, syntax: Syntax) -> None:
        self._builder, self._syntax = builder, syntax

    def add(self, items: list[Item], base: str) -> None:
        """Add items whose surroundings have these properties."""
        for first, one in _grouped(items):
            if isinstance(first, Words):
                self._words(one, first.properties, base)
            elif isinstance(first, Wrapper):
                self._wrapper(first, base)
            else:
                self._alone(first, base)

    def _words(self, items: list[Item], properties: str, base: str) -> None:
        """Add what is in one run, or would be."""
        if properties != base:
            self._builder.open(self._syntax.end(base) + self._syntax.begin(properties), _shown(properties), "run")
        for item in items:
            if isinstance(item, Words):
                self._builder.text(item.text)
            elif isinstance(item, Alone):
                self._alone(item, properties)
        if properties != base:
            self._builder.close(self._syntax.end(properties) + self._syntax.begin(base), "run")

    def _alone(self, item: Alone, base: str) -> None:
        before, behind = self._syntax.end(base), self._syntax.begin(base)
        if item.is_inside:
            begin, end = self._syntax.around(item.properties)
            before, behind = before + begin, end + behind
        original: Original = ((before, -1), (item.raw, item.at), (behind, -1))
        self._builder.alone(original, _shown(item.raw), item.kind)

    def _wrapper(self, item: Wrapper, base: str) -> None:
        inner = _base(item.items)
        begin: Original = ((self._syntax.end(base), -1), (item.begin, item.at), (self._syntax.begin(inner), -1))
        self._builder.open(begin, _shown(item.begin), "wrapper")
        self.add(item.items, inner)
        self._builder.close(self._syntax.end(inner) + item.end + self._syntax.begin(base), "wrapper")


def _grouped(items: list[Item]) -> list[tuple[Item, list[Item]]]:
    """Group words of the same properties, with the breaks and tabs between them."""
    groups: list[tuple[Item, list[Item]]] = []
    for item in items:
        first = groups[-1][0] if groups else None
        if isinstance(first, Words) and _joins(item, first):
            groups[-1][1].append(item)
        else:
            groups.append((item, [item]))
    return groups


def _joins(item: Item, first: Words) -> bool:
    return isinstance(item, Words | Alone) and item.properties == first.properties and _is_in_run(item)


def _is_in_run(item: Words | Alone) -> bool:
    return isinstance(item, Words) or item.is_inside


def _shown(raw: str) -> str:
    names = re.findall(r"<(?:\w+:)?(\w+)", raw)
    return f"<{' '.join(names[:4])}>"
