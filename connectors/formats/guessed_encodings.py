"""Which encoding a text is in that has no byte order mark, is not UTF-8 and says nothing. Pure."""

import re
import unicodedata

from charset_normalizer import CharsetMatch, from_bytes

from connectors.formats.refusals import unknown_encoding

# A guess reads no more than this of a file.
_GUESSED_BYTES = 100_000
_SNIFFED_BYTES = 8192
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# What text files are written in. The rarer ones, such as those of old terminals, read anything as something.
_COMMON = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp850", "cp866", "cp874"),
    *("iso8859_2", "koi8_r", "mac_roman", "cp932", "cp949", "big5", "euc_jp", "gb18030"),
)
_WESTERN = "cp1252"
# By language, where it is not Western.
_USUAL = {
    **dict.fromkeys(("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl", "sq"), "cp1250"),
    **dict.fromkeys(("be", "bg", "mk", "ru", "sr", "uk"), "cp1251"),
    **dict.fromkeys(("et", "lt", "lv"), "cp1257"),
    **dict.fromkeys(("ar", "fa", "ur"), "cp1256"),
    **{"az": "cp1254", "el": "cp1253", "he": "cp1255", "tr": "cp1254"},
    **{"ja": "cp932", "ko": "cp949", "th": "cp874", "zh": "gb18030"},
}
# Signs amid a word are letters of another encoding.
_SIGN_IN_WORD = re.compile("[^\\W\\d_][\xa1-\xac\xae-\xb4\xb6\xb8\xb9\xbb-\xbf†‡ˆ‰‹›˜™][^\\W\\d_]")


def guessed(data: bytes, language: str) -> str:
    """Guess an encoding; of several that fit alike, the usual one of the language.

    Raises PermanentError: `unknown_encoding`.
    """
    sample = _sample(data)
    found = from_bytes(sample, cp_isolation=list(_COMMON))
    best = found.best() or from_bytes(sample).best()
    if best is None or _CONTROLS.search(str(best)):
        raise unknown_encoding("the encoding of the text cannot be recognised")
    usual = _USUAL.get(_primary(language), _WESTERN)
    # What it read of the beginning as ASCII may hold more further on.
    if best.encoding == "ascii" or any(_is_as_good(one, best, usual, language) for one in found):
        return usual
    return best.encoding


def _is_as_good(one: CharsetMatch, best: CharsetMatch, usual: str, language: str) -> bool:
    if usual not in one.could_be_from_charset or one.chaos > best.chaos:
        return False
    return bool(language) or (one.coherence >= best.coherence and not _SIGN_IN_WORD.search(str(one)))


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


def _sample(data: bytes) -> bytes:
    """Return the beginning of a text, cut where no encoding has a character of several bytes."""
    if len(data) <= _GUESSED_BYTES:
        return data
    ends = [at for sign in (b"\n", b"\r", b" ", b",") if (at := data.rfind(sign, 0, _GUESSED_BYTES)) >= 0]
    return data[: max(ends) + 1] if ends else data[:_GUESSED_BYTES]


def unmarked_utf16(data: bytes) -> str | None:
    """Tell which UTF-16 a text without a byte order mark is in, None for what is none."""
    head = data[:_SNIFFED_BYTES]
    if b"\x00" not in head or len(data) % 2:
        return None
    signs = {encoding: _signs(head, encoding) for encoding in ("utf-16-le", "utf-16-be")}
    likeliest = max(signs, key=lambda encoding: signs[encoding])
    return likeliest if signs[likeliest] else None


def _signs(head: bytes, encoding: str) -> int:
    """Count the spaces, line ends and letters of ASCII; 0 where it is no text."""
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < len(head) - 2:  # else a pair of halves that the sample cuts
            return 0
        text = head[: error.start].decode(encoding)
    if _CONTROLS.search(text) or any(unicodedata.category(each) in ("Cn", "Co") for each in text):
        return 0
    return sum(each in " \r\n" or (each.isascii() and each.isalpha()) for each in text)
