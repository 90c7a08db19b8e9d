"""Bilingual files for people: a table in HTML, and CSV (RFC 4180). Inline codes are left out."""

import csv
import io
from collections.abc import Iterator
from html import escape

from connectors.formats.bilingual.pairs import Bilingual, plain

_STYLE = (
    "body{font-family:sans-serif}table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;"
    "padding:.3em;text-align:start;vertical-align:top;white-space:pre-wrap}td:first-child{color:#555}"
    "tr.hole td{background:#fed}"
)


def html(document: Bilingual) -> Iterator[str]:
    """Write a page with a table: place, source, translation. What lacks a translation is marked."""
    source, target = (escape(tag) for tag in (document.source_language, document.target_language))
    name = escape(document.file_name)
    yield (
        f'<!DOCTYPE html>\n<html lang="{target}"><head><meta charset="utf-8"><title>{name}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{name}</h1>\n"
        f"<table><thead><tr><th></th><th>{source}</th><th>{target}</th></tr></thead><tbody>\n"
    )
    for pair in document.pairs:
        place, first, second = (escape(text) for text in (pair.place, plain(pair.source), plain(pair.target)))
        row = "<tr>" if pair.is_whole else '<tr class="hole">'
        cells = "".join(
            f'<td lang="{tag}" dir="auto">{text}</td>' for tag, text in ((source, first), (target, second))
        )
        yield f"{row}<td>{place}</td>{cells}</tr>\n"
    yield "</tbody></table></body></html>\n"


def comma_separated(document: Bilingual) -> Iterator[str]:
    """Write CSV with a header: place, source, translation."""
    yield _row("place", document.source_language, document.target_language)
    for pair in document.pairs:
        yield _row(pair.place, plain(pair.source), plain(pair.target))


def _row(*cells: str) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()
