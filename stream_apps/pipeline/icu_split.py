"""Cut ICU messages: each branch is a sentence of its own, the syntax stands in the gaps. Pure.

What stands around a plural or select is taken into its branches, so that every branch is a whole sentence, and the
target language gets all its plural forms. A # is translated as an example number of its form (Polish `few`: 3), so
that the words around it agree, and put back afterwards by stream_apps/pipeline/finishing.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from schemas.segments import trimmed
from stream_apps.pipeline.icu_messages import (
    ORDINAL,
    SELECT,
    Branch,
    Branching,
    Literal,
    MalformedMessageError,
    NumberSign,
    Part,
    Simple,
    parse,
)
from stream_apps.pipeline.message_forms import ICU, escaped, form_of, holds_number
from stream_apps.pipeline.passing_through import has_letters
from stream_apps.pipeline.plural_categories import OTHER, category_of, example_of, forms_of
from stream_apps.pipeline.split import Split

# A message with more sentences is a program; two selects side by side multiply theirs.
MOST_SENTENCES = 100
# As many characters as the longest segment.
_LONGEST = 1000


class _Around(NamedTuple):
    """The plural that a # belongs to, with the example that stands for it."""

    argument: str
    example: int | None


@dataclass
class _Writer:
    """A split that grows: text between segments, then segments."""

    source: str
    target: str
    between: list[str] = field(default_factory=lambda: [""])
    texts: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    sentences: int = 0

    def syntax(self, text: str) -> None:
        """Append what is not translated."""
        self.between[-1] += text

    def sentence(self, parts: Sequence[Part], around: _Around | None) -> None:
        """Append a branch without branches. Raises MalformedMessageError beyond the limits."""
        self.sentences += 1
        if self.sentences > MOST_SENTENCES:
            raise MalformedMessageError
        literal = "".join(part.text for part in parts if isinstance(part, Literal))
        number = around.example if around else None
        if number is not None and (NumberSign not in map(type, parts) or holds_number(literal, number)):
            number = None
        around = around and around._replace(example=number)
        if not has_letters(literal):
            bare = around and around._replace(example=None)
            self.syntax(escaped("".join(_written(part, bare) for part in parts), ICU))
            return
        text = "".join(_written(part, around) for part in parts)
        lead, words, trail = trimmed(text)
        if len(words) > _LONGEST:
            raise MalformedMessageError
        self.syntax(lead)
        self.texts.append(words)
        self.forms.append(form_of(ICU, number, "#"))
        self.between.append(trail)


def split_message(text: str, source: str, target: str) -> Split:
    """Split one message; the languages are BCP-47 tags. Raises MalformedMessageError for what cannot be read."""
    writer = _Writer(source, target)
    _write(parse(text), writer, None)
    lead, *gaps = writer.between
    return Split(lead, tuple(writer.texts), tuple(gaps), message_forms=tuple(writer.forms))


def _write(parts: Sequence[Part], writer: _Writer, around: _Around | None) -> None:
    """Write the message with everything inside the branches of its first argument that has some."""
    at = next((at for at, part in enumerate(parts) if isinstance(part, Branching)), None)
    argument = parts[at] if at is not None else None
    if at is None or not isinstance(argument, Branching):
        writer.sentence(parts, around)
        return
    writer.syntax(argument.head)
    for branch, example in _wanted(argument, writer.source, writer.target):
        writer.syntax(f"{branch.before}{branch.selector}{branch.behind}{{")
        inner = around if argument.kind == SELECT else _Around(argument.argument, example)
        _write([*parts[:at], *branch.parts, *parts[at + 1 :]], writer, inner)
        writer.syntax("}")
    writer.syntax(argument.tail + "}")


def _wanted(argument: Branching, source: str, target: str) -> Iterator[tuple[Branch, int | None]]:
    """Yield the branches that the target language needs, each with an example of its numbers."""
    ordinal = argument.kind == ORDINAL
    forms = forms_of(target, ordinal=ordinal) if argument.kind != SELECT else ()
    given = {branch.selector: branch for branch in argument.branches}
    if not forms or not forms_of(source, ordinal=ordinal):
        yield from ((branch, None) for branch in argument.branches)
        return
    for branch in argument.branches:
        if branch.selector.startswith("="):
            yield branch, int(branch.selector[1:])
    # A form that only large numbers have is not added, and not dropped either.
    kept = [*(form.category for form in forms[:-1])]
    kept += [name for name in given if name == "many" and name not in kept]
    for category in (*kept, OTHER):
        example = example_of(target, category, ordinal=ordinal)
        model = given.get(category_of(source, example, ordinal=ordinal), given[OTHER])
        like = given.get(category, given[OTHER])
        yield replace(model, before=like.before or " ", selector=category, behind=like.behind), example


def _written(part: Part, around: _Around | None) -> str:
    """Return a part as the engine sees it."""
    match part:
        case Literal(text):
            # A brace in quotes would have to be told from an argument when it comes back.
            if "{" in text or "}" in text or ("#" in text and around):
                raise MalformedMessageError
            return text
        case Simple(raw):
            return raw
        case NumberSign(argument, has_offset):
            if around and around.argument == argument:
                return "#" if around.example is None else str(around.example)
            if has_offset:
                raise MalformedMessageError
            return f"{{{argument}, number}}"
    raise MalformedMessageError
