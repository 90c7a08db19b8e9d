"""Find lines of code that no fence marks: SQL over several lines, and the frames of stack traces. Pure."""

import re
from collections.abc import Sequence

from stream_apps.pipeline.text_lines import Line

_STATEMENT = re.compile(r"(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|DROP|MERGE INTO|WITH) ")
_CLAUSE = re.compile(
    r"(?:FROM|WHERE|SET|VALUES|ON|AND|OR|USING|HAVING|LIMIT|OFFSET|UNION|RETURNING|(?:GROUP|ORDER) BY|"
    r"(?:(?:LEFT|RIGHT|FULL|INNER|OUTER|CROSS) )*JOIN|SELECT|ADD|DROP)\b|[()]"
)
_PROSE_END = re.compile(r"[.!?:]\Z")
_TRACE = re.compile(r"Traceback \(most recent call last\):")
_FRAME = re.compile(r"at [\w$.<>/]+ ?\([^()]*\)\Z|\.\.\. \d+ (?:more|common frames)")


def bare_code(lines: Sequence[Line]) -> dict[int, int]:
    """Return the index of each line of such code, with that of the first of its block."""
    found: dict[int, int] = {}
    for at, line in enumerate(lines):
        if at in found or not line.content:
            continue
        end = _end_of_block(lines, at)
        found |= dict.fromkeys(range(at, end), at)
    return found


def _end_of_block(lines: Sequence[Line], at: int) -> int:
    """Return the index behind the block that begins here, or `at` if none does."""
    content = lines[at].content
    if _STATEMENT.match(content):
        return _end_of_statement(lines, at)
    if _TRACE.match(content):
        return _end_of_indented(lines, at)
    return at + 1 if _FRAME.match(content) else at


def _end_of_statement(lines: Sequence[Line], at: int) -> int:
    end = at + 1
    while end < len(lines) and not lines[end - 1].content.endswith(";") and _goes_on(lines, at, end):
        end += 1
    # A lone line may be prose with a statement in it.
    return end if end > at + 1 else at


def _goes_on(lines: Sequence[Line], first: int, at: int) -> bool:
    line, before = lines[at], lines[at - 1]
    if not line.content or _PROSE_END.search(line.content):
        return False
    is_deeper = line.indent > lines[first].indent
    return is_deeper or before.content[-1] in ",(" or _CLAUSE.match(line.content) is not None


def _end_of_indented(lines: Sequence[Line], at: int) -> int:
    end = at + 1
    while end < len(lines) and lines[end].content and lines[end].indent > lines[at].indent:
        end += 1
    return end
