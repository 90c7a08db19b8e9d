"""Elements that are not translated: each becomes one token, or several where something in it is translated.

An attribute says so for all that is inside, until another attribute inside says the contrary.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connectors.formats.markup.html_tokens import Token, What


@dataclass
class _Open:
    """An element whose inside is kept, or translated; `depth` counts those of its name that are open.

    What is kept begins at `begin`, and is a token of the kind `what`; it may have exceptions inside. `outer`
    counts the open elements that have the name of the kept one around.
    """

    name: str
    is_kept: bool
    begin: int = 0
    what: What = What.OTHER
    has_exceptions: bool = False
    depth: int = 1
    outer: int = 0


@dataclass(frozen=True)
class Keeping:
    """What a start tag says: whether its element is kept, by an attribute or by its name, or translated.

    An element that is kept by its name may be labelled: its start tag is a token of its own then.
    """

    is_kept: Callable[[Token], bool]
    is_kept_by_name: Callable[[Token], bool]
    is_translated: Callable[[Token], bool]
    is_labelled: Callable[[Token], bool]
    has_end: Callable[[Token], bool]
    is_inline: Callable[[str], bool]


def without_kept(tokens: Iterator[Token], keeping: Keeping, end: int) -> Iterator[Token]:
    """Yield the tokens of a text that ends there; what is kept is one token, named after its element."""
    reader = _Reader(keeping)
    for token in tokens:
        yield from reader.read(token)
    yield from reader.ended(end)


class _Reader:
    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._open: list[_Open] = []

    def read(self, token: Token) -> Iterator[Token]:
        """Read a token; yield what it is, or ends."""
        top = self._open[-1] if self._open else None
        if top and top.is_kept:
            yield from self._in_kept(token, top)
        elif top and self._ends_outside(token, top):
            self._back(token.start)
            yield from self._in_kept(token, self._open[-1])
        elif token.what is What.START and self._begins_kept(token):
            if self._open[-1].begin == token.end:
                yield token._replace(what=What.LABEL)
        else:
            yield token
            if top and self._follow(token, top) == 0:
                self._back(token.end)

    def ended(self, end: int) -> Iterator[Token]:
        """Yield what is kept and has no end."""
        if self._open and self._open[-1].is_kept and self._open[-1].begin < end:
            yield self._kept(self._open[-1], end)

    def _in_kept(self, token: Token, kept: _Open) -> Iterator[Token]:
        keeping = self._keeping
        is_start = token.what is What.START and keeping.has_end(token)
        if is_start and kept.has_exceptions and keeping.is_translated(token):
            yield self._kept(kept, token.start)
            yield token
            self._open.append(_Open(token.name, is_kept=False))
        elif self._follow(token, kept) == 0:
            yield self._kept(kept, token.end)
            self._open.pop()

    def _begins_kept(self, token: Token) -> bool:
        keeping = self._keeping
        by_name, by_attribute = keeping.is_kept_by_name(token), keeping.is_kept(token)
        if not keeping.has_end(token) or not (by_name or by_attribute):
            return False
        what = What.OTHER if keeping.is_inline(token.name) else What.END
        begin = token.end if not by_attribute and keeping.is_labelled(token) else token.start
        self._open.append(_Open(token.name, True, begin, what, has_exceptions=not by_name))
        return True

    def _ends_outside(self, token: Token, translated: _Open) -> bool:
        """Tell whether a tag ends the kept element around, though the translated one in it has no end."""
        around = self._open[-2].name
        if token.name != around or around == translated.name:
            return False
        if token.what is What.START and self._keeping.has_end(token):
            translated.outer += 1
        elif token.what is What.END:
            translated.outer -= 1
        return translated.outer < 0

    def _back(self, begin: int) -> None:
        self._open.pop()
        self._open[-1].begin = begin

    def _follow(self, token: Token, element: _Open) -> int:
        if token.name == element.name and (token.what is not What.START or self._keeping.has_end(token)):
            element.depth += {What.START: 1, What.END: -1}.get(token.what, 0)
        return element.depth

    def _kept(self, kept: _Open, end: int) -> Token:
        return Token(kept.what, kept.begin, end, kept.name)
