"""The rules of single text formats. What holds for all of them is in tests/contract/test_filter_contract.py."""

import io
import json

import polib
import pytest
import srt
import webvtt
from markdown_it import MarkdownIt

from connectors.formats.protocol import Options
from connectors.formats.registry import extract
from schemas.errors import PermanentError
from tests.formats.samples import FOLDER
from tests.unit.connectors.formats.documents import texts, translated

CUES = "1\n00:00:01,000 --> 00:00:02,000\n{}\n\n2\n00:00:03,000 --> 00:00:04,000\n{}\n"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("When I came", "the door was open.", ["When I came[0]the door was open."]),
        ("I came.", "The door was open.", ["I came.", "The door was open."]),
        ("- Who?\n- Nobody", "- Really?", ["- Who?\n- Nobody", "- Really?"]),
        ("<i>When I", "came</i> home.", ["<0When I[1]came0> home."]),
        ("two\nlines go", "on.", ["two lines go[0]on."]),
    ],
)
def test_cues_that_a_sentence_runs_through_are_one_unit(first, second, expected):
    assert texts("a.srt", CUES.format(first, second).encode()) == expected


def test_long_cues_are_filled_again_in_equal_lines_and_no_wider_than_42():
    long = "this is what somebody says who has very much to say about everything there is in the whole world"
    written = translated("a.srt", CUES.format("Short.", "Also short.").encode(), long, "B.")
    lines = next(iter(srt.parse(written.decode()))).content.split("\n")
    assert " ".join(lines) == long
    assert max(map(len, lines)) <= 42
    assert max(map(len, lines)) - min(map(len, lines)) < 15


def test_times_and_numbers_are_those_of_the_source():
    source = (FOLDER / "srt" / "door.srt").read_bytes()
    before, after = (list(srt.parse(data.decode())) for data in (source, translated("door.srt", source)))
    assert [(cue.index, cue.start, cue.end) for cue in after] == [
        (cue.index, cue.start, cue.end) for cue in before
    ]
    assert [cue.content.lower().split() for cue in after] == [cue.content.lower().split() for cue in before]


def test_what_is_around_cues_of_webvtt_stays():
    source = (FOLDER / "vtt" / "talk.vtt").read_bytes()
    written = translated("talk.vtt", source).decode()
    assert written.partition("<v")[0] == source.decode().partition("<v")[0]
    assert [cue.text for cue in webvtt.from_string(written).captions] == [
        "FISH &amp; CHIPS ARE GOOD,", "AND CHEAP.", "- REALLY?\n- YES.",
    ]  # fmt: skip


def test_polib_reads_new_messages_as_fuzzy_and_leaves_the_others():
    source = (FOLDER / "po" / "app.po").read_bytes()
    catalogue = polib.pofile(translated("app.po", source).decode())
    found = {entry.msgid: entry for entry in catalogue}
    assert found["Hello %s"].msgstr == "HELLO %S"
    assert found["Hello %s"].flags == ["fuzzy", "c-format"]
    assert found['A long text\nover lines "quoted"\n'].msgstr == 'A LONG TEXT\nOVER LINES "QUOTED"\n'
    assert (found["Done"].msgstr, found["Done"].flags) == ("Feito", [])
    assert found["%d file"].msgstr_plural == {0: "%D FILE", 1: "%D FILES", 2: "%D FILES"}
    assert [entry.msgid for entry in catalogue.obsolete_entries()] == ["Old"]
    assert catalogue.metadata["Language"] == "pt_BR"


def test_the_line_that_tells_excel_the_separator_is_no_row():
    source = b"sep=;\r\nname;price, net\r\nGood chair;ten, or more\r\n"
    expected = b'sep=;\r\nNAME;"PRICE, NET"\r\nGOOD CHAIR;"TEN, OR MORE"\r\n'
    assert translated("a.csv", source) == expected
    assert texts("a.csv", source, columns="name", header="keep") == ["Good chair"]


