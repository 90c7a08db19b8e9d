"""Compile patterns for RE2, which reads a text once and keeps the states that it has met (decision 29)."""

from functools import lru_cache
from typing import Any

import re2

# For the states of one pattern. Ours took 4 MB in prose and 80 MB in 1,500 texts of fuzz. With 8 MB the largest
# one found no room for a single search, and fell back to a way that takes six times as long.
_MEMORY_BYTES = 64 << 20
_SMALL_MEMORY_BYTES = 4 << 20


@lru_cache(maxsize=32)
def compiled(*alternatives: str) -> Any:
    """Return a pattern that matches any of the alternatives, the first of them where several do."""
    return _compiled(alternatives, _MEMORY_BYTES)


def compiled_small(*alternatives: str) -> Any:
    """Return a pattern of a caller, of which many may be held."""
    return _compiled(alternatives, _SMALL_MEMORY_BYTES)


def _compiled(alternatives: tuple[str, ...], memory_bytes: int) -> Any:
    options = re2.Options()
    # It would write to standard error whenever it falls back.
    options.max_mem, options.log_errors = memory_bytes, False
    return re2.compile("|".join(f"(?:{one})" for one in alternatives), options)
