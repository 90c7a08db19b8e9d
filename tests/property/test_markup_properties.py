"""Whatever a text with tags is made of: its markup comes back in its order, and its words with it."""

import io
import re
from dataclasses import replace
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.markup.html import HTML
from connectors.formats.markup.html_tokens import RAW, What, tokens
from connectors.formats.protocol import Options
from schemas.messages import Job, TranslationRequest
from schemas.segments import normalise
from stream_apps.intake.read_units import reader_of
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.join import join
from stream_apps.pipeline.output_records import early_answer
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.segmentation import Segmenter
from tests.keys import key

_PIECES = st.sampled_from(
    ["<p>", "</p>", "<b>", "</b>", "<i class='x y'>", "</i>", "<br>", "<br/>", "<img src=a.png>", "<!-- no -->",
     "<img alt='A door'>", '<b title="Read it">', "<i title='a'>", '<p title="It is. So &quot;be&quot; it">',
     "<span translate='no'>", "</span>", "<code>", "</code>", "<a href='?a=1&amp;b=2'>", "</a>", "<script>",
     "</script>", "<", ">", "&", "&amp;", "&lt;", "&nbsp;", "<x", "<![CDATA[y]]>", "\U000f0000", "\x1c",
     "\n", "  ", "Open the door. ", "Then wait", "it", "2", ". "]
)  # fmt: skip
_TEXTS = st.lists(_PIECES, max_size=14).map("".join)
_TYPES = st.sampled_from(["text/html", "application/xml"])
_SPACE = re.compile(r"\s+")
_SPLIT = Segmenter().split


def repeated(text: str, content_type: str) -> str:
    """Send a text through intake, an engine that repeats, and assembly."""
    asked = TranslationRequest(request_id="r", target_language="pt", text=text, content_type=content_type)
    split = reader_of(asked)(text).split(lambda plain: _SPLIT(plain, "en", "pt"))
    pieces = cut(split, BatchLimits(segments=2))
    segments = sum(len(piece.texts) for piece in pieces)
    job = Job(content_type=content_type, inline_codes=True, batches=len(pieces), segments=segments)
    done = [
        early_answer(replace(one, translations=[normalise(text, has_codes=True) for text in one.texts]), "m", 1)
        for one in batches_of(key("r"), job, pieces, [None] * segments, Wishes())
    ]
    result = join(done, 1)
    assert not result.holes
    return result.text or ""


def parted(text: str, content_type: str) -> tuple[list[str], str]:
    """Return the markup of a text, and its words without white space."""
    found = list(tokens(text, RAW if content_type == "text/html" else ()))
    markup = [text[one.start : one.end] for one in found if one.what is not What.TEXT]
    words = "".join(text[one.start : one.end] for one in found if one.what is What.TEXT)
    return markup, _SPACE.sub("", unescape(words))


@settings(max_examples=60)
@given(_TEXTS, _TYPES)
def test_markup_comes_back_in_its_order_and_words_with_it(text, content_type):
    assert parted(repeated(text, content_type), content_type) == parted(text, content_type)


@settings(max_examples=60)
@given(_TEXTS)
def test_a_page_with_nothing_translated_is_the_page_and_translated_it_has_its_markup(text):
    page = f"<p>A page. </p>{text}".encode()
    found = HTML.extract(io.BytesIO(page), Options())
    assert merged(page, [unit.text for unit in found.units]) == page
    markup, words = parted(merged(page, [unit.text.upper() for unit in found.units]).decode(), "text/html")
    before, behind = parted(page.decode(), "text/html")
    assert [one.upper() for one in markup] == [one.upper() for one in before]
    assert words.upper() == behind.upper()


def merged(page: bytes, units: list[str]) -> bytes:
    found, written = HTML.extract(io.BytesIO(page), Options()), io.BytesIO()
    HTML.merge(io.BytesIO(page), found.skeleton, units, written, Options())
    return written.getvalue()


@settings(max_examples=40)
@given(st.text(max_size=60), _TYPES)
def test_any_characters_come_through(text, content_type):
    repeated(text, content_type)