PLURAL = (
    b'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    b'msgid "a"\nmsgid_plural "b"\nmsgstr[0] ""\nmsgstr[1] ""\n'
)


@pytest.mark.parametrize(("target", "forms"), [("ja", 1), ("de", 2), ("pl", 3), ("ar", 6)])
def test_a_target_has_its_own_number_of_plural_forms(target, forms):
    count = len(extracted_for("a.po", PLURAL, target))
    entry = polib.pofile(translated("a.po", PLURAL, *["x"] * count, target=target).decode())[0]
    assert entry.msgstr_plural == dict.fromkeys(range(forms), "x")


ARABIC = b"nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5;"


@pytest.mark.parametrize(
    ("target", "header", "of_one"),
    [
        ("ar", b"", 1),
        ("ar", ARABIC, 1),
        ("lv", b"", 1),
        ("lv", b"nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2);", 0),
        ("pt", b"nplurals=2; plural=(n > 1);", 0),
        ("pt", b"nplurals=2; plural=no rule;", 0),
        ("pt", b"nplurals=2; plural=n/0;", 0),
        ("pt", b"nplurals=INTEGER; plural=EXPRESSION;", 0),
    ],
)
def test_the_form_that_stands_for_one_is_made_of_the_singular(target, header, of_one):
    source = PLURAL.replace(b"UTF-8\\n", b"UTF-8\\nPlural-Forms: " + header + b"\\n") if header else PLURAL
    texts = [unit.text for unit in extracted_for("a.po", source, target)]
    assert [index for index, text in enumerate(texts) if "a" in text] == [of_one]
    assert len(texts) > 1


def extracted_for(name: str, data: bytes, target: str) -> tuple:
    return extract(io.BytesIO(data), name, "", Options("en", target)).extraction.units


def test_new_messages_are_unmarked_on_request():
    assert b"fuzzy" not in translated("a.po", b'msgid "a"\nmsgstr ""\n', "b", fuzzy="no")


def test_json_values_are_chosen_by_their_paths():
    data = json.dumps({"menu": {"title": "A title", "id": "menu-x"}, "note": "A note"}).encode()
    assert texts("a.json", data) == ["A title", "A note"]
    assert texts("a.json", data, include="menu.*") == ["A title", "menu-x"]
    assert texts("a.json", data, exclude="*.title") == ["A note"]


def test_json_keeps_its_way_of_writing_characters():
    assert translated("a.json", b'["caf\\u00e9"]', "thé") == b'["th\\u00e9"]'
    assert translated("a.json", '["café"]'.encode(), "thé") == '["thé"]'.encode()


def test_halves_of_characters_in_json_come_back():
    data = b'["a \\ud83d b"]'
    assert texts("a.json", data) == ["a [0] b"]
    assert translated("a.json", data) == b'["A \\ud83d B"]'


def test_json_lines_are_read_line_by_line():
    assert texts("a.jsonl", b'{"a": "one x"}\n{"a": "two x"}\n') == ["one x", "two x"]


@pytest.mark.parametrize(
    ("source", "words", "expected"),
    [
        ("a: hello", "yes", 'a: "yes"'),
        ("a: hello", "x: y # z", 'a: "x: y # z"'),
        ("a: hello", "olá mundo", "a: olá mundo"),
        ("a: 'it''s'", "d'or", "a: 'd''or'"),
        ('a: "x\\ty"', 'say "b"', 'a: "say \\"b\\""'),
        ("a: |\n  one\n\n  two\n", "um\n\ndois", "a: |\n  um\n\n  dois\n"),
        ("- >-\n    one\n    two\n- 3\n", "um", "- >-\n    um\n- 3\n"),
        ("a: &x hello\nb: *x", "olá", "a: &x olá\nb: *x"),
        ("a: hello # why", "olá", "a: olá # why"),
    ],
)
def test_yaml_keeps_its_style_and_quotes_what_needs_it(source, words, expected):
    assert translated("a.yaml", source.encode(), words).decode() == expected


