"""The modules of the page that only compute, in the browser that runs them."""

import json

import pytest

NAMES = (
    "alignedRows", "marksInUnits", "markedPieces", "eventsOf", "directionOf",
    "waitOf", "warningSentence", "pairOf", "daysOf", "monthsBefore", "rangeOf", "entriesOf",
)  # fmt: skip


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


@pytest.mark.parametrize(
    ("job", "progress", "expected"),
    [
        (
            {"queue_position": 4, "estimated_completion_seconds": 95},
            62,
            "62 % · 4 batches in the queue · about 2 min left",
        ),
        ({"queue_position": 1}, 0, "1 batch in the queue"),
        ({}, 0, "Waiting for its turn"),
    ],
)
def test_a_wait_tells_share_place_and_time(call, job, progress, expected):
    said = call("jobs/outcomes", f"waitOf({json.dumps(job)}, {progress})")
    assert said.replace("\u00a0", " ") == expected


@pytest.mark.parametrize(
    ("warning", "expected"),
    [
        ({"cause": "figures_differ", "count": 2, "place": ""}, "2 sentences with numbers that differ."),
        ({"cause": "page_without_text", "count": 3, "place": "page 7"}, "(3.) First: page 7."),
        ({"cause": "something_new", "count": 1, "place": ""}, "something new."),
    ],
)
def test_a_warning_is_told_in_words_and_an_unknown_one_by_its_name(call, warning, expected):
    assert call("causes", f"warningSentence({json.dumps(warning)})").endswith(expected)


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("en-pt", ["en", "pt"]),
        ("en-pt-BR", ["en", "pt-BR"]),
        ("zh-Hans-en", ["zh-Hans", "en"]),
        ("es-419-zh-Hant", ["es-419", "zh-Hant"]),
        ("en", ["en"]),
    ],
)
def test_a_pair_is_parted_where_its_target_begins(call, name, pair):
    assert call("usage/pairs", f"pairOf({json.dumps(name)})") == pair


def test_months_are_those_of_utc_and_end_today(call):
    now = "new Date('2024-03-01T00:30:00Z')"
    assert call("usage/months", f"monthsBefore({now}, 3)") == ["2024-03", "2024-02", "2024-01"]
    assert call("usage/months", "daysOf('2024-02')")[-1] == "2024-02-29"
    assert call("usage/months", f"rangeOf('2024-02', {now})") == {"since": "2024-02-01", "until": "2024-02-29"}
    assert call("usage/months", f"rangeOf('2024-03', {now})") == {"since": "2024-03-01", "until": "2024-03-01"}


def test_terms_are_read_from_lines_however_they_are_parted(call):
    lines = "release = liberação\r\n\na=b\nBlue Bird\tPássaro Azul\nqueue; fila\n50 % → 50 %"
    assert call("glossaries/lines", f"entriesOf({json.dumps(lines)})") == {
        "release": "liberação",
        "a": "b",
        "Blue Bird": "Pássaro Azul",
        "queue": "fila",
        "50 %": "50 %",
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a = b\nc", "Line 2 has no translation"),
        ("a = b\na = c", "Line 2: a has a translation already"),
        (" ", "no terms"),
    ],
)
def test_a_line_that_is_no_term_is_named(call, lines, message):
    tried = f"try {{ return entriesOf({json.dumps(lines)}); }} catch (error) {{ return error.message; }}"
    assert message in call("glossaries/lines", f"(() => {{ {tried} }})()")
