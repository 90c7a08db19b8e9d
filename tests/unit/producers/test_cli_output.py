"""What commands print: tables, Markdown, JSON, times, and progress bars."""

import json

import pytest

from producers.cli.output import lines_of, markdown_of, print_json, progress_bars, time_text


def test_columns_are_as_wide_as_their_widest_cell():
    assert lines_of(("name", "n"), [("a", "1"), ("longer", "10")]) == "name    n\na       1\nlonger  10"
    assert lines_of((), [("a", "1")]) == "a  1"


def test_a_bar_in_a_cell_does_not_end_it():
    assert markdown_of(("a",), [("x|y",)]) == "| a |\n| --- |\n| x&#124;y |"


def test_json_is_one_line_and_escapes_no_characters_outside_ascii(capsys):
    print_json({"text": "Olá 日本\n"})
    said = capsys.readouterr().out
    assert json.loads(said) == {"text": "Olá 日本\n"}
    assert (said.count("\n"), "Olá 日本" in said) == (1, True)


def test_a_time_is_iso_8601_in_utc():
    assert time_text(1_700_000_000_999) == "2023-11-14T22:13:20+00:00"
    assert time_text(None) == "-"


def shown(bars):
    bars.show_count("parts", 2, 5)
    bars.show_count("rows", 7)
    bars.advance("records", 3)
    bars.advance("records", 4)
    bars.show_share("job", 0.25, label="segmented", note="1/4 segments")
    assert list(bars.track(["a", "b"], "groups")) == ["a", "b"]
    assert list(bars.track(iter("abc"), "lines")) == ["a", "b", "c"]


def test_bars_of_every_kind_are_shown_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bars(is_shown=True) as bars:
        shown(bars)
    said = capsys.readouterr()
    assert said.out == ""
    for text in ("2/5", "25% 1/4 segments", "segmented", "2/2", "groups", "records", "lines"):
        assert text in said.err


@pytest.mark.parametrize(("is_shown", "forced"), [(False, "1"), (True, None)])
def test_no_bars_are_shown_for_scripts_and_where_there_is_no_terminal(is_shown, forced, monkeypatch, capsys):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    if forced:
        monkeypatch.setenv("FORCE_COLOR", forced)
    with progress_bars(is_shown=is_shown) as bars:
        shown(bars)
    assert capsys.readouterr() == ("", "")