def test_yaml_leaves_what_is_no_text():
    assert texts("a.yaml", b"a: 1\nb: true\nc: yes\nd: 2026-01-01\ne: !x words\nid: word\nf: two words") == [
        "two words"
    ]


def test_columns_of_a_table_are_chosen_by_name_or_number():
    data = b"id,name,note\n1,Chair,Red\n"
    assert texts("a.csv", data, columns="name", header="keep") == ["Chair"]
    assert texts("a.csv", data, columns="3", header="keep") == ["Red"]
    with pytest.raises(PermanentError, match="no column price"):
        texts("a.csv", data, columns="price")


def test_options_that_a_format_does_not_know_are_refused():
    with pytest.raises(PermanentError) as raised:
        texts("a.csv", b"a,b", column="1")
    error = raised.value
    assert (error.cause, error.field, error.limit) == (
        "unknown_filter_option", "filter_options.column", "columns, header, output",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "words", "expected"),
    [("a;b\nHi;1\n", ["x", "y", "p;q"], 'x;y\n"p;q";1\n'), ("a\tb\n", ["x\ty", "z"], '"x\ty"\tz\n')],
)
def test_cells_are_quoted_where_they_need_it(source, words, expected):
    assert translated("a.csv", source.encode(), *words).decode() == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>a <code>x()</code> b</p>", ["a [0] b"]),
        ("<p>a <b>b</b></p>", ["a <0b0>"]),
        ("<p><b>b</b></p>", ["b"]),
        ("<p>a <b><i>b</i></b> c", ["a <0b0> c"]),
        ("<p>a<br>b", ["a[0]b"]),
        ("<p translate=no>a</p><p>b", ["b"]),
        ("<p>a <!-- c --> b", ["a [0] b"]),
        ("<img alt='a'>", ["a"]),
        ("<p>x <img alt='a'> y", ["a", "x [0] y"]),
        ("a <b>b <i>c</b> d</i>", ["a <0b [1]c0> d"]),
        ("a &lt;b&gt; &copy;", ["a <b> ©"]),
        ("<script>var a</script><style>b</style>c", ["c"]),
        ("<td>a<td>b", ["a", "b"]),
        ("<select><option>a<option>b</select>", ["a", "b"]),
        ("<pre>a\n  b</pre>", ["a\n  b"]),
        ("<p>a\n  b</p>", ["a b"]),
        ("a < b", ["a < b"]),
        ("<a b='1>2'>x</a> y", ["<0x0> y"]),
    ],
)
def test_html_is_cut_into_blocks_with_codes(source, expected):
    assert texts("a.html", source.encode()) == expected


def test_a_title_inside_a_link_is_translated_with_and_without_its_text():
    data = b'<p>See <a href="x" title="the page">it</a> now</p>'
    assert texts("a.html", data) == ["the page", "See <0it0> now"]
    assert translated("a.html", data) == b'<p>SEE <a href="x" title="THE PAGE">IT</a> NOW</p>'


def test_html_in_an_old_encoding_writes_references_for_what_it_lacks():
    data = '<meta charset="iso-8859-1"><p>Grüße aus Köln</p>'.encode("iso-8859-1")
    written = translated("a.html", data, "नम")
    assert written == b'<meta charset="iso-8859-1"><p>&#2344;&#2350;</p>'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# A *b*\n", ["A <0b0>"]),
        ("a [b](c \"d\") e\n", ["a <0b0> e"]),
        ("a `b` c\n", ["a [0] c"]),
        ("a  \nb\n", ["a[0]b"]),
        ("> a\n> b\n", ["a\nb"]),
        ("    code\n\ntext\n", ["text"]),
        ("a \\* b\n", ["a * b"]),
        ("![alt text](x.png)\n", ["alt text"]),
        ("<div>a</div>\n\nb\n", ["a", "b"]),
        ("a <https://x.org> b\n", ["a [0] b"]),
        ("- [ ] do it\n", ["do it"]),
        ("a~~b~~\n", ["a<0b0>"]),
    ],
)  # fmt: skip
def test_markdown_is_cut_into_blocks_with_codes(source, expected):
    assert texts("a.md", source.encode()) == expected


