"""Compile patterns for RE2, which reads a text once and keeps the states that it has met (decision 29)."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import re2

# For the states of one pattern. Ours took 4 MB in prose and 80 MB in 1,500 texts of fuzz. With 8 MB the largest
# one found no room for a single search, and fell back to a way that takes six times as long.
_MEMORY_BYTES = 64 << 20
_SMALL_MEMORY_BYTES = 4 << 20
_LETTERS, _WITHIN = "abcdefghijklmnopqrstuvwxyz", "0123456789_-"
_END = ""


@lru_cache(maxsize=32)
def compiled(*alternatives: str) -> Any:
    """Return a pattern that matches any of the alternatives, the first of them where several do."""
    return _compiled(alternatives, _MEMORY_BYTES)


def compiled_small(*alternatives: str) -> Any:
    """Return a pattern of a caller, of which many may be held."""
    return _compiled(alternatives, _SMALL_MEMORY_BYTES)


def word_but(words: Iterable[str]) -> str:
    r"""Return a pattern of any word in small letters, digits and hyphens but these.

    RE2 cannot say "not followed by"; the pattern goes along the letters of the words, and leaves them somewhere.
    """
    trie: dict[str, Any] = {}
    for word in words:
        node = trie
        for letter in word:
            node = node.setdefault(letter, {})
        node[_END] = {}
    return _leaving(trie, _LETTERS)


def _leaving(node: Mapping[str, Any], letters: str) -> str:
    """Return what makes another word of the letters that led here."""
    known = {letter: below for letter, below in node.items() if letter != _END}
    others = "".join(letter for letter in letters if letter not in known)
    ways = [f"{letter}{_leaving(below, _LETTERS + _WITHIN)}" for letter, below in known.items()]
    ways += [rf"[{re2.escape(others)}][{_LETTERS}{re2.escape(_WITHIN)}]*\b"]
    ways += [] if _END in node or letters == _LETTERS else [r"\b"]
    return f"(?:{'|'.join(ways)})"


def _compiled(alternatives: tuple[str, ...], memory_bytes: int) -> Any:
    options = re2.Options()
    # It would write to standard error whenever it falls back.
    options.max_mem, options.log_errors = memory_bytes, False
    return re2.compile("|".join(f"(?:{one})" for one in alternatives), options)
