"""The modules of the page that only compute, in the browser that runs them."""

import json

import pytest

NAMES = ("alignedRows", "marksInUnits", "markedPieces", "eventsOf", "directionOf")


@pytest.fixture
def call(person):
    """`call(module, expression)` returns the value of an expression over the exports of a module."""
    person.opens()

    def value(module: str, expression: str):
        name = next(word for word in NAMES if word in expression)
        return person.page.evaluate(f"import('/assets/{module}.js').then(({{ {name} }}) => {expression})")

    return value


def rows(call, source, target, is_whole=True):
    found = call(
        "jobs/alignment", f"alignedRows({json.dumps(source)}, {json.dumps(target)}, {json.dumps(is_whole)})"
    )
    assert all(target[row["start"] :].startswith(row["target"] or "") for row in found)
    return [(row["source"], row["target"]) for row in found]


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("a", "x", [("a", "x")]),
        ("a\n\nb", "x\n\ny", [("a", "x"), ("b", "y")]),
        ("a\nb\n\nc", "x\ny\n\nz", [("a", "x"), ("b", "y"), ("c", "z")]),
        # A wrapped paragraph: its lines are not those of the translation.
        ("a\nb\n\nc", "x y\n\nz", [("a\nb", "x y"), ("c", "z")]),
        ("a\n \n\nb\n", "x\n \n\ny\n", [("a", "x"), ("b", "y"), ("", "")]),
        # What cannot be told apart stays in one row.
        ("a\n\nb", "x", [("a\n\nb", "x")]),
        ("", "", [("", "")]),
    ],
)
def test_paragraphs_of_source_and_translation_stand_side_by_side(call, source, target, expected):
    assert rows(call, source, target) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", [("a", ""), ("b", None), ("c", None)]),
        ("x", [("a", "x"), ("b", None), ("c", None)]),
        ("x\n\ny", [("a", "x"), ("b", "y"), ("c", None)]),
        ("x\n\ny\n\n", [("a", "x"), ("b", "y"), ("c", "")]),
    ],
)
def test_what_has_not_come_yet_is_awaited(call, target, expected):
    assert rows(call, "a\n\nb\n\nc", target, is_whole=False) == expected


def test_holes_are_counted_in_code_points_and_marked_in_utf_16(call):
    text = "🌍🌍 ab 🌍 cd"
    holes = [
        {"segment": 1, "start": 3, "length": 2},
        {"segment": 0, "start": 6, "length": 1},
        {"segment": 2, "start": -1, "length": -1},
    ]
    found = call("jobs/alignment", f"marksInUnits({json.dumps(text)}, {json.dumps(holes)})")
    units = text.encode("utf-16-le")
    assert [units[2 * one["start"] : 2 * one["end"]].decode("utf-16-le") for one in found] == ["ab", "🌍"]


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("abcdef", 0, [("ab", False), ("cd", True), ("ef", False)]),
        ("cd", 2, [("cd", True)]),
        ("def", 3, [("d", True), ("ef", False)]),
        ("xyz", 10, [("xyz", False)]),
        ("", 0, [("", False)]),
    ],
)
def test_a_row_is_cut_at_the_holes_that_lie_in_it(call, text, start, expected):
    found = call("jobs/alignment", f"markedPieces({json.dumps(text)}, {start}, [{{ start: 2, end: 4 }}])")
    assert [(one["text"], one["mark"] is not None) for one in found] == expected


STREAM = (
    'retry: 1000\n\n: keep-alive\n\nevent: batch\nid: 1.0\ndata: {"text": "a"}\n\n'
    "id: 1.1\ndata: b\ndata: c\n\ndata: cut"
)
EVENTS = [
    {"name": "batch", "id": "1.0", "data": '{"text": "a"}'},
    {"name": "message", "id": "1.1", "data": "b\nc"},
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_events_are_read_however_the_stream_is_cut(call, end):
    whole = STREAM.replace("\n", end)
    cuts = [[whole[:at], whole[at:]] for at in range(len(whole))] + [list(whole)]
    found = call(
        "jobs/event_stream", f"Promise.all({json.dumps(cuts)}.map((chunks) => Array.fromAsync(eventsOf(chunks))))"
    )
    assert len(found) == len(cuts)
    assert all(events == EVENTS for events in found)


@pytest.mark.parametrize(
    ("tag", "direction"),
    [("ar", "rtl"), ("he-IL", "rtl"), ("pt", "ltr"), ("az-Arab", "rtl"), ("ur-Latn", "ltr"), ("auto", "auto")],
)
def test_the_direction_follows_the_script(call, tag, direction):
    assert call("wording", f"directionOf({json.dumps(tag)})") == direction
