r"""The patterns of code that stands in prose without any mark around it: SQL, commands, logs, stack traces. Data.

Where such code ends, only its own grammar tells: `SELECT a FROM b ORDER BY c returns nothing` ends behind `c`.
So each pattern goes on for as long as what follows could stand nowhere else. RE2's syntax (`spans.py`).
"""

from inference_workers.fidelity.automata import word_but

_STRING = "'[^']*'"
_CALL = r"\w+\([^()]*\)"
_NAME = r"(?:[A-Za-z_][\w.$]*|\"[\w. ]+\"|`[\w. ]+`)"
# A word in capitals alone is as likely one of a button: DELETE FROM CART.
_TABLE = r"(?:[a-z_][\w.$]*|[A-Z][A-Z_]*[a-z\d.][\w.$]*|\"[\w. ]+\"|`[\w. ]+`)"
_VALUE = rf"(?:{_CALL}|{_STRING}|[-+]?\d+(?:\.\d+)?|[:$@?%]\w*|{_NAME})"
_ITEM = rf"(?:DISTINCT )?(?:\*|{_VALUE}(?:\.\*)?)(?: (?:AS|as) {_NAME})?"
_ITEMS = rf"{_ITEM}(?:, ?{_ITEM})*"
_COMPARED = (
    rf"(?:NOT )?{_VALUE}(?: IS (?:NOT )?NULL| BETWEEN {_VALUE} AND {_VALUE}| (?:NOT )?IN \([^()]*\)"
    rf"| ?(?:<>|[<>!]?=|<|>| (?:NOT )?I?LIKE ) ?{_VALUE}(?: ?[-+*/] ?{_VALUE})?)"
)
_CONDITION = rf"\(?{_COMPARED}\)?(?: (?:AND|OR) \(?{_COMPARED}\)?)*"
_ORDER = rf"{_VALUE}(?: (?:ASC|DESC))?"
_CLAUSE = (
    rf" (?:WHERE {_CONDITION}|(?:(?:LEFT|RIGHT|FULL|INNER|OUTER|CROSS) )*JOIN {_TABLE}(?: (?:AS )?[a-z]\b)?"
    rf"(?: ON {_CONDITION}| USING ?\([^()]*\))?|GROUP BY {_VALUE}(?:, ?{_VALUE})*|HAVING {_CONDITION}"
    rf"|ORDER BY {_ORDER}(?:, ?{_ORDER})*|LIMIT \d+(?:, ?\d+)?|OFFSET \d+|FOR UPDATE|UNION(?: ALL)?"
    rf"|RETURNING {_ITEMS})"
)
_TAIL = rf"(?:{_CLAUSE})*;?"
_SMALL_CONDITION = rf"{_VALUE} ?(?:<>|[<>!]?=|<|>| like ) ?{_VALUE}"
_SMALL_TAIL = (
    rf"(?: where {_SMALL_CONDITION}(?: (?:and|or) {_SMALL_CONDITION})*| order by {_VALUE}(?: (?:asc|desc)\b)?"
    rf"| group by {_VALUE}| limit \d+)*;?"
)

SQL: tuple[str, ...] = (
    rf"\bSELECT {_ITEMS} FROM {_TABLE}(?: (?:AS )?[a-z]\b)?{_TAIL}",
    rf"\bINSERT INTO {_TABLE}(?: ?\([^()]*\))?(?: VALUES ?\([^()]*\)(?:, ?\([^()]*\))*)?;?",
    rf"\bUPDATE {_TABLE} SET {_NAME} ?= ?{_VALUE}(?: ?[-+*/] ?{_VALUE})?"
    rf"(?:, ?{_NAME} ?= ?{_VALUE}(?: ?[-+*/] ?{_VALUE})?)*{_TAIL}",
    rf"\bDELETE FROM {_TABLE}{_TAIL}",
    rf"\b(?:CREATE(?: OR REPLACE)?|DROP|ALTER|TRUNCATE)(?: (?:UNIQUE|TEMPORARY|MATERIALIZED))? "
    rf"(?:TABLE|INDEX|VIEW|DATABASE|SCHEMA|USER|ROLE|SEQUENCE)(?: IF (?:NOT )?EXISTS)? {_TABLE}"
    rf"(?: ON {_TABLE} ?\([^()]*\)| (?:ADD|DROP) COLUMN {_NAME}(?: [A-Z]+(?:\(\d+\))?)?| CASCADE)*"
    r"(?: ?\([^()]*(?:\([^()]*\)[^()]*)*\))?;?",
    rf"\b(?:GRANT|REVOKE) [A-Z]+(?:, ?[A-Z]+)* ON {_TABLE} (?:TO|FROM) {_NAME};?",
    rf"\b(?:INNER |LEFT |RIGHT |FULL |OUTER |CROSS )+JOIN\b(?: {_TABLE} ON {_CONDITION})?",
    rf"\b(?:WHERE|HAVING) {_CONDITION}",
    r"\b(?:GROUP|ORDER) BY\b",
    rf"\bselect (?:\*|count\([^()]*\)) from {_NAME}{_SMALL_TAIL}",
    rf"\bdelete from {_NAME} where {_SMALL_CONDITION}(?: (?:and|or) {_SMALL_CONDITION})*;?",
)

