"""The modules of the dashboard that only compute, in the browser that runs them."""

import json

import pytest


@pytest.fixture
def call(page):
    """`call(module, name, *arguments)` returns what an export of a module returns."""
    page.goto("/dashboard/overview")

    def value(module: str, name: str, *arguments):
        given = ", ".join(map(json.dumps, arguments))
        return page.evaluate(f"import('/dashboard/assets/{module}.js').then((all) => all.{name}({given}))")

    return value


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("words", 0, "0"),
        ("words", 99_999, "99,999"),
        ("words", 123_456, "123K"),
        ("count", 12_345_678, "12.3M"),
        ("seconds", 0.0042, "4.2 ms"),
        ("seconds", 0.42, "420 ms"),
        ("seconds", 4.24, "4.2 s"),
        ("seconds", 89, "89 s"),
        ("seconds", 150, "2.5 min"),
        ("seconds", 7200, "2 h"),
        ("usd", 0, "$0"),
        ("usd", 0.00123, "$0.0012"),
        ("usd", 12.3, "$12.30"),
        ("usd", -12.3, "\N{MINUS SIGN}$12.30"),
        ("usd", 12_345.6, "$12,346"),
        ("share", 1, "100 %"),
        ("share", 0.99912, "99.91 %"),
        ("share", 0.5, "50 %"),
        ("words_per_second", 858.4, "858/s"),
        ("machines", 3.25, "3.3"),
        ("text", "a", "a"),
        ("usd", None, "–"),
    ],
)
def test_every_number_has_its_unit(call, unit, value, text):
    assert call("units", "written", unit, value) == text


def test_a_change_is_good_bad_or_neither(call):
    assert call("units", "change", 110, 100, 1) == {"text": "+10 %", "mood": "good"}
    assert call("units", "change", 110, 100, -1) == {"text": "+10 %", "mood": "bad"}
    assert call("units", "change", 97, 100, 0) == {"text": "−3 %", "mood": ""}
    assert call("units", "change", 2000, 100, 1) == {"text": "×20", "mood": "good"}
    assert call("units", "change", -10, -20, 1) == {"text": "+50 %", "mood": "good"}
    assert call("units", "change", 5, 0, 1) is None


def test_rows_become_columns_with_a_place_for_every_step(call):
    answer = {
        "from": 0, "to": 30, "step": 10,
        "rows": [
            [10, "standard", 5], [10, "critical", 1], [20, "standard", 6], [99, "standard", 7], [0, "x", None],
        ],
    }  # fmt: skip
    found = call("series", "columnsOf", answer, True)
    assert found["times"] == [0, 10, 20]
    assert [(one["name"], one["values"]) for one in found["series"]] == [
        ("critical", [0, 1, 0]), ("standard", [0, 5, 6]), ("x", [0, 0, 0]),
    ]  # fmt: skip
    assert call("series", "columnsOf", answer, False)["series"][1]["values"] == [None, 5, 6]
    assert call("series", "stacked", found["series"]) == [[0, 1, 0], [0, 6, 6], [0, 6, 6]]


def test_an_address_and_a_state_say_the_same(call):
    state = call("view_state", "readState", {"pathname": "/dashboard/cost", "search": "?tenant=a%26b&x=1"})
    assert (state["page"], state["tenant"], state["from"], state["to"]) == ("cost", "a&b", "now-24h", "now")
    assert call("view_state", "addressOf", state) == "cost?tenant=a%26b"


def test_zooming_out_never_leaves_the_past(call):
    state = {"from": "now-1h", "to": "now"}
    assert call("view_state", "zoomedOut", state, 100_000, 10_000_000) == {"from": "92800", "to": "100000"}
    assert call("view_state", "zoomedOut", state, 100_000, 3000) == {"from": "96700", "to": "99700"}
