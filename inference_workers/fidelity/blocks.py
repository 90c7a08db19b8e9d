"""Part a text at the tags that begin or end a block: on either side stand sentences of their own. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference_workers.fidelity.parts import Parts
from schemas.segments import trimmed

_BLOCK = re.compile(
    r"</?(?:address|article|aside|blockquote|body|br|caption|center|dd|div|dl|dt|fieldset|figcaption|figure|footer|form|"
    r"h[1-6]|header|hr|html|legend|li|main|nav|ol|option|p|pre|section|select|table|tbody|td|tfoot|th|thead|title|tr|ul)"
    r"(?![\w:-])",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Blocks:
    """A text as `tags[0] texts[0] tags[1] ... tags[-1]`."""

    tags: tuple[str, ...]
    texts: tuple[str, ...]

    def around(self, texts: Sequence[str]) -> str:
        """Put other texts between the tags."""
        return self.tags[0] + "".join(text + tag for text, tag in zip(texts, self.tags[1:], strict=True))


def blocks_of(parts: Parts) -> Blocks | None:
    """Return the blocks of a text, or None if it has only one."""
    tags, texts = [""], [parts.plain[0]]
    for hidden, plain in zip(parts.hidden, parts.plain[1:], strict=True):
        if _is_block(hidden):
            tags.append(hidden)
            texts.append(plain)
        else:
            texts[-1] += hidden + plain
    tags.append("")
    return _trimmed(tags, texts) if len(texts) > 1 else None


def _is_block(hidden: str) -> bool:
    return "<" in hidden and _BLOCK.search(_COMMENT.sub("", hidden)) is not None


def _trimmed(tags: list[str], texts: list[str]) -> Blocks:
    """Move the white space around each text to the tags, and leave out empty texts."""
    found, kept = [tags[0]], []
    for text, tag in zip(texts, tags[1:], strict=True):
        lead, words, trail = trimmed(text)
        found[-1] += lead
        if words:
            kept.append(words)
            found.append(trail + tag)
        else:
            found[-1] += tag
    return Blocks(tuple(found), tuple(kept))