@pytest.mark.parametrize(
    "words", ["# x", "- x", "1. x", "> x", "+ x", "```", "***", "===", "    x", "a\n\nb", "<div>", "[a]: b"]
)
def test_no_translation_begins_a_block_of_markdown(words):
    written = translated("a.md", b"First.\n\nSecond.\n", words, "Second.").decode()
    kinds = [token.type for token in MarkdownIt("commonmark").parse(written)]
    assert kinds == ["paragraph_open", "inline", "paragraph_close"] * 2


def test_marks_of_footnotes_stay_single_where_the_footnote_is_an_address_or_one_word():
    source = b"Text[^1] with two[^a][^b].\n\n[^1]: https://x.org\n[^a]: Word\n[^b]: Other\n"
    assert texts("a.md", source) == ["Text[0] with two[1]."]
    assert translated("a.md", source) == source.replace(b"Text", b"TEXT").replace(b"with two", b"WITH TWO")


def test_the_colon_behind_the_mark_of_a_footnote_is_no_text():
    assert texts("a.md", b"[^1]: The note text.\n") == ["The note text."]
    assert translated("a.md", b"[^1]: The note text.\n", "O texto.") == b"[^1]: O texto.\n"


def test_paragraphs_of_lists_that_tabs_indent_are_translated():
    source = b"- one\n\n\tpara one\n\tgoes on\n"
    assert texts("a.md", source) == ["one", "para one\ngoes on"]
    assert translated("a.md", source) == b"- ONE\n\n\tPARA ONE\n\tGOES ON\n"


def test_front_matter_in_toml_stays_but_its_titles():
    source = b'+++\ntitle = "My \\"post\\""  # why\ndraft = true\nslug = "my-post"\n+++\n\nHello there.\n'
    assert texts("a.md", source) == ['My "post"', "Hello there."]
    expected = source.replace(b"My", b"MY").replace(b'post\\"', b'POST\\"').replace(b"Hello there", b"HELLO THERE")
    assert translated("a.md", source) == expected


@pytest.mark.parametrize("style", ["|", ">", "|-"])
def test_blocks_of_yaml_keep_their_returns(style):
    source = f"a: {style}\r\n  one x\r\n  two x\r\n\r\n  three x\r\nb: four x\r\n"
    assert texts("a.yaml", source.encode()) == ["one x\ntwo x\n\nthree x", "four x"]
    expected = source.replace(" x", " y")
    assert translated("a.yaml", source.encode(), "one y\ntwo y\n\nthree y", "four y").decode() == expected


def test_json_lines_may_hold_other_separators_of_lines():
    source = '{"a": "one\u2028x"}\r\n{"a": "two\x85x"}\n'.encode()
    assert texts("a.jsonl", source) == ["one\u2028x", "two\x85x"]


def test_the_times_of_the_next_cue_end_a_cue_without_a_blank_line():
    source = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello.\n00:03.000 --> 00:04.000\nGoodbye.\n"
    assert texts("a.vtt", source) == ["Hello.", "Goodbye."]
    assert translated("a.vtt", source) == source.replace(b"Hello", b"HELLO").replace(b"Goodbye", b"GOODBYE")


def test_protected_words_of_xliff_stay():
    mark = '<mrk mtype="protected">Key</mrk>'
    unit = f'<trans-unit id="1"><source>Press {mark} now</source></trans-unit>'
    source = (
        '<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">'
        f'<file source-language="en"><body>{unit}</body></file></xliff>'
    ).encode()
    assert texts("a.xlf", source) == ["Press [1] now"]
    assert f">PRESS {mark} NOW</target>".encode() in translated("a.xlf", source)