# What no word of prose looks like: an option, a quoted string, a variable, or a sign of code within a word.
_OPTION = r"(?:--?[A-Za-z][\w-]*(?:=(?:\"[^\"]*\"|'[^']*'|[^\s\"',;]*[\w/*]))?|[-+]\d+\b|--)"
_CODED = (
    r"\"[^\"]*\"|'[^']*'|[\w@.~/$-]*[\d/_=:~$@*][\w@.,~/=:+$*?&%#-]*[\w/*~]|~|\*|/|\.{1,2}/?|[\w-]+\.[a-z]\w*|"
    r"(?:DELETE|GET|HEAD|PATCH|POST|PUT|ba?sh|sh)\b"
)
# Prose around a command: `npm install fails` ends behind `install`. Each word costs states of the automaton.
_PROSE = (
    "again", "all", "and", "any", "are", "as", "at", "because", "before", "but", "by", "can", "command",
    "commands", "do", "does", "each", "error", "errors", "every", "fails", "failed", "first", "for", "from",
    "gives", "hangs", "has", "if", "in", "instead", "into", "is", "issues", "it", "lists", "may", "must",
    "not", "nothing", "of", "on", "once", "only", "or", "prints", "problems", "returns", "says", "script",
    "scripts", "should", "shows", "so", "starts", "takes", "tells", "that", "the", "then", "there", "this",
    "throws", "to", "until", "via", "was", "we", "when", "where", "which", "while", "will", "with", "without",
    "works", "you",
)  # fmt: skip
_OPERAND = word_but(_PROSE)
_TOOLS = (
    "awk|bash|cd|chmod|chown|cp|curl|df|dir|du|grep|ifconfig|java|ls|mkdir|mv|mysql|nano|netstat|node|openssl|psql|"
    "python3?|rm|rsync|ruby|scp|sed|sh|ssh|unzip|vim|wget|xargs"
)
# Words of English, too: only an option or a path behind them makes commands of them.
_VERBS = "cat|echo|export|find|go|head|kill|less|make|man|ping|service|sort|tail|tar|touch|zip"
_MANAGERS = (
    "apk|apt|apt-get|brew|cargo|choco|composer|conda|dnf|docker|docker-compose|dotnet|gcloud|gem|gh|git|gradle|helm|"
    "kubectl|mvn|npm|npx|pip3?|pipx|pnpm|poetry|systemctl|terraform|uv|winget|yarn|yum"
)
_DEED = (
    "(?:apply|branch|build|checkout|cherry-pick|ci|clone|commit|compose|config|create|delete|deploy|describe|diff|"
    "down|exec|fetch|get|init|inspect|kill|list|log|login|logs|merge|ps|publish|pull|push|rebase|reset|revert|run|"
    r"show|stash|switch|sync|tag|test|up|update|upgrade|origin|upstream|main|master|HEAD|pods)\b"
)
# Behind these stands a name.
_DEED_TO = r"(?:add|disable|enable|install|remove|restart|start|status|stop|uninstall)\b"
_BEGUN = (
    rf"(?:sudo )?(?:(?:{_MANAGERS})(?: {_OPTION})* (?:{_DEED}|{_DEED_TO}|{_CODED}|{_OPTION})"
    rf"|(?:{_TOOLS}) (?:{_OPTION}|{_CODED})"
    rf"|(?:{_VERBS})(?: \.{{1,2}}/?)? (?:{_OPTION}|(?:~|\.{{1,2}})?/[\w./-]*\w)"
    r"|make (?:check|distclean|install|lint|uninstall)\b)"
)
_NAMED = rf"(?:{_MANAGERS}) {_DEED_TO}|(?:{_TOOLS}|{_MANAGERS}|{_VERBS}) {_OPTION}"
_PIECE = (
    rf"(?:{_OPTION}|{_DEED_TO})(?: (?:{_CODED}|{_OPERAND}))?|{_DEED}|{_CODED}"
    rf"|(?:&&|\|\|?) (?:{_BEGUN}|{_CODED})"
)

COMMANDS: tuple[str, ...] = (
    rf"\b(?:sudo )?(?:(?:{_NAMED}) (?:{_CODED}|{_OPERAND})|{_BEGUN})(?: (?:{_PIECE}))*",
    r"\b(?:Get|Set|New|Remove)-[A-Z]\w+(?: -[A-Z]\w+)*",
    # With the sign behind it: "make test calls" is prose. A comma is one that engines move.
    r"\bmake (?:build|clean|dist|html|test)(?:[.;:)]|$)",
    # Between two commands that are none of those above.
    r"&&|\|\|",
)

CALLS: tuple[str, ...] = (
    r"\b[A-Z][A-Z_]+\([^()]*\)",
    r"\b\w*[a-z][A-Z_.]\w*\([^()]*\)",
    r"\b[a-z]\w*\((?:\"[^\"]*\"|'[^']*'|\d+)(?:, ?[^(),]+)*\)",
)

_LEVEL = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE"
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLOCK = r"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?Z|[+-]\d\d:?\d\d)?"
_SOURCE = r"\[[^\[\]]*\]|[\w.$/#-]+(?:\[\d+\])?:"

# When, how bad, and who says so: the sentence of a log begins behind it.
LOG_PREFIX = (
    rf"\A\[?(?:\d{{4}}[-/]\d\d[-/]\d\d[T ]|(?:{_MONTH}) +\d\d? )?{_CLOCK}\]?"
    rf"(?: \[(?i:{_LEVEL})\]:?| (?:{_LEVEL}):?| \((?:{_LEVEL})\))(?:(?: -)? (?:{_SOURCE}))*(?: -)?[ \t]+"
)

FRAMES: tuple[str, ...] = (
    # What a machine said, word for word: nobody finds a translated one again.
    r"\"(?:\w+\.)*\w*(?:Error|Exception): [^\"]+\"",
    r"\bTraceback \(most recent call last\):",
    r"\bFile \"[^\"]*\", line \d+(?:, in [\w<>.]+)?",
    r"\bat [\w$.<>]+\([\w$]+\.[a-z]+:\d+(?::\d+)?\)",
    r"\bat [\w$.<>]+ \([^\s()]+:\d+:\d+\)",
)
