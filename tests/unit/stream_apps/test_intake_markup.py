"""Texts with tags, from the request to the answer: sentences are translated, all else comes back as it was."""

import re
from dataclasses import replace

import pytest

from schemas.coded_text import CODE, ISOLATED, MOST_CODES
from schemas.errors import PermanentError
from schemas.messages import Job, TranslationRequest
from schemas.priorities import Priority
from schemas.segments import normalise
from schemas.units import kind_of, units_of, whole_text
from stream_apps.intake.read_units import reader_of
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.finishing import finished
from stream_apps.pipeline.join import join
from stream_apps.pipeline.output_records import early_answer
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.request_rules import check_request
from stream_apps.pipeline.segmentation import Segmenter
from stream_apps.pipeline.tag_attributes import USUAL_AMID, AmidLimits
from stream_apps.pipeline.units import split_units
from stream_apps.redrive.correction import correction_of
from tests.keys import key

SEGMENTER = Segmenter()
XML = "application/xml"


def request(*texts: str, content_type: str = "text/html", **options: str) -> TranslationRequest:
    content = {"text": texts[0]} if len(texts) == 1 else {"texts": texts}
    return TranslationRequest(
        request_id="r", target_language="pt", content_type=content_type, filter_options=options, **content
    )


def split(asked: TranslationRequest, amid: AmidLimits = USUAL_AMID):
    units = units_of(whole_text(asked) or "", kind_of(asked))
    read = reader_of(asked, amid)
    return split_units(units, lambda unit: read(unit).split(lambda text: SEGMENTER.split(text, "en", "pt")))


def batches(asked: TranslationRequest, limits: BatchLimits | None = None):
    pieces = cut(split(asked), limits or BatchLimits())
    segments = sum(len(piece.texts) for piece in pieces)
    job = Job(
        kind=kind_of(asked), content_type=asked.content_type, inline_codes=True,
        batches=len(pieces), segments=segments, pipeline_version="1",
    )  # fmt: skip
    return batches_of(key("r"), job, pieces, [None] * segments, Wishes())


def answered(asked: TranslationRequest, limits: BatchLimits | None = None, translate=str.upper):
    done = [
        early_answer(
            replace(batch, translations=[translate(normalise(text, has_codes=True)) for text in batch.texts]),
            "m1",
            1,
        )
        for batch in batches(asked, limits)
    ]
    return join(done, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Open the door.</p>", "<p>OPEN THE DOOR.</p>"),
        (
            '<p class="a">Press <b title="x">Start</b> now. Then <a href="?a=1&amp;b=2">go</a> on.</p>\n<hr>',
            '<p class="a">PRESS <b title="X">START</b> NOW. THEN <a href="?a=1&amp;b=2">GO</a> ON.</p>\n<hr>',
        ),
        ("Fish &amp; chips &lt; 5", "FISH &amp; CHIPS &lt; 5"),
        ("<b>All of it is bold.</b>", "<b>ALL OF IT IS BOLD.</b>"),
        ("One line<br>and <img src='a.png'> another", "ONE LINE<br>AND <img src='a.png'> ANOTHER"),
        (
            'Ask <span translate="no">Ana Lima</span> or <i class="x notranslate">Bob</i> today',
            'ASK <span translate="no">Ana Lima</span> OR <i class="x notranslate">Bob</i> TODAY',
        ),
        ("<script>let a = 1;</script><p>Hi there</p>", "<script>let a = 1;</script><p>HI THERE</p>"),
        ("<ul><li>One thing</li><li>Two things</li></ul>", "<ul><li>ONE THING</li><li>TWO THINGS</li></ul>"),
        ("no tags at all", "NO TAGS AT ALL"),
        ("an <i>open tag", "AN <i>OPEN TAG"),
    ],
)
def test_a_fragment_of_html_comes_back_with_its_tags(text, expected):
    assert answered(request(text)).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<p title="A door">Open it.</p>', '<p title="A DOOR">OPEN IT.</p>'),
        ('<img src="a.png" alt="A red door">', '<img src="a.png" alt="A RED DOOR">'),
        ("<p>Name <input placeholder='Your name'></p>", "<p>NAME <input placeholder='YOUR NAME'></p>"),
        ('<button aria-label="Close it">x</button>', '<button aria-label="CLOSE IT">X</button>'),
        ("<input type=submit value='Go'><input value='Go'>", "<input type=submit value='GO'><input value='Go'>"),
        ('<meta name="description" content="All doors.">', '<meta name="description" content="ALL DOORS.">'),
        ("<img alt=Door src=a.png>", '<img alt="DOOR" src=a.png>'),
        ('<p title="One. Two.">x</p>', '<p title="ONE. TWO.">X</p>'),
        ('<a href="h" title="Help me">Read it</a>', '<a href="h" title="HELP ME">READ IT</a>'),
        ('<p>One. <img alt="A door"> Two.</p>', '<p>ONE. <img alt="A DOOR"> TWO.</p>'),
        ('<p title="Fish &amp; &quot;chips&quot;">Hi</p>', '<p title="FISH &amp; &quot;CHIPS&quot;">HI</p>'),
        ("<div translate='no' title='A door'>Hi</div>", "<div translate='no' title='A door'>Hi</div>"),
        ('<img translate="no" alt="A door"><img class="notranslate" alt="Bo">Hi',
         '<img translate="no" alt="A door"><img class="notranslate" alt="Bo">HI'),
        ('<p>Press <b title="A door">Start</b> now.</p>', '<p>PRESS <b title="A DOOR">START</b> NOW.</p>'),
        ('See <img alt=Door src=a> and <a title=\'a "b"\'><i title="It is">x</i></a> on.'
         ' Go <b title="p">on</b> now.',
         'SEE <img alt="DOOR" src=a> AND <a title=\'A &quot;B&quot;\'><i title="IT IS">X</i></a> ON.'
         ' GO <b title="P">ON</b> NOW.'),
        ('<p>One <b title="a door">x</b> two', '<p>ONE <b title="A DOOR">X</b> TWO'),
        ('<p>One <b translate="no" title="a door">x</b> two', '<p>ONE <b translate="no" title="a door">x</b> TWO'),
        ('<pre>One\n<b title="a door">x</b> two</pre>', '<pre>ONE\n<b title="a door">X</b> TWO</pre>'),
    ],
)  # fmt: skip
def test_attributes_that_readers_see_are_translated(text, expected):
    assert answered(request(text)).text == expected


