"""Attributes of tags amid a sentence: segments of their own, written into the tags of their sentence. Pure.

Such a segment comes behind its sentence, with nothing between, and travels in the same batch. Its form
(`SegmentBatch.message_forms`) says where it belongs: `attribute 0 10 16` is from character 10 to 16 of what the
first code of the sentence stands for; `attribute 0 10 16 bare` has no quotes there.
"""

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from typing import NamedTuple, Self

_KIND, _BARE = "attribute", "bare"


class AmidLimits(NamedTuple):
    """How many attributes amid one sentence are segments, and how many characters each may have."""

    attributes: int = 16
    characters: int = 1_000


USUAL_AMID = AmidLimits()


class TagAttribute(NamedTuple):
    """Where the value of an attribute stands: in which code of the sentence, from which character to which."""

    code: int
    start: int
    end: int
    is_bare: bool = False

    @property
    def form(self) -> str:
        """Return the form that travels with the segment."""
        return " ".join([_KIND, *map(str, self[:3]), *([_BARE] if self.is_bare else [])])

    @classmethod
    def parse(cls, form: str) -> Self:
        """Read a form."""
        _, code, start, end, *bare = form.split(" ")
        return cls(int(code), int(start), int(end), bool(bare))


def is_attribute(form: str | None) -> bool:
    """Tell whether the segment of that form is an attribute of a tag amid a sentence."""
    return form is not None and form.startswith(f"{_KIND} ")


def attributes_behind(forms: Sequence[str | None], sentence: int) -> range:
    """Return the segments behind one that are attributes in its tags; `forms` may end before the segments do."""
    begin = sentence + 1
    return range(begin, begin + sum(1 for _ in takewhile(is_attribute, islice(forms, begin, None))))


def groups_of(forms: Sequence[str | None]) -> Iterator[range]:
    """Yield the segments of each sentence that has attributes: its own, then theirs."""
    for at in range(len(forms) - 1):
        if not is_attribute(forms[at]) and is_attribute(forms[at + 1]):
            yield range(at, attributes_behind(forms, at).stop)
