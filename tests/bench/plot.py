"""Draw figures against their goals as an SVG of horizontal bars. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _LABEL, _ROW, _BAR, _TOP = 900, 360, 26, 16, 34
# The goal stands here; twice the goal and more reaches the end.
_GOAL_WIDTH = 180
_MOST = 2.0
_REACHED, _MISSED = "#2a9d6f", "#d1495b"


@dataclass(frozen=True)
class Bar:
    """One figure; `reach` is its share of the goal, 1 and more when the goal is reached."""

    name: str
    value: str
    goal: str
    reach: float


def plot(bars: Sequence[Bar]) -> str:
    """Return the SVG, a row for each bar and a line at the goal."""
    height = _TOP + _ROW * len(bars) + 8
    goal = _LABEL + _GOAL_WIDTH
    rows = "\n".join(_row(bar, _TOP + _ROW * number) for number, bar in enumerate(bars))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>\n'
        f"{rows}\n"
        f'<line x1="{goal}" y1="{_TOP - 8}" x2="{goal}" y2="{height}" stroke="#444" stroke-dasharray="4 3"/>\n'
        f'<text x="{goal}" y="{_TOP - 14}" text-anchor="middle" fill="#444">goal</text>\n'
        "</svg>\n"
    )


def _row(bar: Bar, top: int) -> str:
    width = round(min(max(bar.reach, 0.0), _MOST) * _GOAL_WIDTH, 1)
    colour = _REACHED if bar.reach >= 1 else _MISSED
    middle = top + _BAR - 4
    text = f"{bar.value} ({bar.goal})"
    return (
        f'<text x="{_LABEL - 8}" y="{middle}" text-anchor="end">{escape(bar.name)}</text>\n'
        f'<rect x="{_LABEL}" y="{top}" width="{width}" height="{_BAR}" fill="{colour}"/>\n'
        f'<text x="{_LABEL + _MOST * _GOAL_WIDTH + 8:.0f}" y="{middle}">{escape(text)}</text>'
    )
