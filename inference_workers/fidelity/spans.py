r"""Name the kinds of spans that must come back as they are, each with its pattern. Data.

The patterns are RE2's (decision 29): it reads a text once, whatever the text is, and knows no look-around. In it
`\w`, `\d`, `\s` and `\b` are those of ASCII; `\pL` and `\pN` are letters and digits of any script. `\B` before a
sign asks that no letter stands before it: `/tmp` is a path, `and/or` is none. Where two patterns match at one
place, the earlier one wins.
"""

from typing import NamedTuple

from inference_workers.fidelity import notation
from inference_workers.fidelity.code_spans import CALLS, COMMANDS, FRAMES, LOG_PREFIX, SQL
from inference_workers.fidelity.notation import AMOUNT as _AMOUNT


class Kind(NamedTuple):
    """One kind of span.

    A mark is no part of the sentence: at the edge of a text the engine never sees it. A tried span is left to the
    engine at first: measured, most came back as they were, with better prose around them than around a mask.
    """

    name: str
    pattern: str
    is_mark: bool = False
    is_tried: bool = False


def _kind(name: str, *alternatives: str) -> Kind:
    return Kind(name, "|".join(alternatives))


def _mark(name: str, *alternatives: str) -> Kind:
    return Kind(name, "|".join(alternatives), is_mark=True)


def _tried(name: str, *alternatives: str) -> Kind:
    return Kind(name, "|".join(alternatives), is_tried=True)


_URL = r"[^\s\x{a0}\x{3000}<>\"'`，。；：！？）」]"
_URL_END = r"[^\s\x{a0}\x{3000}<>\"'`，。；：！？）」.,;:!?)\]]"
_ADDRESS = f"{_URL}*{_URL_END}"
_SPACE = r"[ \x{a0}\x{202f}]"
_DEEP = r"(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*"
_ICU_TYPES = "number|date|time|spellout|ordinal|duration|list|select|plural"
_PRINTF_SIZE = r"(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|L|q|j|z|t)?"
_DAY_PART = "%[-#]?[aAbBcdHIjmMpSyYzZ]"
_CURRENCIES = "AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|RUB|SEK|SGD|TRY|USD|ZAR"
_UNITS = (
    "[KMGTP]i?B(?:ps|/s)?|[kMGT]?bps|[kMGT]bit/s|kB(?:ps|/s)?|[kMG]?Hz|[kMG]?Wh?|mAh|dpi|px|dB|rpm|fps|ppm|"
    "km/h|m/s|[kMh]?Pa|[mnµμ]s|[mµμ]g|[nµμ]m|m[lL]|mol(?:/[lL])?|mg/d?[lL]|k?cal|kJ|eV|V"
)
_EXTENSIONS = (
    "aac|avi|bak|bat|bmp|c|cfg|conf|cpp|cs|css|csv|dll|docx?|env|epub|exe|flac|gif|go|gz|h|html?|ico|ini|ipynb|"
    "iso|jar|java|jpe?g|js|jsx|json|lock|log|md|mkv|mov|mp[34]|odt|pdf|php|png|po|pptx?|ps1|py|rar|rb|rs|rst|sh|"
    "sql|srt|svg|tar|tex|tgz|tiff?|toml|tsx?|txt|wav|webp|xlsx?|xml|ya?ml|zip"
)
_HEADERS = (
    "Bcc|Cc|Content-[A-Za-z-]+|Date|Delivered-To|From|In-Reply-To|List-[A-Za-z-]+|MIME-Version|Message-I[Dd]|"
    "Received|References|Reply-To|Return-Path|Sender|Subject|To|X-[A-Za-z-]+|R[Ee]|F[Ww]d?"
)
_CRON = r"(?:\*(?:/\d+)?|\b\d[\d,/-]*)"
_TERM = r"(?:[A-Za-z]|\d+(?:\.\d+)?)"
_BULLETIN_TAGS = "b|i|u|s|url|img|quote|code|list|size|color|center|spoiler|youtube"
_LATEX = (
    "begin|end|cite[tp]?|emph|item|label|ref|(?:sub)*section|text(?:bf|it|tt)|url|href|footnote|caption|frac|sqrt|"
    "sum|alpha|beta|gamma|delta|lambda|mu|pi|sigma|theta|omega|infty|in|leq?|geq?|neq?|times|cdot|to|int|partial|"
    "math(?:bb|bf|cal|rm)"
)
_PICTOGRAPHS = (
    r"[\x{2190}-\x{21ff}\x{2300}-\x{27bf}\x{2934}\x{2935}\x{2b00}-\x{2bff}\x{3030}\x{303d}\x{1F000}-\x{1FAFF}]"
)
# Variation selectors, joiner, keycap, gender signs, skin tones, and the tags of regional flags.
_PICTOGRAPH_PARTS = (
    r"[\x{fe0e}\x{fe0f}\x{200d}\x{20e3}\x{2640}\x{2642}\x{2695}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]"
)

