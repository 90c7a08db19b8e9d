import io
import zipfile

import pytest

from tests.unit.connectors.formats.documents import W, body_of, extracted, texts, translated, word


def run(text: str, properties: str = "") -> str:
    look = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{look}<w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*content: str) -> bytes:
    return word(f"<w:p>{''.join(content)}</w:p>")


def units(*content: str) -> list[str]:
    return texts("a.docx", paragraph(*content))


BOLD = "<w:b/>"


def test_runs_that_look_alike_are_one_text():
    language, revision = '<w:lang w:val="en-US"/>', "<w:noProof/>"
    assert units(
        run("Hel", language), "<w:proofErr w:type='spellStart'/>", run("lo", revision), run(" world")
    ) == ["Hello world"]


def test_the_commonest_look_is_plain_and_others_are_pairs():
    assert units(run("Much longer bold text ", BOLD), run("plain")) == ["Much longer bold text <1plain1>"]


def test_a_look_of_the_whole_paragraph_is_no_code():
    assert units(run("All bold", BOLD)) == ["All bold"]


def test_a_pair_keeps_its_look_where_the_translation_puts_it():
    found = extracted("a.docx", paragraph(run("a very "), run("red", BOLD), run(" car")))
    opened, closed = found.units[0].text.partition("red")[0][-1], found.units[0].text.partition("red")[2][0]
    data = paragraph(run("a very "), run("red", BOLD), run(" car"))
    written = body_of(translated("a.docx", data, f"um carro muito {opened}vermelho{closed}"))
    assert written == f"<w:p>{run('um carro muito ')}{run('vermelho', BOLD)}</w:p>"


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [("PAGE", ["On [1] now"]), ('HYPERLINK "http://a"', ["On [1]12[2] now"]), ("REF x", ["On [1] now"])],
)
def test_results_of_fields_are_words_only_where_people_wrote_them(instruction, expected):
    field = "".join(
        f"<w:r>{inner}</w:r>"
        for inner in (
            '<w:fldChar w:fldCharType="begin"/>',
            f"<w:instrText>{instruction}</w:instrText>",
            '<w:fldChar w:fldCharType="separate"/>',
            "<w:t>12</w:t>",
            '<w:fldChar w:fldCharType="end"/>',
        )
    )
    assert units(run("On "), field, run(" now")) == expected


def test_a_field_may_go_over_several_paragraphs():
    begin = '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText> TOC </w:instrText></w:r>'
    first = f'{begin}<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run("Chapter one")}'
    last = f'{run("Chapter two")}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    assert texts("a.docx", word(f"<w:p>{first}</w:p><w:p>{last}</w:p>")) == ["Chapter one", "Chapter two"]


def test_deleted_and_hidden_text_stays_and_is_not_translated():
    deleted = '<w:del w:id="1"><w:r><w:delText>gone</w:delText></w:r></w:del>'
    data = paragraph(run("Seen "), deleted, run("hidden", "<w:vanish/>"), run(" words"))
    assert texts("a.docx", data) == ["Seen [1] words"]
    assert "gone" in body_of(translated("a.docx", data))
    assert "hidden" in body_of(translated("a.docx", data))


def test_a_field_may_begin_in_hidden_text():
    begin = (
        '<w:r><w:rPr><w:vanish/></w:rPr><w:fldChar w:fldCharType="begin"/><w:instrText>PAGE</w:instrText></w:r>'
    )
    middle = f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run("12")}'
    assert units(run("On "), begin, middle, '<w:r><w:fldChar w:fldCharType="end"/></w:r>', run(" now")) == [
        "On [1] now"
    ]


def test_inserted_text_is_translated_inside_its_mark():
    data = paragraph(run("Kept "), f'<w:ins w:id="2">{run("added")}</w:ins>')
    assert f'<w:ins w:id="2">{run("ADDED")}</w:ins>' in body_of(translated("a.docx", data))


def test_a_text_box_and_the_paragraph_around_it_are_both_translated():
    box = f"<w:r><w:pict><w:txbxContent><w:p>{run('inside')}</w:p></w:txbxContent></w:pict></w:r>"
    data = paragraph(run("before "), box, run(" after"))
    assert texts("a.docx", data) == ["before [1] after", "inside"]
    written = body_of(translated("a.docx", data))
    assert f"<w:p>{run('INSIDE')}</w:p>" in written
    assert run("BEFORE ") in written
    assert run(" AFTER") in written


def test_only_the_inner_unit_may_change():
    box = f"<w:r><w:pict><w:txbxContent><w:p>{run('inside')}</w:p></w:txbxContent></w:pict></w:r>"
    data = paragraph(run("before "), box)
    written = body_of(translated("a.docx", data, "before ".strip(), "dentro"))
    assert written == body_of(data).replace("inside", "dentro")


def test_tabs_and_breaks_stand_between_words_and_stay_in_their_run():
    data = word("<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>")
    found = extracted("a.docx", data)
    assert [code.kind.value for code in found.units[0].codes] == ["break", "break"]
    assert "<w:tab/>" in body_of(translated("a.docx", data))


def test_a_file_may_use_other_prefixes():
    uri = W.partition("=")[2]
    runs = "<x:r><x:t>Hi </x:t></x:r><x:r><x:rPr><x:b/></x:rPr><x:t>you</x:t></x:r>"
    document = f"<x:document xmlns:x={uri}><x:body><x:p>{runs}</x:p></x:body></x:document>"
    data = word("", **{"word/document.xml": document})
    assert texts("a.docx", data) == ["Hi <1you1>"]
    written = zipfile.ZipFile(io.BytesIO(translated("a.docx", data))).read("word/document.xml").decode()
    assert written == document.replace("<x:t>", '<x:t xml:space="preserve">').replace("Hi", "HI").replace(
        "you", "YOU"
    )


def test_what_the_text_says_is_escaped():
    assert run("&lt;A &amp; B&gt;") in body_of(translated("a.docx", paragraph(run("x y")), "<A & B>"))