@pytest.mark.parametrize("sentences", [1, 2, 4])
def test_quotes_that_an_engine_writes_stay_inside_their_attribute(sentences):
    text = f'<p title="{" ".join(["Open it."] * sentences)}">Hi</p>'
    said = "&quot;It&#39;s&quot; &lt;b&gt;"
    done = answered(request(text), BatchLimits(segments=1), lambda _text: '"It\'s" <b>')
    assert done.text == f'<p title="{" ".join([said] * sentences)}">"It\'s" &lt;b&gt;</p>'


AMID = 'Press <b title="A door">Start</b> and <a title="Help &apos;me&apos;">read</a> now. Stop.'


def except_for(*failing):
    """Translate into capitals; texts with these words lose their codes, and attributes among them fail."""
    return lambda text: CODE.sub("", text) if any(one in text for one in failing) else text.upper()


def worked_on(batch, texts, causes):
    """Return the result of one batch as a worker answers it, with a cause for each hole."""
    done = finished(batch, texts, causes)
    filled = replace(batch, translations=list(batch.texts))
    early = early_answer(filled, "m1", 1)
    return join([replace(early, translations=done.translations, gaps=done.gaps, causes=done.causes)], 1)


def places(result):
    return [(hole.cause, (result.text or "")[hole.start :][: hole.length]) for hole in result.holes]


@pytest.mark.parametrize("segments", [1, 2, 3, 8])
def test_attributes_amid_a_sentence_travel_with_it_whatever_a_batch_holds(segments):
    made = batches(request(AMID), BatchLimits(segments=segments))
    assert [len(batch.texts) for batch in made] == ([4] if segments == 8 else [3, 1])
    capitals = 'PRESS <b title="A DOOR">START</b> AND <a title="HELP &#39;ME&#39;">READ</a> NOW. STOP.'
    assert answered(request(AMID), BatchLimits(segments=segments)).text == capitals


def test_attributes_that_come_back_as_they_were_keep_every_character():
    assert answered(request(AMID), translate=str).text == AMID


