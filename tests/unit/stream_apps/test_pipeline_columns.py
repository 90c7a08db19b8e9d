"""Columns, and code that no fence marks."""

import pytest

from stream_apps.pipeline.columns import column_ends
from stream_apps.pipeline.segmentation import Segmenter


def pieces(text: str) -> tuple[str, ...]:
    split = Segmenter().split(text, "en")
    assert split.joined() == text
    return split.texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Name\tHow many\nApples\t3\tred\n", ("Name", "How many", "Apples", "red")),
        ("Item      Price\nBread     3.40\n", ("Item", "Price", "Bread")),
        ("-v, --verbose  print more\n", ("-v, --verbose", "print more")),
        ("A plain  sentence of two.\n", ("A plain  sentence of two.",)),
        ("    An indented line.  \n", ("An indented line.",)),
    ],
)
def test_the_cells_of_a_row_are_segments_of_their_own(text, expected):
    assert pieces(text) == expected


def test_a_text_without_gaps_has_no_columns():
    assert list(column_ends("- one two - three")) == []


STATEMENT = "SELECT p.name\n  FROM product p\n LEFT JOIN brand b ON b.id = p.id\n WHERE p.deleted IS NULL;\n"
TRACE = 'Traceback (most recent call last):\n  File "main.py", line 7, in <module>\n    run()\n'
FRAMES = "\tat com.shop.Cart.open(Cart.java:31)\n\tat com.shop.Main.main(Main.java:8)\n\t... 3 more\n"


@pytest.mark.parametrize("code", [STATEMENT, TRACE, FRAMES])
def test_lines_of_sql_and_stack_traces_pass_through(code):
    split = Segmenter().split(f"See this:\n{code}It is wrong.\n", "en")
    assert split.texts == ("See this:", "It is wrong.")
    assert {mark.cause for mark in split.marks} == {"code_block"}


@pytest.mark.parametrize(
    "text", ["SELECT one\nfrom the list.\n", "UPDATE your app\nAND restart it.\n", "CREATE an account\n\nNow.\n"]
)
def test_prose_that_begins_like_a_statement_is_prose(text):
    assert len(pieces(text)) == 2


def test_a_header_of_an_e_mail_begins_its_own_line():
    text = "From: Anna Weber <anna.weber@example.de>\nTo: team@example.org\nSubject: Budget\n"
    assert pieces(text) == ("From: Anna Weber <anna.weber@example.de>", "To: team@example.org", "Subject: Budget")


def test_the_dot_that_names_a_folder_ends_no_sentence():
    assert len(pieces("The job runs find . -name '*.tmp' every night.")) == 1