def test_escapes_of_yaml_for_halves_of_characters_and_controls_come_back():
    source = b'a: "smile \\ud83d\\ude00 here"\nb: "x \\0 y \\ud83d z"\n'
    assert texts("a.yaml", source) == ["smile 😀 here", "x [0] y [1] z"]
    expected = 'a: "SMILE 😀 HERE"\nb: "X \\u0000 Y \\ud83d Z"\n'
    assert translated("a.yaml", source).decode() == expected


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("a.json", '["Olé"]', '["x \ufffd"]'),
        ("a.txt", "Hello", "x \ufffd"),
        ("a.csv", '"Hello",1', '"x \ufffd",1'),
        ("a.yaml", "a: Hello", "a: x \ufffd"),
        ("a.yaml", "a: 'Hello'", "a: 'x \ufffd'"),
        ("a.html", "<p>Hello", "<p>x \ufffd"),
    ],
)
def test_halves_of_characters_in_a_translation_become_the_sign_for_unknown_ones(name, source, expected):
    assert translated(name, source.encode(), "x \ud83d").decode() == expected


def test_a_place_has_whole_characters_and_some_length():
    key = "k" * 1000
    source = json.dumps({"\ud83d": "Hello", key: "There"}).encode()
    first, second = (unit.place for unit in extract(io.BytesIO(source), "a.json", "", Options()).extraction.units)
    assert first == "$.\ufffd"
    assert second == f"$.{key[:97]}…{key[:100]}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Stuhl;1,50\nTisch;2,30\n", ["Stuhl", "Tisch"]),
        ("Stuhl;1,50;2,5\nTisch;2,30;1,5\n", ["Stuhl", "Tisch"]),
        ("Hello, you\t1\nBye, me\t2\n", ["Hello, you", "Bye, me"]),
        ("id,text\n1,Hello; you\n2,Bye\n", ["id", "text", "Hello; you", "Bye"]),
        ("1,Hello\n2,Bye\n", ["Hello", "Bye"]),
        ("text\nHello\n", ["text", "Hello"]),
    ],
)
def test_commas_of_prose_and_of_numbers_separate_no_cells_where_another_sign_does(source, expected):
    assert texts("a.csv", source.encode()) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b'{\n  // why\n  "a": "b"}', "a comment in line 2, column 3"),
        (b'{"a": "b",\n}', "a comma too many in line 2, column 1"),
        (b"{'a': 1}", "an error in line 1, column 2"),
        (b'{"a": "b"}\n\n{"a" "b"}\n', "see line 3"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(source, expected):
    with pytest.raises(PermanentError, match=f"neither JSON nor JSON lines: .*{expected}"):
        texts("a.json", source)


def test_a_string_may_follow_an_object_in_json_lines():
    assert translated("a.jsonl", b'{}\n"one"\n[{}]\n"two"\n') == b'{}\n"ONE"\n[{}]\n"TWO"\n'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_blank_line_of_a_translation_ends_no_cue_of_webvtt(end):
    source = f"WEBVTT{end}{end}00:01.000 --> 00:02.000{end}Hello.{end}".encode()
    written = translated("a.vtt", source, "One\n\n \nTwo").decode()
    assert written == source.decode().replace("Hello.", f"One{end}Two")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cues_of_webvtt_have_all_their_lines_whatever_ends_them(end):
    first = "00:01.000 --> 00:02.000\nHello there,\nyou two.\n\n1\n"
    source = f"WEBVTT\n\n{first}00:03.000 --> 00:04.000\n\n00:05.000 --> 00:06.000\n- Bye?\n- No.\n".replace(
        "\n", end
    )
    assert texts("a.vtt", source.encode()) == ["Hello there, you two.", "- Bye?\n- No."]
    long = "a translation of forty letters is too long for one line of them all"
    written = translated("a.vtt", source.encode(), long, "- A?\n- B.").decode()
    half = long.replace("is too", f"is{end}too")
    assert written == source.replace(f"Hello there,{end}you two.", half).replace("Bye", "A").replace("No", "B")
