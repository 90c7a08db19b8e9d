"""What site generators read before Markdown: their calls and attributes are hidden from the parser. Pure.

Each becomes as many characters that mean nothing, so that offsets stay true: Hugo hides its shortcodes, too.
"""

import re

# Hugo's shortcodes, Liquid, Jinja, Vue; lists of attributes of kramdown and Pandoc: `{: .note}`, `{#top}`;
# names of emoji; the beginning of an abbreviation: `*[HTML]:`.
_CALL = re.compile(
    r"(?<!\\)(?:\{\{<.{0,1000}?>\}\}|\{\{%.{0,1000}?%\}\}"
    r"|\{\{(?![<%{])[^{}\r\n]{1,500}\}\}|\{%[^{}\r\n]{1,500}%\}|\{(?::|[#.](?=[\w-]))[^{}\r\n]{0,500}\}"
    r"|(?<![\w:]):(?:[a-z][a-z0-9_+-]{0,50}|[+-]1):(?![\w:])|^\*\[[^\]\r\n]{1,100}\]:)",
    re.DOTALL | re.MULTILINE,
)
_NO_LINE_END = re.compile(r"[^\r\n]")
_FIRST, _LAST = 0xE000, 0xF8FF


def mask_of(text: str) -> str:
    """Return a character that the text does not have; "" where it has all of those that are for private use."""
    return next((chr(code) for code in range(_FIRST, _LAST + 1) if chr(code) not in text), "")


def masked(text: str, mask: str) -> str:
    """Hide the calls behind the mask; lines stay lines."""
    return _CALL.sub(lambda call: _NO_LINE_END.sub(mask, call[0]), text) if mask else text
