"""Read ICU messages (MessageFormat of ICU4J): text, arguments, plural, selectordinal and select. Pure.

Apostrophes follow ICU's default: two of them are one; one before a brace, or before # inside a plural, quotes up
to the next. A message that is not well formed is refused, never guessed at.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

PLURAL, ORDINAL, SELECT = "plural", "selectordinal", "select"
# Where a message with branches may begin; cheap to look for.
BRANCHING = re.compile(rf"\{{\s*[\w.-]+\s*,\s*(?:{PLURAL}|{ORDINAL}|{SELECT})\s*,")
_HEAD = re.compile(r"\{\s*(?P<name>[\w.-]+)\s*(?:,\s*(?P<kind>\w+)\s*)?")
_OFFSET = re.compile(r"\s*offset\s*:\s*(?P<offset>\d+)")
_SELECTOR = re.compile(r"(?P<before>\s*)(?P<selector>=\d+|[^\s{},=#']+)(?P<behind>\s*)\{")
_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r"(?:[^']|'')*'")
_PLAIN = re.compile(r"[^{}'#]+")
_DEEPEST = 8


class MalformedMessageError(Exception):
    """The text is no ICU message, or one that this module does not support."""


@dataclass(frozen=True)
class Literal:
    """Text as it is read, without quoting."""

    text: str


@dataclass(frozen=True)
class Simple:
    """An argument that stays as it is written."""

    raw: str


@dataclass(frozen=True)
class NumberSign:
    """The # of a plural: the number of its argument."""

    argument: str
    has_offset: bool


@dataclass(frozen=True)
class Branch:
    """One branch; `before` and `behind` are the white space around its selector."""

    before: str
    selector: str
    behind: str
    parts: "Sequence[Part]"


@dataclass(frozen=True)
class Branching:
    """A plural, selectordinal or select. `head` is its beginning as written, `tail` the space before its end."""

    argument: str
    kind: str
    head: str
    has_offset: bool
    branches: Sequence[Branch]
    tail: str


Part = Literal | Simple | NumberSign | Branching


def parse(text: str) -> Sequence[Part]:
    """Parse a whole message. Raises MalformedMessageError."""
    reader = _Reader(text)
    parts = reader.parts(None, 0)
    if reader.at < len(text):
        raise MalformedMessageError
    return parts


def extent_of(text: str, start: int) -> int:
    """Return the offset behind the argument that begins at `start`. Raises MalformedMessageError."""
    reader = _Reader(text, start)
    reader.argument(None, 0)
    return reader.at


@dataclass
class _Reader:
    text: str
    at: int = 0

    def parts(self, plural: NumberSign | None, depth: int) -> Sequence[Part]:
        """Read up to the brace that closes the branch, or to the end."""
        found: list[Part] = []
        while self.at < len(self.text) and self.text[self.at] != "}":
            found.append(self._part(plural, depth))
        return found

    def _part(self, plural: NumberSign | None, depth: int) -> Part:
        character = self.text[self.at]
        if character == "{":
            return self.argument(plural, depth)
        if character == "#" and plural:
            self.at += 1
            return plural
        if character == "'":
            return Literal(self._quoted(in_plural=plural is not None))
        found = _PLAIN.match(self.text, self.at)
        end = found.end() if found else self.at + 1
        part = Literal(self.text[self.at : end])
        self.at = end
        return part

    def _quoted(self, *, in_plural: bool) -> str:
        """Read an apostrophe and, where it quotes, what it quotes."""
        behind = self.text[self.at + 1 : self.at + 2]
        if behind == "'" or not behind or behind not in ("{}#" if in_plural else "{}"):
            self.at += 2 if behind == "'" else 1
            return "'"
        end = _QUOTED.match(self.text, self.at + 1)
        stop = end.end() if end else len(self.text)
        quoted = self.text[self.at + 1 : stop - 1 if end else stop]
        self.at = stop
        return quoted.replace("''", "'")

    def argument(self, plural: NumberSign | None, depth: int) -> Simple | Branching:
        """Read an argument from its opening brace to its closing one."""
        head = _HEAD.match(self.text, self.at)
        if head is None or depth > _DEEPEST:
            raise MalformedMessageError
        if head["kind"] not in (PLURAL, ORDINAL, SELECT):
            return self._simple()
        start = self.at
        self._expect(",", head.end())
        offset = _OFFSET.match(self.text, self.at) if head["kind"] != SELECT else None
        self.at = offset.end() if offset else self.at
        has_offset = bool(offset and int(offset["offset"]))
        written = self.text[start : self.at]
        inner = plural if head["kind"] == SELECT else NumberSign(head["name"], has_offset)
        branches = self._branches(inner, depth + 1)
        space = _SPACE.match(self.text, self.at)
        tail = space[0] if space else ""
        self._expect("}", self.at + len(tail))
        if "other" not in {branch.selector for branch in branches}:
            raise MalformedMessageError
        return Branching(head["name"], head["kind"], written, has_offset, branches, tail)

    def _branches(self, plural: NumberSign | None, depth: int) -> Sequence[Branch]:
        branches: list[Branch] = []
        while found := _SELECTOR.match(self.text, self.at):
            self.at = found.end()
            parts = self.parts(plural, depth)
            self._expect("}", self.at)
            branches.append(Branch(found["before"], found["selector"], found["behind"], parts))
        return branches

    def _simple(self) -> Simple:
        """Read an argument without branches; its style may hold braces in pairs."""
        depth = 0
        for end in range(self.at, len(self.text)):
            depth += {"{": 1, "}": -1}.get(self.text[end], 0)
            if depth == 0:
                raw = self.text[self.at : end + 1]
                self.at = end + 1
                return Simple(raw)
        raise MalformedMessageError

    def _expect(self, character: str, at: int) -> None:
        if self.text[at : at + 1] != character:
            raise MalformedMessageError
        self.at = at + 1
