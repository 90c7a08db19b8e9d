"""The rules of Markdown, in its own syntax and in that of site generators."""

import pytest

from tests.unit.connectors.formats.documents import extracted, texts, translated


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "lines",
    [
        "one\ntwo\n\nthree\n",
        "- one\n  two\n",
        "> one  \n> two\\\n> three\n",
        "one `X\nY` two\n",
        "one [two](X\n'Y') three\n",
        "one\n===\n\n| two | three |\n|---|---|\n| four | five |\n",
    ],
)
def test_paragraphs_of_several_lines_keep_their_line_ends(lines, newline):
    source = lines.replace("\n", newline)
    assert translated("a.md", source.encode()).decode() == source.upper()


@pytest.mark.parametrize(
    "tail",
    [
        "(a(b(c)d)e)", "(a\\(b)", "(a\\)b)", "(<a b)> 't')", '(a "t\\"t")', "( a (t) )", "()", "(<>)",
        "[r\\]s]", "[]",
    ],
)  # fmt: skip
def test_links_end_where_markdown_ends_them(tail):
    source = f"see [x]{tail} now\n\n[r\\]s]: y\n[x]: z\n"
    assert texts("a.md", source.encode()) == ["see <0x0> now"]
    kept = "[x]" if tail == "[]" else tail
    assert translated("a.md", source.encode()).decode() == source.replace(
        f"see [x]{tail} now", f"SEE [X]{kept} NOW"
    )


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ("![alt *em* text](X)", "alt <0em0> text"),
        ("![alt\n  text](X)", "alt\ntext"),
        ("![alt `X` text](X)", "alt [0] text"),
        ("![alt [link](Y) text](X)", "alt <0link0> text"),
        ("![alt \\[ text](A(B(C)))", "alt [ text"),
    ],
)
@pytest.mark.parametrize("around", ["{}\n", "see {} now\n", "> {}\n", "[{}](Y) now\n"])
def test_texts_of_pictures_are_translated_whatever_stands_in_them(picture, words, around):
    source = around.format(picture.replace("\n", "\n> ") if around.startswith(">") else picture)
    assert words in texts("a.md", source.encode())
    expected = source.upper().replace("\n  TEXT", "\nTEXT").replace("\n>   TEXT", "\n> TEXT")
    assert translated("a.md", source.encode()).decode() == expected


def test_texts_of_pictures_in_cells_are_translated():
    source = b"| one | two |\n|---|---|\n| ![alt \\| text](X\\|Y) now | end |\n"
    assert translated("a.md", source) == source.upper()


@pytest.mark.parametrize(
    "call",
    [
        '{{< ref "a_b.md" >}}',
        "{{<x>}}",
        "{{% x y='*z*' %}}",
        "{{</* x */>}}",
        '{{ .Param "x" }}',
        "{% include x.html %}",
        "{: .note }",
        "{#top .wide}",
    ],
)
def test_what_site_generators_read_stays(call):
    for source in (f"one {call} two\n", f"- {call}\n  one two\n", f"one [two]({call}) three\n", f"# one {call}\n"):
        written = translated("a.md", source.encode()).decode()
        assert written.lower() == source.lower()
        assert call in written
        assert "ONE" in written


def test_a_shortcode_over_two_lines_stays():
    source = b'one {{< x "a_b"\n   y="*c*" >}} two\n'
    assert translated("a.md", source) == source.replace(b"one", b"ONE").replace(b"two", b"TWO")


@pytest.mark.parametrize("source", ["one \\{{ two }}\n", "one **two**::: three\n", "one `X`!!! three\n"])
def test_marks_that_stand_elsewhere_are_text(source):
    assert translated("a.md", source.encode()).decode().replace("\\", "") == source.upper().replace("\\", "")


def test_a_document_of_all_private_characters_is_read_without_hiding_anything():
    every = "".join(map(chr, range(0xE000, 0xF900)))
    assert texts("a.md", f"one {every} two\n".encode()) == [f"one {every} two"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("> [!NOTE]\n> one two\n", ["one two"]),
        ("> [!tip]- one two\n", ["one two"]),
        ("::: note\none two\n:::\n", ["one two"]),
        ('!!! note "one"\n    two\n    three\n', ['"one"[1]two[2]three']),
        ("??? danger\n    one\n", ["one"]),
    ],
)
def test_marks_of_alerts_and_admonitions_stay(source, words):
    assert texts("a.md", source.encode()) == words
    mark, one, rest = source.partition("one")
    assert translated("a.md", source.encode()).decode() == mark + one.upper() + rest.upper()


@pytest.mark.parametrize("tail", ["", "[]"])
@pytest.mark.parametrize("around", ["{}\n", "see {} now\n"])
def test_pictures_that_are_named_by_their_text_keep_their_name(tail, around):
    source = around.format(f"![The alt]{tail}") + "\n[the alt]: X\n"
    units = [unit.text.replace("The alt", "O texto") for unit in extracted("a.md", source.encode()).units]
    assert "![O texto][The alt]" in translated("a.md", source.encode(), *units).decode()


def test_a_name_of_a_picture_that_ends_with_spaces_stays_too():
    assert translated("a.md", b"![The alt ][] now\n\n[the alt]: X\n").startswith(b"![THE ALT ][The alt ] NOW\n")


@pytest.mark.parametrize("mark", [":smile:", ":+1:", ":heavy_check_mark:"])
def test_names_of_emoji_stay(mark):
    assert translated("a.md", f"one {mark} two\n".encode()).decode() == f"ONE {mark} TWO\n"


def test_the_marks_of_abbreviations_stay():
    assert translated("a.md", b"*[HTML]: one two\n*[X Y]: three\n") == b"*[HTML]: ONE TWO\n*[X Y]: THREE\n"


def test_clocks_and_colons_are_text():
    assert texts("a.md", b"at 12:30:45 see a:b:c or ::d::\n") == ["at 12:30:45 see a:b:c or ::d::"]
