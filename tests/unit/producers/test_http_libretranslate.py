"""The interface of LibreTranslate: its shapes, its refusals, and bodies that are wrong."""

import gzip
import json

import pytest

from connectors.redis.job_view import JobView
from schemas.languages import parse_language
from schemas.messages import TranslationResult
from schemas.states import ResultStatus
from stream_apps.accounts.changes import Change, TenantChange, changed_tenant
from stream_apps.pipeline.language_detection import Detection
from stream_apps.pipeline.request_limits import RequestLimits
from tests.accounts import NOW_MS, key_of
from tests.http_world import in_capitals

BODY = {"q": "Good morning.", "source": "en", "target": "pt"}
JSON, FORM = {"content-type": "application/json"}, {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def answering(http, world):
    world.answer, world.served = in_capitals, ["en-pt", "pt-en"]
    return http


def error_of(answer, status=400):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    (told,) = answer.json().items()
    assert told[0] == "error"
    return told[1]


def test_a_text_comes_back_as_text_and_an_array_as_array(answering, world):
    assert answering.post("/translate", json=BODY).json() == {"translatedText": "GOOD MORNING."}
    several = answering.post("/translate", json=BODY | {"q": ["One.", "", " ", "Two."]})
    assert several.json() == {"translatedText": ["ONE.", "", " ", "TWO."]}
    assert [one.texts for one, _, _ in world.appended] == [["Good morning."], ["One.", "", " ", "Two."]]


def test_a_form_does_the_same_and_several_texts_are_an_array(answering):
    assert answering.post("/translate", data=BODY).json() == {"translatedText": "GOOD MORNING."}
    assert answering.post("/translate", data=BODY | {"q": ["a", "b"]}).json() == {"translatedText": ["A", "B"]}
    in_address = answering.post("/translate?source=en&target=pt", data={"q": "a"})
    assert in_address.json() == {"translatedText": "A"}


def test_the_language_that_was_detected_is_told_with_its_confidence(answering, world):
    auto = BODY | {"source": "auto"}
    one = answering.post("/translate", json=auto).json()
    assert one["detectedLanguage"] == {"language": "en", "confidence": 90.0}
    two = answering.post("/translate", json=auto | {"q": ["a", "b"]}).json()
    assert two["detectedLanguage"] == [{"language": "en", "confidence": 90.0}] * 2
    assert world.detected == [(["Good morning."], ["en", "pt"]), (["a", "b"], ["en", "pt"])]
    assert {one.source_language for one, _, _ in world.appended} == {"en"}


def test_each_text_has_a_language_of_its_own_and_one_without_letters_goes_with_any(answering, world):
    world.languages = {"b": Detection(parse_language("pt", "source"), 0.8), "": Detection(None, 0.0)}
    answer = answering.post("/translate", json=BODY | {"source": "auto", "q": ["", "a", "b", "c"]}).json()
    assert answer["translatedText"] == ["", "A", "B", "C"]
    assert [one["language"] for one in answer["detectedLanguage"]] == ["en", "en", "pt", "en"]
    assert [(one.source_language, one.texts) for one, _, _ in world.appended] == [
        ("en", ["", "a", "c"]),
        ("pt", ["b"]),
    ]


def test_one_language_that_nobody_serves_refuses_the_whole_call(answering, world):
    world.languages = {"b": Detection(parse_language("ja", "source"), 0.8)}
    answer = answering.post("/translate", json=BODY | {"source": "auto", "q": ["a", "b"]})
    assert "no model translates ja-pt" in error_of(answer)
    assert not world.appended


def test_a_mistake_is_named_by_its_place_in_the_call_whatever_its_language(answering, world):
    world.languages = {"b": Detection(parse_language("pt", "source"), 0.8)}
    answer = answering.post("/translate", json=BODY | {"source": "auto", "q": ["a", "b", "c\x1e"]})
    assert "q[2] holds" in error_of(answer)


def test_alternatives_are_accepted_and_there_are_none(answering):
    assert answering.post("/translate", json=BODY | {"alternatives": 3}).json()["alternatives"] == []
    several = answering.post("/translate", data=BODY | {"q": ["a", "b"], "alternatives": "2"}).json()
    assert several["alternatives"] == [[], []]
    assert "alternatives" not in answering.post("/translate", json=BODY | {"alternatives": 0}).json()


def test_html_is_sent_on_as_html(answering, world):
    answer = answering.post("/translate", json=BODY | {"q": "<b>Hi</b>", "format": "html"})
    assert answer.json()["translatedText"] == "<B>HI</B>"
    assert [one.content_type for one, _, _ in world.appended] == ["text/html"]


def test_what_nobody_knows_is_ignored_as_the_original_does(answering):
    assert answering.post("/translate", json=BODY | {"secret": "x", "colour": [1]}).status_code == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"q": ""}, "q is empty"),
        ({"alternatives": "0" * 5000}, "alternatives is no number"),
        ({"q": None}, "q is missing"),
        ({"q": []}, "q is missing"),
        ({"q": 7}, "q is no string"),
        ({"q": {"a": "b"}}, "q is no string"),
        ({"q": ["a", 7]}, "q[1] is no string"),
        ({"q": ["a", "b\ud800"]}, "q[1] holds a lone surrogate"),
        ({"q": ["a", "b\x1ec"]}, "q[1] holds the character U+001E"),
        ({"q": "a" * 2001}, "q has 1 texts of 2001 characters"),
        ({"source": ""}, "source is missing"),
        ({"source": "english"}, "source is 'english'"),
        ({"source": ["en"]}, "source is no string"),
        ({"target": None}, "target is missing"),
        ({"target": "auto"}, "target is 'auto'"),
        ({"target": "ja"}, "no model translates en-ja"),
        ({"format": "pdf"}, "pdf format is not supported"),
        ({"alternatives": "many"}, "alternatives is no number"),
    ],
)
def test_a_wrong_parameter_is_told_by_its_name(answering, world, change, words):
    content = json.dumps(BODY | change)
    assert words in error_of(answering.post("/translate", content=content, headers=JSON))
    assert not world.appended


