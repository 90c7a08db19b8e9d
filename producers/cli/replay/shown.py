"""The report as text. Pure."""

from typing import Any

from producers.cli.table import lines_of

_FIGURES = {
    "requests": "requests replayed",
    "segments": "segments",
    "words": "words",
    "words_per_second": "words/s",
    "equal": "equal",
    "different": "different",
    "only_past_failed": "only the past one failed",
    "only_replay_failed": "only the replay failed",
    "both_failed": "both failed",
    "mean_similarity": "mean similarity (difflib, words)",
}


def lines_of_report(report: dict[str, Any]) -> str:
    """Figures, what was skipped and why, and the most different ones."""
    figures = [(name, "-" if report[key] is None else str(report[key])) for key, name in _FIGURES.items()]
    skipped = [(f"skipped: {reason}", str(count)) for reason, count in report["skipped"].items()]
    blocks = [lines_of((), [*figures, *skipped])]
    if report["most_different"]:
        rows = [(one["request_id"], f"{one['similarity']:.4f}") for one in report["most_different"]]
        blocks.append(lines_of(("most different", "similarity"), rows))
    blocks += [
        f"{one['request_id']}\n  past:     {one['past']}\n  replayed: {one['replayed']}"
        for one in report["most_different"]
        if "past" in one
    ]
    return "\n\n".join(blocks)
