"""Runs of Office Open XML: `<w:r><w:rPr/><w:t>text</w:t></w:r>`, and the same in DrawingML and in cells."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class RunSyntax:
    """The names of a run's parts as the file writes them, and what follows the name of its text element."""

    run: str
    text: str
    text_attributes: str = ""

    def begin(self, properties: str) -> str:
        return f"<{self.run}>{properties}<{self.text}{self.text_attributes}>"

    def end(self, _properties: str) -> str:
        return f"</{self.text}></{self.run}>"

    def around(self, properties: str) -> tuple[str, str]:
        return f"<{self.run}>{properties}", f"</{self.run}>"


def tidy(text: str) -> str:
    """Take empty runs out of what was written."""
    without = _EMPTY_TEXT.sub("", text)
    return _EMPTY_RUN.sub("", without)


_EMPTY_TEXT = re.compile(r'<((?:\w+:)?t)(?: xml:space="preserve")?></\1>')
_PROPERTIES = (
    r"<(?:\w+:)?rPr(?:\s[^<>]*)?/>"
    r"|<((?:\w+:)?rPr)(?:\s[^<>]*[^<>/])?>(?:(?!</?(?:\w+:)?rPr[\s>]).)*</\2>"
)
_EMPTY_RUN = re.compile(rf"<((?:\w+:)?r)>(?:{_PROPERTIES})?</\1>", re.DOTALL)
