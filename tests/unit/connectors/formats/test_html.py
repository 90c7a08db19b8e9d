"""The rules of HTML: what its standard says where browsers and a simple reading differ."""

import re
import time

import pytest

from tests.unit.connectors.formats.documents import texts, translated


@pytest.mark.parametrize(
    ("charset", "expected"),
    [
        ("iso-8859-1", b"\xe9 &#28450;"),
        ("us-ascii", b"&#233; &#28450;"),
        ("UTF-8", "é 漢".encode()),
        ("utf-16", "é 漢".encode()),
        ("no-such", "é 漢".encode()),
    ],
)
def test_a_page_of_ascii_is_written_in_the_encoding_that_it_declares(charset, expected):
    page = f'<meta charset="{charset}"><p>one'.encode()
    assert translated("a.html", page, "é 漢") == page.replace(b"one", expected)


def test_an_xliff_file_of_ascii_is_written_in_the_encoding_that_it_declares():
    source = (
        b'<?xml version="1.0" encoding="ISO-8859-1"?><xliff version="1.2" '
        b'xmlns="urn:oasis:names:tc:xliff:document:1.2"><file source-language="en"><body>'
        b'<trans-unit id="1"><source>one</source></trans-unit></body></file></xliff>'
    )
    assert b">\xe9 &#28450;</target>" in translated("a.xlf", source, "é 漢")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('<p translate="no">X <b translate="yes">one</b> Y</p><p>two', ["one", "two"]),
        ('<div translate="no"><p>X</p><div translate="yes"><p>one</p></div><p>X</p></div>two', ["one", "two"]),
        ('<p>see <span translate=no>X <i translate=yes>one</i> Y</span> now</p>', ["see [0]<1one1>[2] now"]),
        ('<div class="notranslate"><p translate="">one <b translate="no">X</b></p>Y</div>', ["one"]),
        ('<div translate="no"><div><p translate="yes">one</div>X</div>two', ["one", "two"]),
        ('<div translate="no"><p translate="yes">one <b>two</div>three', ["one [0]two", "three"]),
        ('<div translate="no"><div translate="yes">one<div>two</div></div>X</div>', ["one", "two"]),
        ('<div translate="no"><p translate="yes">one', ["one"]),
        ('<div translate="no"><br translate="yes"><img translate="yes" alt="X">Y</div>one', ["one"]),
        ('<code>X <b translate="yes">Y</b></code> one', ["one"]),
    ],
)  # fmt: skip
def test_what_is_to_be_translated_inside_what_is_not_is_translated(source, expected):
    assert texts("a.html", source.encode()) == expected
    written = translated("a.html", source.encode()).decode()
    assert written.lower() == source.lower()
    assert written.count("ONE") == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('<p>one <?php if ($A > 1) { echo "X > Y"; } ?> two</p>', ["one [0] two"]),
        ("<?php echo 1 > 2 ?><p>one</p>", ["one"]),
        ("<p>one</p><?php function X() { return 1 > 2; }", ["one"]),
        ("<p>one <?= $A->B ?> two <?PHP X ?> three", ["one [0] two [1] three"]),
        ("<p>one <% if A > B %> two <%= X > 1 %></p>", ["one [0] two"]),
        ('<a <?php if ($A > 1) echo \'X\'; ?> href="<?= $X["Y"] > 1 ?>">one</a> two', ["<0one0> two"]),
        ('<a href="<%= A > "B" %>" <%= C > D %>>one</a> two', ["<0one0> two"]),
        ('<img alt="<?= $A ?>"><img alt="one <%= B > "C" %> two">three', ["one [0] two", "three"]),
        ("<p>one <?xml X='Y' X>Y ?> two", ["one [0] two"]),
        ("<?X>one <? Y>two", ["one [0]two"]),
        ("one <% two < three", ["one <% two < three"]),
        ("<<?= $TAG ?> CLASS='A'>one</<?= $TAG ?>>", ["one"]),
    ],
)
def test_code_of_servers_stays_wherever_it_stands(source, expected):
    assert texts("a.html", source.encode()) == expected
    written = translated("a.html", source.encode()).decode().replace("&lt;", "<")
    words = ("one", "two", "three")
    assert written == re.sub("|".join(words), lambda word: word[0].upper(), source)


@pytest.mark.parametrize("opening", [b"<% ", b"<?xml ", b"<?= ", b"<?php "])
def test_much_code_without_an_end_is_read_once(opening):
    begin = time.process_time()
    assert texts("a.html", b"one " + opening * 50_000)
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('<textarea placeholder="one"><p>X</p></textarea>', ["one"]),
        ('<p>one <svg aria-label="two"><text>X</text></svg> three</p>', ["two", "one [0] three"]),
        ('<video title="one"><track label="X"></video>', ["one"]),
        ('<textarea translate="no" placeholder="X">Y</textarea>one', ["one"]),
        ('<code title="X">Y</code> one', ["one"]),
    ],
)
def test_what_readers_see_in_the_tag_of_an_element_that_stays_is_translated(source, expected):
    assert texts("a.html", source.encode()) == expected
    words = re.compile("one|two|three")
    assert translated("a.html", source.encode()).decode() == words.sub(lambda word: word[0].upper(), source)


def test_the_tags_of_elements_that_a_request_ignores_stay():
    assert texts("a.html", b'<video title="X">Y</video><p>one', ignore_tags="video") == ["one"]