@pytest.mark.parametrize(
    ("content", "headers", "status", "words"),
    [
        (b"{", JSON, 400, "no JSON"),
        (b"[1]", JSON, 400, "no object"),
        (b"[" * 100_000, JSON, 413, "too large"),
        (b"[" * 19_000, JSON, 400, "no JSON"),
        (b'{"q": "\xff"}', JSON, 400, "no UTF-8 (byte 7)"),
        (b"q=%ff", FORM, 400, "the form cannot be read"),
        (b"a&" * 9_000, FORM, 400, "q is missing"),
        (b"q=a", {"content-type": "text/plain"}, 415, "declared as text/plain"),
        (b"q=a", {}, 415, "declared as nothing"),
        (b"q=a", FORM | {"content-type": f"{FORM['content-type']}; charset=latin-1"}, 415, "latin-1"),
        (b"", {}, 400, "q is missing"),
        (gzip.compress(b"{}", mtime=0)[:-1], JSON | {"content-encoding": "gzip"}, 400, "cut off"),
        (gzip.compress(b"{}", mtime=0) + b"x", JSON | {"content-encoding": "gzip"}, 400, "behind its end"),
        (b"{}", JSON | {"content-encoding": "gzip"}, 400, "no gzip"),
        (b"{}", JSON | {"content-encoding": "br"}, 415, "br is not known"),
        (gzip.compress(b" " * 10**7, mtime=0), JSON | {"content-encoding": "gzip"}, 413, "(limit: 20000 bytes)"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(answering, content, headers, status, words):
    assert words in error_of(answering.post("/translate", content=content, headers=headers), status)


def test_the_body_of_a_question_is_short(answering, limits):
    content = b"q=" + b"a" * 70_000
    answering.app.state.limits = limits.model_copy(update={"max_body_bytes": 200_000})
    assert "too large" in error_of(answering.ask("GET", "/languages", content=content, headers=FORM), 413)


def test_a_compressed_body_and_a_byte_order_mark_are_read(answering):
    plain = b"\xef\xbb\xbf" + json.dumps(BODY).encode()
    packed = JSON | {"content-encoding": "gzip"}
    for content, headers in ((plain, JSON), (gzip.compress(plain), packed)):
        answer = answering.post("/translate", content=content, headers=headers)
        assert answer.json() == {"translatedText": "GOOD MORNING."}


def test_the_key_may_stand_in_the_body_the_address_or_a_header(http, world, store):
    world.answer = in_capitals
    key, nobody = key_of(store, "acme", role="member").text, http.showing("")
    for answer in (
        nobody.post("/translate", json=BODY | {"api_key": key}),
        nobody.post("/translate", data=BODY | {"api_key": key}),
        nobody.post(f"/translate?api_key={key}", json=BODY),
        nobody.post("/translate", json=BODY, headers={"X-API-Key": key}),
        http.showing(key).post("/translate", json=BODY),
    ):
        assert answer.status_code == 200
    assert {one.tenant for one, _, _ in world.appended} == {"acme"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/translate"), ("POST", "/detect"), ("GET", "/languages")],
)
def test_without_a_key_and_without_the_scope_there_is_nothing(http, store, world, method, path):
    error_of(http.showing("").ask(method, path, json=BODY), 403)
    error_of(http.showing("").ask(method, path, json=BODY | {"api_key": "wrong"}), 403)
    narrow = key_of(store, "acme", scopes=("documents:read",)).text
    assert "no scope" in error_of(http.showing(narrow).ask(method, path, json=BODY), 403)
    assert not world.appended


def test_a_caller_who_used_up_their_share_gets_429_with_a_time(answering, store):
    wish = TenantChange(limits={"requests_per_minute": 1})
    store.change(lambda found: [changed_tenant(found, "acme", wish, Change("tests", NOW_MS))])
    caller = answering.showing(key_of(store, "acme").text)
    assert caller.post("/translate", json=BODY).status_code == 200
    answer = caller.post("/translate", json=BODY)
    assert "requests of this minute" in error_of(answer, 429)
    assert int(answer.headers["retry-after"]) > 0


def test_what_is_not_finished_in_time_is_503_and_cancelled(http, world):
    def begin(request):
        world.views[request.key] = JobView(key=request.key)

    world.answer = begin
    answer = http.post("/translate", json=BODY)
    assert "not finished within 0.2 s" in error_of(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert [(order.action, order.key) for order in world.ordered] == [("CANCEL", world.appended[0][0].key)]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (ResultStatus.FAILED, 500, "none of the 2 segments"),
        (ResultStatus.EXPIRED, 503, "EXPIRED"),
        (ResultStatus.CANCELLED, 503, "CANCELLED"),
    ],
)
def test_a_request_without_a_text_is_an_error(http, world, status, code, words):
    world.answer = lambda request: TranslationResult(
        **request.key._asdict(),
        kind="texts",
        status=status,
        error_cause="truncated",
        error_message="none of the 2 segments could be translated",
    )
    assert words in error_of(http.post("/translate", json=BODY), code)


def test_an_unexpected_error_tells_nothing_of_the_text(http, world):
    world.away["kafka"] = ValueError("about the secret")
    assert "secret" not in error_of(http.post("/translate", json=BODY | {"q": "the secret"}), 500)


def test_a_text_without_a_language_is_told_as_the_original_does(http, world):
    world.language = Detection(None, 0.0)
    assert http.post("/detect", json={"q": "..."}).json() == [{"language": "en", "confidence": 0.0}]
    world.answer = in_capitals
    told = http.post("/translate", json=BODY | {"source": "auto"}).json()["detectedLanguage"]
    assert (told, world.appended[0][0].source_language) == ({"language": "en", "confidence": 0.0}, "auto")


def test_settings_need_no_key(http):
    settings = http.showing("").get("/frontend/settings").json()
    assert (settings["charLimit"], settings["keyRequired"], settings["filesTranslation"]) == (2000, True, True)
    assert {".docx", ".srt", ".html"} <= set(settings["supportedFilesFormat"])


def test_a_text_may_be_as_long_as_the_settings_say_and_no_longer(answering):
    answering.app.state.request_limits = RequestLimits(max_text_characters=2000, max_array_text_characters=500)
    most = answering.get("/frontend/settings").json()["charLimit"]
    assert answering.post("/translate", json=BODY | {"q": "x" * most}).status_code == 200
    assert "500 characters" in error_of(answering.post("/translate", json=BODY | {"q": "x" * (most + 1)}))


def test_suggestions_are_refused_in_words(http):
    assert "disabled" in error_of(http.post("/suggest", json={}), 403)