SPANS: tuple[Kind, ...] = (
    # What begins a line: headings, lists, quotations, and who speaks.
    _mark(
        "line mark",
        r"\A(?:(?:#{1,6}|[-+*•·>–—]|\d{1,3}[.)]|[A-Za-z]\))[ \t]+)+(?:\[[ xX]\][ \t]+)?",
        r"\A\.\. [\w:-]+::[ \t]*",
    ),
    _mark("log", LOG_PREFIX),
    _mark("commit", notation.COMMIT),
    _mark(
        "correspondent",
        r"\A(?:>[ \t]*)*(?:Bcc|Cc|From|Reply-To|Sender|To):[ \t]+[^<>]*<[^<>\s]+@[^<>\s]+>"
        r"(?:[;,][^.!?<>]*(?:<[^<>\s]+>)?)*",
    ),
    _mark("e-mail header", rf"\A(?:>[ \t]*)*(?:{_HEADERS}):[ \t]+(?:(?i:re|fwd?):[ \t]+)*"),
    _mark(
        "speaker",
        r"\A(?:>>[ \t]*)?(?:Dr|Mr|Mrs|Ms|Prof|Sr|Sra)\.? \p{Lu}[\pL'-]+(?: \p{Lu}[\pL'-]+)?:[ \t]+",
        r"\A(?:>>[ \t]*)?\p{Lu}[\p{Lu}.'-]+(?: [\p{Lu}.'-]+){0,2}:[ \t]+",
    ),
    # Code without marks around it; earlier than what may stand in it.
    _kind("entry", notation.ENTRY),
    _kind("sql", *SQL),
    _kind("command", *COMMANDS),
    _kind("stack frame", *FRAMES),
    _kind("call", *CALLS),
    _kind("comparison", r"\b\w+[<>]=?\w+ (?:and|or|&&|\|\|) \w+[<>]=?\w+\b"),
    # Mark-up and templates.
    # What opens cannot open again before it closes: each opening would be followed to the end of the text.
    _mark("comment", r"<!--(?:[^<]|<[^!])*?-->", r"/\*(?:[^/]|/[^*])*?\*/"),
    # Earlier than tags: no word of a page stands right before <Integer>.
    _kind("generic type", notation.GENERIC_TYPE),
    _kind("macro", *notation.MACROS),
    _kind("embedded code", r"<%(?:[^<]|<[^%])*?%>", r"<\?(?:[^<]|<[^?])*?\?>", r"\[%[^\[\]]*%\]"),
    # <abbr>WHO</abbr> is no pronoun.
    _kind("abbreviation", r"<(?:abbr|acronym)\b[^<>]*>[A-Z][A-Z\d.]+</(?:abbr|acronym)>"),
    _kind("tag", r"</?[A-Za-z](?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*>", r"</?[A-Za-z!][^<>]*>", r"</?\d{1,3} ?/?>"),
    _mark("bulletin board tag", rf"\[/?(?:{_BULLETIN_TAGS})(?:=[^\[\]]*)?\]", r"\[\*\]"),
    _mark("wiki mark", r"\B'{2,5}", r"'{2,5}(?:\B|$)"),
    _kind("entity", r"&(?:[A-Za-z]\w{1,31}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});"),
    _kind(
        "code",
        r"```(?s:.*?)```",
        r"(?:\B:[a-z][a-z:+.-]*:)?``[^`]+``",
        r"(?:\B:[a-z][a-z:+.-]*:)?`[^`]+`_{0,2}",
    ),
    _kind(
        "link",
        r"!?\[[^\[\]]*\]\([^()\s]*(?:\([^()\s]*\))?(?:\s+\"[^\"]*\")?\)",
        r"!?\[[^\[\]]+\]\[[^\[\]]*\]",
    ),
    _kind("double brackets", r"\[\[[^\[\]]*\]\]"),
    _kind("note", r"\[\^[^\[\]\s]+\]:?", r"\[[#*\w-]+\]_", r"\[@[\w:-]+\]", r"\[\d+(?:[,–-]\s?\d+)*\]"),
    _kind("json", *notation.JSON),
    _kind("quoted signs", *notation.QUOTED),
    _kind("message", rf"\{{\s*[\w.-]+\s*,\s*(?:{_ICU_TYPES}){_DEEP}\}}"),
    _kind(
        "braces",
        r"\{\{\{[^{}]*\}\}\}",
        r"[$#@%]?\{\{[^{}]*\}\}",
        r"\{%[^{}]*%\}",
        r"\{#[^{}]*#\}",
        r"\{!![^{}]*!!\}",
        r"[$#@%]\{[^{}]*\}",
        r"\{\s*[^\s{}]*\s*\}",
        r"\{[^{}\pL]*\}",
        r"\{[^\s{}]+(?: [^\s{}]+){1,2}\}",
    ),
    _kind("windows variable", r"%[A-Za-z_]\w*%(?:\\[\w.-]*\w)+"),
    _tried(
        "printf",
        r"%\(\w+\)[-+#0 ]*\d*(?:\.\d+)?[a-zA-Z]",
        r"%<\w+>[-+#0]*\d*(?:\.\d+)?[a-zA-Z]",
        rf"(?:{_DAY_PART}[-:/.]){{1,9}}{_DAY_PART}",
        rf"%(?:\d+\$)?[-+#0']*{_PRINTF_SIZE}[sdiufFeEgGxXoOcCpaAn][a-zA-Z]{{0,2}}\b",
        r"%(?:\d+\$)?@",
        r"%L?\d{1,2}\b",
        r"%[A-Za-z_]\w*%",
        "%%",
    ),
    _kind(
        "message call",
        r"\$t\((?:[^()]|\([^()]*\))*\)",
        r"@(?:\.\w+)?:(?:[\w.]*\w|\{[^{}]*\}|\([^()]*\))",
    ),
    # Addresses and names of machines.
    _tried("url", rf"(?i:https?|ftps?|file|ssh|git|s3|wss?|jdbc:\w+)://{_ADDRESS}", rf"\bwww\.{_ADDRESS}"),
    _kind("e-mail address", r"(?:mailto:)?[\pL\pN_.+-]+@[\pL\pN_-]+(?:\.[\pL\pN_-]+)+", r"\btel:\+?\d[\d-]*\d"),
    _kind(
        "machine address",
        r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b",
        r"\b(?:[0-9a-f]{1,4}:){1,7}(?::[0-9a-f]{1,4}){1,6}\b",
        r"\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b",
    ),
    _kind("formula of latex", r"\$[^$\s\d][^$]*[\\^_{][^$]*\$"),
    _kind("latex", rf"\\(?:{_LATEX})\b\*?(?:\[[^\[\]]*\])?(?:\{{[^{{}}]*\}})*"),
    _tried("windows path", r"\b[A-Za-z]:\\(?:[\w.%~-][\w.%~ ()-]*\\)*[\w.%~-]*", r"\\\\\w[\w.$\\-]*"),
    _kind("escape", r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbfv0\"'\\])"),
    _tried(
        "path",
        r"\B(?:~|\.{1,2})?/[\w.-]*[\w-](?:/[\w.-]*[\w-])*/?",
        r"\b[\w.-]+(?:/[\w.-]+)*/[\w.-]*\w\.[a-z]\w{0,4}\b",
    ),
    # Kept three times of four, but a mask is shorter, so that engines are faster with it.
    _kind(
        "identifier",
        r"\b__\w+__(?:\(\))?",
        r"\b\w+(?:\.\w+)*\(\)",
        r"\b\w+(?:::\w+)+(?:\(\))?",
        r"\b\w*[A-Za-z]\w*_\w+",
        rf"\b[a-z_]\w+(?:\.[a-z_]\w+)+(?:/{_ADDRESS})?",
        r"\b[a-z]+(?:[A-Z][a-z0-9]+){2,}\b",
        r"\b(?:add|can|get|has|is|my|new|no|on|set|to|use)[A-Z][a-z]\w*",
    ),
    _tried("file name", rf"[\pL\pN_-]+(?:\.[\pL\pN_-]+)*\.(?i:{_EXTENSIONS})\b", r"(?:^|\s)\.[a-z][\w.-]*\w"),
    _tried("option", r"\B--[A-Za-z][\w-]*(?:=[\w./-]*\w)?", r"(?:^|\s)-[A-Za-z]\b"),
    _tried("variable", r"\B\*\d+\b", r"\$[A-Za-z_]\w*", r"\B:[A-Za-z_][\w+-]*\w(?::\B)?"),
    _kind(
        "handle",
        r"\B@[A-Za-z_][\w.]*\w",
        r"\B#[\pL\pN_]+",
        r"\B\|[\w-]+\|\B",
    ),
    # Figures whose form says what they are.
    _tried(
        "amount in dollars",
        rf"(?:\b[A-Z]{{1,3}})?\${_SPACE}?{_AMOUNT}(?:{_SPACE}?(?:[kKMB]|bn|mn|mio)\b)?",
        rf"\b(?:{_CURRENCIES}){_SPACE}{_AMOUNT}",
        rf"{_AMOUNT}{_SPACE}(?:{_CURRENCIES})\b",
    ),
    _kind("size", *notation.SIZES),
    # Of most models' signs only the dollar is safe to try.
    _kind(
        "amount",
        rf"[-−+]?(?:[A-Z]{{1,3}})?\p{{Sc}}{_SPACE}?{_AMOUNT}(?:{_SPACE}?(?:[kKMB]|bn|mn|mio)\b)?",
        rf"{_AMOUNT}{_SPACE}?[kKM]?\p{{Sc}}",
    ),
    _tried(
        "date",
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?Z|[+-]\d\d:?\d\d)?)?",
        r"\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b",
    ),
    _tried(
        "version", r"\b[vV]\d+(?:\.\d+)*(?:[-+][\w.+-]*\w)?", r"\b\d+(?:\.\d+){2,}(?:[-+][\w.+-]*\w|[a-z]\w*)?"
    ),
    _kind("range", notation.RANGE),
    _kind("share", r"\d[\d.,]*[\x{a0}\x{202f}]%"),
    _kind("paragraph", *notation.PARAGRAPHS),
    _tried("clock", r"\b\d{1,2}(?:[:.]\d\d)? ?(?:[AP]M\b|[ap]m\b|[ap]\.m\.)"),
    _tried("time zone", r"\b(?:UTC|GMT) ?[+−-]\d{1,2}(?::?\d\d)?\b"),
    _tried("telephone", r"\+\d[\d ()./-]{6,20}\d"),
    _tried("measure", rf"{_AMOUNT}{_SPACE}?(?:(?:{_UNITS})\b|[°º]{_SPACE}?[CFK]\b|[°º′″Ω]|[kcm]?m[²³])"),
    _kind("fraction", r"\d* ?[\x{bc}-\x{be}\x{2150}-\x{215e}]"),
    _kind("digest", r"\b(?:[0-9]+[a-f]|[a-f]+[0-9])[0-9a-f]{5,}\b"),
    _tried("image", r"\b[a-z][\w/.-]*:\d+(?:\.\d+)+[\w.-]*\b"),
    _kind(
        "schedule",
        *(rf"(?:{_CRON} ){{{at}}}\* \*(?: {_CRON}){{{3 - at}}}" for at in range(4)),
        rf"\*/\d+(?: {_CRON}){{4}}",
    ),
    _tried("hexadecimal", r"\b0x[0-9A-Fa-f]+\b", r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
    _kind("mathematics", *notation.MATHEMATICS),
    _kind("relation", r"\b[A-Za-z]\d?[²³]? ?[∈∉⊂⊆⊃≤≥≠≈≡∝] ?[-−]?[\pL\pN][\pN\w²³]*"),
    _tried(
        "formula",
        r"\bpH\b",
        r"\bpKa\b",
        r"\bC\+\+",
        r"\b[CF]#",
        r"\b[A-Z][a-z]?\d*[+⁺⁻](?:\B|$)",
        r"\b[A-Za-z]\w*\^\{?[-\w]+\}?",
        r"\b\d+(?:\.\d+)?[eE][+-]?\d+\b",
        rf"\b(?:[A-Za-z] [*=+^] {_TERM}|\d+ [*=+^] [A-Za-z])(?: [*=+^] {_TERM})*\b",
        r"\b\w+\*\*\w+\b",
        r"\b\d+(?:[*/^]\d+){2,}\b",
        r"\b\d+\*\d+\b",
    ),
    _tried(
        "code number",
        r"\b[A-Za-z]*[A-Z][A-Za-z]*\d[A-Za-z0-9]*(?:[+-]\B|[-/][A-Z0-9]+\b)*",
        r"\b[A-Z]{2,}-\d[\w-]*",
        r"\b\d+[B-OQ-Z]\w*",
    ),
    # Signs.
    _mark(
        "emoji",
        rf"(?:[0-9#*]\x{{fe0f}}?\x{{20e3}}|[\x{{1F1E6}}-\x{{1F1FF}}]{{2}}|[©®™]\x{{fe0f}}|"
        f"{_PICTOGRAPHS}{_PICTOGRAPH_PARTS}*)+",
    ),
    _mark("emoticon", r"\B[:;]['-]?[()DP3](?:\B|$)", r"<3\b"),
    _mark(
        "control character",
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{ad}\x{61c}\x{180e}\x{200b}-\x{200f}\x{202a}-\x{202e}"
        r"\x{2060}-\x{206f}\x{fe00}-\x{fe0f}\x{feff}\x{fff9}-\x{fffc}\x{E0000}-\x{E0FFF}]+",
    ),
    _kind("private character", r"[\x{e000}-\x{f8ff}\x{F0000}-\x{10FFFD}]+"),
    _kind(
        "emphasis",
        r"\*{2,3}[^\s*](?:[^*]*[^\s*])?\*{2,3}",
        r"\*\*[^\s*](?:[^*]|\*[^\s*][^*]*\*)*\*\*",
        r"~~[^\s~](?:[^~]*[^\s~])?~~",
        r"\B\*[^\s*](?:[^*]*[^\s*])?\*\B",
        r"\b_[^\s_](?:[^_]*[^\s_])?_\b",
    ),
    _mark("form", r"_{2,}(?: ?[/.:-] ?_{2,})+"),
    _mark("rule", r"[-*_=~]{3,}", r"\|+"),
    # A text that contains what looks like one of our masks: it must not be taken for one.
    _kind("mask", r"(?i:QZ\s?\d+)"),
)

# Figures that engines mostly keep. They are compared after translation, and hidden where one was changed.
FIGURES: tuple[Kind, ...] = (
    _kind("figure", r"[\pL\pN%°+−-]*\pN[\pL\pN%°+]*(?:[.,:/'\x{a0}\x{202f}–−-][\pL\pN%°+]+)*"),
)