def test_a_sentence_that_is_a_hole_shows_its_attributes_as_they_were_and_is_made_good_with_them():
    first = answered(request(AMID), translate=except_for("Press"))
    assert first.text == AMID.replace("Stop", "STOP")
    sentence = AMID.removesuffix(" Stop.")
    assert places(first) == [("broken_codes", sentence), ("broken_codes", ""), ("broken_codes", "")]
    (batch,) = correction_of(first, first.text, batches(request(AMID))[0], BatchLimits(), 1)
    assert (batch.texts, batch.numbers) == ([sentence], [0])
    second = join([early_answer(replace(batch, translations=[sentence.upper()]), "m1", 1)], 1)
    assert (second.text, second.holes) == (f"{sentence.upper()} STOP.", ())


def test_an_attribute_amid_a_sentence_that_is_a_hole_stands_where_it_is():
    (batch,) = batches(request(AMID))
    texts = [normalise(text, has_codes=True) for text in batch.texts]
    result = worked_on(batch, [text.upper() for text in texts], [None, "no_answer", None, None])
    assert places(result) == [("no_answer", "A door")]
    assert result.text == answered(request(AMID)).text.replace("A DOOR", "A door")


def test_attributes_follow_their_tags_where_a_translation_turns_them_round():
    text = 'Go <img alt="One"> or <img alt="Two"> on.'

    def turned(text):
        one, two = (chr(code) for code in (ISOLATED, ISOLATED + 1))
        return text.upper().translate({ord(one): two, ord(two): one})

    expected = 'GO <img alt="TWO"> OR <img alt="ONE"> ON.'
    assert answered(request(text), translate=turned).text == expected
    (batch,) = batches(request(text))
    texts = [turned(normalise(one, has_codes=True)) for one in batch.texts]
    result = worked_on(batch, texts, [None, None, "no_answer"])
    # Where only a part of it would be a hole, all of it is one.
    assert result.text is None
    assert {hole.cause for hole in result.holes} == {"broken_codes"}


def test_of_a_sentence_with_very_many_attributes_the_rest_stays():
    text = "Go " + " ".join(f'<i title="part {letter}">x</i>' for letter in "abcdefghijklmnopqrst") + " on."
    found = re.findall('"(.*?)"', answered(request(text)).text or "")
    assert [one.isupper() for one in found] == [True] * 16 + [False] * 4
    long = f'Go <b title="{"very " * 300}long">on</b> now.'
    assert answered(request(long)).text == long.replace("Go", "GO").replace(">on<", ">ON<").replace("now", "NOW")


def test_how_many_attributes_of_a_sentence_are_translated_is_configured():
    found = split(request(AMID), CuttingLimits(max_tag_attributes=1).amid)
    assert found.texts[1:] == ("A door", "Stop.")
    found = split(request(AMID), CuttingLimits(max_tag_attribute_characters=6).amid)
    assert found.texts[1:] == ("A door", "Stop.")
    assert split(request(AMID), CuttingLimits(max_tag_attributes=0).amid).texts[1:] == ("Stop.",)


def test_attributes_of_xml_stay():
    text = '<note title="A door">Open it.</note>'
    assert answered(request(text, content_type=XML)).text == '<note title="A door">OPEN IT.</note>'


def test_sentences_are_segments_with_codes_and_nothing_else_is():
    found = split(request('<div id="d"><p>First <b>one</b>. Second one.</p></div>'))
    assert found.lead == '<div id="d"><p>'
    assert [CODE.sub("|", text) for text in found.texts] == ["First |one|.", "Second one."]
    assert found.gaps == (" ", "</p></div>")
    assert [[one.start for one in some] for some in found.codes] == [["<b>"], []]


def test_texts_of_an_array_come_back_in_their_places():
    result = answered(request("<b>Save</b> it", "", "Open <i>me</i> now"))
    assert result.texts == ("<b>SAVE</b> IT", "", "OPEN <i>ME</i> NOW")


def test_codes_are_numbered_through_a_batch_and_batches_stay_within_their_limits():
    text = " ".join(f"<p>Word <b id={number}>two</b> three.</p>" for number in range(5))
    made = batches(request(text), BatchLimits(segments=2))
    starts = [list(batch.code_starts) for batch in made]
    assert starts == [["<b id=0>", "<b id=1>"], ["<b id=2>", "<b id=3>"], ["<b id=4>"]]
    assert made[0].code_ends == ["</b>", "</b>"]
    expected = re.sub("Word|two|three", lambda word: word[0].upper(), text)
    assert answered(request(text), BatchLimits(segments=2)).text == expected


