"""Is a translation one at all? Empty answers and repetition loops are not. Pure."""

# A loop says the same few words again and again; a translation never needs that many words either.
_LONGEST_NGRAM = 4
_REPEATS = 4
_GROWTH, _SLACK_WORDS = 2, 10


def flaw_of(source: str, translated: str) -> str | None:
    """`empty_translation`, `repetition_loop`, or None for a plausible translation."""
    if not translated.strip():
        return "empty_translation"
    words = translated.split()
    if len(words) > _GROWTH * len(source.split()) + _SLACK_WORDS and _has_loop(words):
        return "repetition_loop"
    return None


def _has_loop(words: list[str]) -> bool:
    return any(_repeats(words, size) for size in range(1, _LONGEST_NGRAM + 1))


def _repeats(words: list[str], size: int) -> bool:
    run = 1
    for at in range(size, len(words) - size + 1, size):
        run = run + 1 if words[at : at + size] == words[at - size : at] else 1
        if run >= _REPEATS:
            return True
    return False
