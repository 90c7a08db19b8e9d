r"""The patterns of what is written for machines, or for people with a notation of their own. Data.

Data files, types, macros of games, titles of commits; mathematics, tolerances, paragraphs of laws. RE2's syntax
(`spans.py`).
"""

AMOUNT = r"\d(?:[\d.,'\x{a0}\x{202f}]*\d)?"

# JSON without a word of prose in it, and the keys of the rest.
_SCALAR = r"(?:-?\d[\d.eE+-]*|true|false|null|\"[^\"\s]*\")"
_PAIR = rf"\"[^\"\s{{}}]+\" ?: ?(?:{_SCALAR}|\[(?:{_SCALAR}(?:, ?{_SCALAR})*)?\])"
_PAIRS = rf"\{{ ?{_PAIR}(?:, ?{_PAIR})* ?\}}"
JSON: tuple[str, ...] = (
    _PAIRS,
    rf"\{{ ?\"[^\"\s{{}}]+\" ?: ?{_PAIRS} ?\}}",
    r"\{ ?\"[\w$.-]+\" ?: ?",
    r", ?\"[a-z_][\w$-]*\": ",
)
# A line of JSON, YAML or properties: a key, and words in quotes, which are translated.
KEY = r"(?:\"[\w$.-]+\"|[a-z_][\w.-]*) ?[:=] ?"
ENTRY = rf"\A{KEY}(?:\"[^\"]+\"|'[^']+'|true|false|null|-?\d[\d.]*),?\z"

_NAMED_TYPES = (
    r"(?:int|long|float|double|bool|boolean|char|byte|str|string|void|any|number|object|dict|list|tuple|"
    r"u?int\d+(?:_t)?)"
)
_TYPE = rf"(?:{_NAMED_TYPES}|[TKVER]|(?:\w+::)*[A-Z]\w*[a-z]\w*|\w+::\w+)"
_TYPES = rf"{_TYPE}[\[\]?&*]*(?:, ?{_TYPE}[\[\]?&*]*)*"
_GENERIC = rf"{_TYPE}<{_TYPES}>"
_ARGUMENT = rf"(?:{_GENERIC}|{_TYPE})[\[\]?&*]*"
GENERIC_TYPE = rf"\b{_TYPE}<{_ARGUMENT}(?:, ?{_ARGUMENT})*>\B"

# Twine, Yarn and their like. <<Bonjour>> is a quotation.
_MACROS = (
    "actions|append|back|break|button|call|capture|case|choice|command|continue|declare|default|detour|display|else|"
    "elseif|endif|endfor|for|goto|if|include|jump|link|nobr|once|print|prepend|repeat|replace|return|run|script|set|"
    "silently|stop|switch|timed|type|unset|wait|widget"
)
_INSIDE = r"(?:[^<>]|[<>]=? |[<>]=)*"
MACROS: tuple[str, ...] = (rf"<</?(?:{_MACROS})(?:\s{_INSIDE})?>>", rf"<<[$_=-]{_INSIDE}>>")

# Conventional Commits.
COMMIT = r"\A(?:build|chore|ci|docs|feat|fix|perf|refactor|revert|style|test)(?:\([^()]*\))?!?:[ \t]+"

# What is quoted is no word, or is quoted twice: where documentation shows what is typed.
QUOTED: tuple[str, ...] = (
    r"[“‘]\"[^\"“”]{1,80}\"[”’]",
    r"\B\"[^\"\pL\pN\s,;]+\"\B",
    r"\B\"\"[^\"\s]+\"\"\B",
)

PARAGRAPHS: tuple[str, ...] = (
    r"§{1,2}[ \x{a0}]?\d[\w.-]*(?:\(\w{1,4}\))*",
    r"\b\d+[a-z]?(?:\((?:\d{1,3}|[a-z]|[ivx]{1,5})\))*\([a-z]\)",
    r"\b\d+[a-z]?(?:\((?:\d{1,3}|[a-z]|[ivx]{1,5})\)){2,}",
)

_OPERAND = r"(?:[A-Za-z]|\d+(?:[.,]\d+)?)"
_ABSOLUTE = r"\|[A-Za-z\d]{1,2}(?:[·*+/−-][A-Za-z\d]{1,2})*\|"
_SET = r"[A-Zℂℕℚℝℤ][²³ⁿ\d]?"
MATHEMATICS: tuple[str, ...] = (
    rf"(?:\b[A-Za-z]: )?\b{_SET} ?[→⇒⇔↔↦] ?{_SET}",
    r"‖[^‖]{1,20}‖",
    rf"\b(?:{_OPERAND} ?[+*·×] ?)+(?:…|\.\.\.) ?[+*·×] ?{_OPERAND}\b",
    rf"(?:{_ABSOLUTE}[·*+−]?)+(?: ?[≤≥<>=≠] ?(?:{_ABSOLUTE}[·*+−]?)+)?",
)

# Sizes and tolerances: half of one in another locale would be no better.
SIZES: tuple[str, ...] = (
    rf"(?:[Ø⌀] ?)?{AMOUNT} ?± ?{AMOUNT}",
    rf"[Ø⌀] ?{AMOUNT}",
    rf"\b[A-Z]?{AMOUNT}(?: ?× ?{AMOUNT})+",
)
RANGE = r"\b\d+(?:[.,]\d+)?[–—−]\d+(?:[.,]\d+)?(?:[A-Za-zµ]{1,3}\b|%|\b)"
