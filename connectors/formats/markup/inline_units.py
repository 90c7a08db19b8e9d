"""Find the units of marked-up text: what stands between two tags that end a unit. Codes are the tags inside.

White space between words is one space in a unit where readers see it so. What is not to be translated is an
isolated code amid words, and else left out.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape

from connectors.formats.coding import CodedBuilder
from connectors.formats.markup.html_elements import BREAKS, INLINE, LABELLED, OPAQUE, VOID
from connectors.formats.markup.html_tokens import RAW, Token, What, attributes, is_kept, is_translated, tokens
from connectors.formats.markup.kept_elements import Keeping, without_kept
from connectors.formats.protocol import CodeKind
from connectors.formats.splicing import Found, Stamp

_SPACE = re.compile(r"[ \t\r\n\f]+")
_PREFORMATTED = ("pre", "listing")
# Counting lines from the beginning for every unit is quadratic; larger texts tell characters instead.
_COUNTED = 200_000

Seen = Callable[[Token], Iterator[Found | Stamp]]


def _nothing(_token: Token) -> Iterator[Found | Stamp]:
    return iter(())


@dataclass(frozen=True)
class Rules:
    """What the elements of a text are to its readers. For HTML, if nothing else is said.

    `is_inline` tells by the name whether an element stands inside a unit; what is `opaque` is not translated, but
    for the attributes of what is `labelled`, and `void` has no end tag. `raw` holds no markup. `collapses`: white
    space is one space.
    """

    is_inline: Callable[[str], bool] = INLINE.__contains__
    opaque: frozenset[str] = OPAQUE
    labelled: frozenset[str] = LABELLED
    void: frozenset[str] = VOID
    breaks: frozenset[str] = BREAKS
    raw: frozenset[str] = RAW
    collapses: bool = True
    entity: re.Pattern[str] | None = None


@dataclass
class _Run:
    """The tokens of the unit that is being read, and how many `pre` are open around them."""

    tokens: list[Token] = field(default_factory=list)
    pre: int = 0


def units_in(text: str, rules: Rules, seen: Seen = _nothing) -> Iterator[Found | Stamp]:
    """Yield the units in reading order; `seen` finds those in the attributes of a start tag."""
    run = _Run()
    for found in _whole_elements(text, rules):
        is_start = found.what is What.START
        if is_start or found.what is What.LABEL:
            yield from seen(found)
        token = _unlabelled(found, rules)
        if token.what in (What.TEXT, What.RAW, What.OTHER) or rules.is_inline(token.name):
            if token.what is not What.RAW:
                run.tokens.append(token)
            continue
        yield from _found(text, run, rules)
        run.tokens = []
        if token.name in _PREFORMATTED:
            run.pre = max(0, run.pre + (1 if is_start else -1))
    yield from _found(text, run, rules)


def _unlabelled(token: Token, rules: Rules) -> Token:
    if token.what is not What.LABEL:
        return token
    return token._replace(what=What.OTHER if rules.is_inline(token.name) else What.END)


def _whole_elements(text: str, rules: Rules) -> Iterator[Token]:
    """Yield the tokens; an element that is not translated is one token, named after what it is among others."""

    def values(token: Token) -> dict[str, str]:
        return {one.name: text[one.start : one.end] for one in attributes(text, token)}

    keeping = Keeping(
        is_kept=lambda token: is_kept(values(token)),
        is_kept_by_name=lambda token: token.name in rules.opaque,
        is_translated=lambda token: is_translated(values(token)),
        is_labelled=lambda token: token.name in rules.labelled,
        has_end=lambda token: token.name not in rules.void and not text[token.start : token.end].endswith("/>"),
        is_inline=rules.is_inline,
    )
    return without_kept(tokens(text, rules.raw), keeping, len(text))


def _found(text: str, run: _Run, rules: Rules) -> Iterator[Found]:
    worded = [at for at, token in enumerate(run.tokens) if not _is_blank(text, token)]
    pieces = run.tokens[worded[0] : worded[-1] + 1] if worded else []
    if not any(token.what is What.TEXT and text[token.start : token.end].strip() for token in pieces):
        return
    first = pieces[0]
    if first.what is What.TEXT:
        start = first.end - len(text[first.start : first.end].lstrip())
        pieces[0] = first = Token(What.TEXT, start, first.end)
    last = pieces[-1]
    if last.what is What.TEXT:
        pieces[-1] = last = Token(What.TEXT, last.start, last.start + len(text[last.start : last.end].rstrip()))
    builder = CodedBuilder(str)
    keeps_space = run.pre > 0 or not rules.collapses
    for token in pieces:
        _add(builder, text, token, rules, keeps_space=keeps_space)
    coded = builder.built()
    if coded:
        line = text.count("\n", 0, first.start) + 1 if len(text) < _COUNTED else 0
        yield Found(first.start, last.end, coded, f"line {line}" if line else f"character {first.start}", "text")


def _is_blank(text: str, token: Token) -> bool:
    return token.what is What.OTHER or (token.what is What.TEXT and not text[token.start : token.end].strip())


def _add(builder: CodedBuilder, text: str, token: Token, rules: Rules, *, keeps_space: bool) -> None:
    raw = text[token.start : token.end]
    if token.what is What.TEXT:
        _add_text(builder, raw if keeps_space else _SPACE.sub(" ", raw), rules)
    elif token.what is What.OTHER or token.name in rules.void or raw.endswith("/>"):
        kind = CodeKind.BREAK if token.name in rules.breaks else CodeKind.OBJECT
        builder.alone(raw, kind=kind, at=token.start)
    elif token.what is What.START:
        builder.open(raw, key=token.name, at=token.start)
    else:
        builder.close(raw, token.name, token.start)


def _add_text(builder: CodedBuilder, raw: str, rules: Rules) -> None:
    """Add a text with its entities as characters; those that only the text's own DTD knows are codes."""
    at = 0
    for entity in rules.entity.finditer(raw) if rules.entity else ():
        builder.text(unescape(raw[at : entity.start()]))
        builder.alone(entity[0])
        at = entity.end()
    builder.text(unescape(raw[at:]))
