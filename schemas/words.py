"""How many words a text has: the unit of throughput, cost and backlog. Pure.

Text between white space is one word. In scripts that are written without spaces, each character is one
word, as word processors and translation agencies count (Han, kana, Thai, Lao, Khmer, Burmese).
"""

import re

_UNSPACED = re.compile(
    "[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f]"
)


def count_words(text: str) -> int:
    """Words of the text, whatever languages are mixed in it."""
    if text.isascii():
        return len(text.split())
    without, unspaced = _UNSPACED.subn(" ", text)
    return len(without.split()) + unspaced
