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
    [
        ("PAGE", ["On [1] now"]),
        ('HYPERLINK "http://a"', ["On [1]12[2] now"]),
        ("REF x", ["On [1] now"]),
        ('HYPERLINK\\l "a b"', ["On [1]12[2] now"]),
        ("= 1 + 2", ["On [1] now"]),
    ],
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


COMPATIBLE = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def box(text: str) -> str:
    return f"<w:txbxContent><w:p>{run(text)}</w:p></w:txbxContent>"


def test_a_text_box_that_stands_twice_for_older_programs_is_one_unit_and_changes_in_both():
    choice = f"<mc:Choice Requires='wps'><w:drawing>{box('inside')}</w:drawing></mc:Choice>"
    fallback = f"<mc:Fallback><w:pict>{box('inside')}{box('only here')}</w:pict></mc:Fallback>"
    both = f"<w:r><mc:AlternateContent {COMPATIBLE}>{choice}{fallback}</mc:AlternateContent></w:r>"
    data = word(f"<w:p>{run('before ')}{both}</w:p><w:p>{run('inside')}</w:p><w:p>{run('after')}</w:p>")
    assert texts("a.docx", data) == ["before", "inside", "only here", "inside", "after"]
    written = body_of(translated("a.docx", data))
    changed = body_of(data).replace("before", "BEFORE").replace("after", "AFTER")
    assert written == changed.replace("inside", "INSIDE").replace("only here", "ONLY HERE")
    assert translated("a.docx", data, "before", "inside", "only here", "inside", "after") == data


def types(**parts: str) -> str:
    kind = "application/vnd.openxmlformats-officedocument"
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}.{content_type}+xml"/>'
        for name, content_type in {"word/document.xml": "wordprocessingml.document.main", **parts}.items()
    )
    return f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{overrides}</Types>'


def test_the_drawing_of_a_diagram_changes_with_its_data():
    main = "http://schemas.openxmlformats.org/drawingml/2006/main"
    drawn = '<d xmlns:a="{}"><a:p><a:r><a:rPr sz="{}"/><a:t>Step</a:t></a:r></a:p></d>'
    data = word(
        f"<w:p>{run('text')}</w:p>",
        **{
            "[Content_Types].xml": types(
                **{"word/drawn.xml": "drawingml.diagramDrawing", "word/data.xml": "drawingml.diagramData"}
            ),
            "word/drawn.xml": drawn.format(main, 9),
            "word/data.xml": drawn.format(main, 7),
        },
    )
    assert texts("a.docx", data) == ["text", "Step"]
    written = zipfile.ZipFile(io.BytesIO(translated("a.docx", data)))
    for name, size in (("drawn", 9), ("data", 7)):
        assert written.read(f"word/{name}.xml").decode() == drawn.format(main, size).replace("Step", "STEP")


def test_building_blocks_are_told_from_the_body():
    block = f"<w:x {W}><w:docPartBody><w:p>{run('Click here')}</w:p></w:docPartBody></w:x>"
    kinds = types(**{"word/glossary/document.xml": "wordprocessingml.document.glossary"})
    others = {"[Content_Types].xml": kinds, "word/glossary/document.xml": block}
    found = extracted("a.docx", word(f"<w:p>{run('Body')}</w:p>", **others)).units
    assert [(unit.text, unit.place) for unit in found] == [
        ("Body", "paragraph 1"),
        ("Click here", "glossary/document, paragraph 1"),
    ]


def test_properties_of_smart_tags_stand_before_their_words():
    properties = '<w:smartTagPr><w:attr w:name="x" w:val="y"/></w:smartTagPr>'
    tag = f'<w:smartTag w:element="place">{properties}{run("Paris")}</w:smartTag>'
    data = paragraph(run("In "), tag, run(" now"))
    assert texts("a.docx", data) == ["In <1Paris1> now"]
    assert f"{properties}{run('PARIS')}</w:smartTag>" in body_of(translated("a.docx", data))


def test_moved_text_is_translated_once_and_formulas_and_symbols_stay():
    moved = f'<w:moveFrom w:id="1">{run("moved")}</w:moveFrom><w:moveTo w:id="2">{run("moved")}</w:moveTo>'
    symbol = '<w:r><w:sym w:font="Wingdings" w:char="F04A"/></w:r>'
    data = paragraph(run("Text "), moved, symbol, "<w:oMath><w:r><w:t>x+y</w:t></w:r></w:oMath>")
    assert texts("a.docx", data) == ["Text [1]<2moved2>"]
    assert body_of(translated("a.docx", data)).count(run("moved")) == 1


def test_tips_of_links_and_words_drawn_as_pictures_are_translated():
    tip = f'<w:hyperlink w:anchor="x" w:tooltip="A &amp; tip">{run("the page")}</w:hyperlink>'
    mark = (
        '<v:shape xmlns:v="urn:schemas-microsoft-com:vml" alt="A mark"><v:textpath string="DRAFT only"/></v:shape>'
    )
    data = paragraph(run("See "), tip, f"<w:r><w:pict>{mark}</w:pict></w:r>", run(" now"))
    assert texts("a.docx", data) == ["See <1the page1>[2] now", "A & tip", "A mark", "DRAFT only"]
    written = body_of(translated("a.docx", data))
    for before, after in (("A &amp; tip", "A &amp; TIP"), ("A mark", "A MARK"), ("DRAFT only", "DRAFT ONLY")):
        assert f'"{before}"' not in written
        assert f'"{after}"' in written
    only = translated(
        "a.docx", data, *[unit.text for unit in extracted("a.docx", data).units[:1]], "x", "A mark", "DRAFT only"
    )
    assert body_of(only) == body_of(data).replace("A &amp; tip", "x")