def test_markup_counts_for_the_size_of_a_batch():
    picture = f"<img src='data:{'a' * 500}'>"
    text = f"<p>One {picture} two.</p><p>Three {picture} four.</p>"
    assert len(batches(request(text), BatchLimits(text_bytes=1000))) == 2
    with pytest.raises(PermanentError, match="with its markup"):
        batches(request(text), BatchLimits(text_bytes=300))


def test_too_many_tags_in_one_sentence_are_refused_with_a_cure():
    with pytest.raises(PermanentError, match="inline codes") as refusal:
        split(request("<i>a </i>" * (MOST_CODES + 1)))
    assert (refusal.value.cause, refusal.value.cure) == ("too_much_markup", "send it in several texts")


def test_a_sentence_that_lost_a_code_is_a_hole_that_shows_its_source_with_its_tags():
    result = answered(request("<p>Go <b>on</b> now. Stop.</p>"), translate=lambda text: CODE.sub("", text).upper())
    assert result.text == "<p>Go <b>on</b> now. STOP.</p>"
    assert [(hole.cause, (result.text or "")[hole.start :][: hole.length]) for hole in result.holes] == [
        ("broken_codes", "Go <b>on</b> now.")
    ]


def test_the_correction_of_a_hole_keeps_its_tags_as_plain_text_does():
    asked = request("<p>Go <b>on</b> now. Stop.</p>")
    first = answered(asked, translate=lambda text: CODE.sub("", text).upper())
    (batch,) = correction_of(first, first.text or "", batches(asked)[0], BatchLimits(), 1)
    assert (batch.texts, batch.job.inline_codes) == (["Go <b>on</b> now."], False)
    second = join([early_answer(replace(batch, translations=["GO <b>ON</b> NOW."]), "m1", 1)], 1)
    assert (second.text, second.holes, second.version) == ("<p>GO <b>ON</b> NOW. STOP.</p>", (), 2)


def test_what_an_engine_writes_is_no_markup():
    assert answered(request("<p>Be <b>good</b></p>"), translate=lambda text: text + " <3 & more").text == (
        "<p>Be <b>good</b> &lt;3 &amp; more</p>"
    )


@pytest.mark.parametrize(
    ("text", "options", "sentences"),
    [
        ("<doc><t>One title</t><p>Some <x>words</x> here</p></doc>", {}, ["One title", "Some |words| here"]),
        ("Some <par>words</par> here", {"splitting_tags": "par"}, ["Some", "words", "here"]),
        ("<a>Some</a><b>words</b>", {"outline_detection": "0"}, ["|Some||words|"]),
        ("<a>Some</a><b>words</b>", {"non_splitting_tags": "a,b"}, ["|Some||words|"]),
        ("Call <x>the name</x> now", {"ignore_tags": "x"}, ["Call | now"]),
        ("A &foo; b &lt; c", {}, ["A | b < c"]),
    ],
)
def test_the_structure_of_xml_is_found_or_told(text, options, sentences):
    asked = request(text, content_type=XML, **options)
    assert [CODE.sub("|", one) for one in split(asked).texts] == sentences
    assert re.sub("[A-Za-z]", "", answered(asked).text or "") == re.sub("[A-Za-z]", "", text)


def test_the_rules_know_types_and_options():
    def checked(asked: TranslationRequest) -> None:
        check_request(asked, Priority.STANDARD, RequestLimits(), 0)

    checked(request("<p>Hi</p>"))
    checked(request("<p>Hi</p>", content_type=XML, ignore_tags="x"))
    with pytest.raises(PermanentError, match="no option 'nonsense'"):
        checked(request("<p>Hi</p>", nonsense="x"))
    with pytest.raises(PermanentError, match="ignore_tags has 300 characters"):
        checked(request("<p>Hi</p>", ignore_tags="x" * 300))
    with pytest.raises(PermanentError, match="filter_options"):
        checked(request("Hi", content_type="text/plain", ignore_tags="x"))


def test_languages_are_told_by_the_words_alone():
    read = reader_of(request("<p class='the of and'>Bom <b>dia</b></p><script>the</script>"))
    assert read("<p class='the of and'>Bom <b>dia</b></p><script>the</script>").words == "Bom dia"
