"""A file in by a form, its progress, its translation out; whose it is, and what is refused."""

import asyncio
import hashlib
import json

import pytest

from connectors.redis.job_view import JobView
from producers.http.documents.charsets import begun, charset_of
from producers.http.documents.uploads import OpenUploads
from producers.http.errors import OverloadedError
from producers.http.settings import HttpLimits
from schemas.documents import source_units_name
from schemas.message_parts import Hole
from schemas.messages import TranslationResult, changed
from schemas.states import JobStage, ResultStatus
from tests.accounts import key_of
from tests.keys import key

URL = "/api/v1/documents"
JOB = key("job")
TEXT = "Good morning.\n" * 100_000


@pytest.fixture
def limits() -> HttpLimits:
    small = HttpLimits(max_body_bytes=20_000, max_document_bytes=2_000_000)
    return small.model_copy(update={"max_wait_seconds": 0.2, "look_seconds": 0.01, "grace_seconds": 0.02})


def send(http, content=b"Good morning.", name="a.txt", media_type="text/plain", url=URL, **fields):
    headers = fields.pop("headers", {})
    data = {"target_language": "pt", "source_language": "en", **fields}
    return http.post(url, files={"file": (name, content, media_type)}, data=data, headers=headers)


def problem(response, status):
    assert response.status_code == status, response.text
    found = response.json()
    return found["type"].rpartition(":")[2], found.get("field")


def test_a_file_is_stored_before_its_request_is_sent(http, world):
    accepted = send(http, priority="90", metadata='{"ticket": "7"}', do_not_translate=["Acme", "Globex"])
    assert accepted.status_code == 202, accepted.text
    ((request, priority, headers),) = world.appended
    assert (priority, request.file_name, request.content_type) == ("critical", "a.txt", "application/octet-stream")
    assert (request.text, request.metadata, request.do_not_translate) == (
        None,
        {"ticket": "7"},
        ["Acme", "Globex"],
    )
    assert request.content_sha256 == hashlib.sha256(b"Good morning.").hexdigest()
    assert request.content_ref.startswith("tenants/default/inbox/")
    assert world.documents.files[request.content_ref] == b"Good morning."
    assert headers["schema"] == b"TranslationRequest"
    body = accepted.json()
    assert body["document_info"] == {
        "file_name": "a.txt",
        "content_type": "application/octet-stream",
        "content_bytes": 13,
        "pages": None,
        "word_count": None,
    }
    assert accepted.headers["Location"].endswith(f"/api/v1/documents/{body['job_id']}")


def test_the_same_is_offered_under_the_name_of_translations(http, world):
    assert send(http, url="/api/v1/translations/document").status_code == 202
    assert len(world.appended) == 1


def test_a_file_may_be_larger_than_the_body_of_a_text(http, world):
    assert send(http, TEXT.encode()).status_code == 202
    (content,) = world.documents.files.values()
    assert content == TEXT.encode()


def test_a_file_beyond_the_limit_is_refused_before_it_is_stored(http, world):
    assert problem(send(http, b"x" * 2_000_001), 413) == ("body_too_large", None)
    assert world.documents.files == {}


def test_the_same_key_and_file_give_the_same_job_and_the_same_object(http, world):
    jobs = {send(http, headers={"Idempotency-Key": "k1"}).json()["job_id"] for _ in range(2)}
    assert len(jobs) == 1
    assert len(world.documents.files) == 1
    assert send(http, b"Another.", headers={"Idempotency-Key": "k1"}).json()["job_id"] in jobs
    assert len(world.documents.files) == 2


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"target_language": "nothing at all"}, ("malformed_language", "target_language")),
        ({"colour": "red"}, ("invalid_request", "colour")),
        ({"metadata": "no json"}, ("invalid_request", "metadata")),
        ({"metadata": "[1]"}, ("invalid_request", "metadata")),
        ({"priority": "7000"}, ("unknown_priority", "priority")),
        ({"deadline": "tomorrow"}, ("invalid_request", "deadline")),
        ({"content_sha256": "0" * 64}, ("content_changed", "content_sha256")),
        ({"file_name": "a/b.txt"}, ("bad_file_name", "file_name")),
        ({"request_id": "one", "headers": {"Idempotency-Key": "k"}}, ("two_ids", "request_id")),
    ],
)
def test_a_bad_form_is_refused_by_field_and_nothing_is_stored(http, world, fields, found):
    assert problem(send(http, **fields), 422) == found
    assert (world.appended, world.documents.files) == ([], {})


def test_a_form_without_a_file_and_a_body_that_is_no_form_are_refused(http):
    assert problem(http.post(URL, files={"other": b"x"}, data={"target_language": "pt"}), 422) == (
        "invalid_request",
        "file",
    )
    assert problem(http.post(URL, json={"target_language": "pt"}), 415)[0] == "unsupported_media_type"
    broken = http.post(URL, content=b"--x", headers={"Content-Type": "multipart/form-data"})
    assert problem(broken, 400)[0] == "malformed_body"


def test_what_is_wrong_with_a_form_names_a_cure_that_leads_to_one(http):
    form, field = {"content-type": "multipart/form-data; boundary=b"}, {"metadata": "x" * 200_000}
    wrong = [http.post(URL, json={}), http.post(URL, content=b"no part", headers=form), send(http, **field)]
    assert [one.status_code for one in wrong] == [415, 400, 400]
    assert {one.json()["cure"] for one in wrong} == {"send a multipart form with the file in the field file"}
    assert "text" not in send(http, b"x" * 2_100_000).json()["cure"]


CAPITAL_FORM = (
    b'--B\r\nContent-Disposition: form-data; name="target_language"\r\n\r\npt\r\n'
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nGood morning.\r\n--B--\r\n'
)


@pytest.mark.parametrize("kind", ["Multipart/Form-Data; boundary=B", "MULTIPART/FORM-DATA ; BOUNDARY=B"])
def test_the_type_of_a_form_may_be_written_in_capitals(http, kind):
    sent = http.post(URL, content=CAPITAL_FORM, headers={"Content-Type": kind})
    assert sent.status_code == 202, sent.text


def test_a_type_that_only_begins_like_that_of_a_form_is_none(http):
    kind = {"Content-Type": "multipart/form-data-of-mine; boundary=B"}
    assert problem(http.post(URL, content=CAPITAL_FORM, headers=kind), 415)[0] == "unsupported_media_type"


def test_a_charset_that_no_form_can_have_is_refused(http):
    body = b'--b\r\nContent-Disposition: form-data; name="target_language"\r\n\r\npt\r\n--b--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=b; charset=undefined"}
    assert problem(http.post(URL, content=body, headers=kind), 415)[0] == "unsupported_media_type"


def test_a_file_whose_name_is_written_as_in_headers_is_told_how_to_write_it(http):
    head = "Content-Disposition: form-data; name=\"file\"; filename*=utf-8''%D0%B0.txt"
    form = {"content-type": "multipart/form-data; boundary=b"}
    answer = http.post(URL, content=f"--b\r\n{head}\r\n\r\nText.\r\n--b--\r\n".encode(), headers=form)
    assert problem(answer, 422) == ("invalid_request", "file")
    assert "filename=" in answer.json()["cure"]


def test_who_shows_no_key_or_lacks_the_scope_uploads_nothing(http, world, store):
    assert problem(send(http.showing("")), 401)[0] == "no_credentials"
    texts_only = key_of(store, role="member", scopes=("translations:read", "translations:write"))
    assert problem(send(http.showing(texts_only.text)), 403)[0] == "missing_scope"
    assert problem(http.showing(texts_only.text).get(f"{URL}/job/download"), 403)[0] == "missing_scope"
    assert world.documents.files == {}


def test_a_document_of_another_tenant_does_not_exist(http, world, store):
    world.results[JOB] = result()
    theirs = http.showing(key_of(store, "globex", role="admin").text)
    for path in (f"{URL}/job", f"{URL}/job/download", "/api/v1/translations/job/download"):
        assert problem(theirs.get(path), 404)[0] == "unknown_job"
    assert problem(theirs.get(f"{URL}/job?tenant=default"), 404)[0] == "unknown_job"


def test_while_kafka_is_away_nothing_is_promised(http, world):
    world.take_away("kafka")
    assert send(http).status_code == 503


def result(**changes) -> TranslationResult:
    fields = {
        "request_id": "job",
        "tenant": "default",
        "kind": "document",
        "status": ResultStatus.COMPLETED,
        "target_language": "pt",
        "content_ref": "tenants/default/jobs/1/v1/file.txt",
        "content_type": "text/plain",
        "content_sha256": "ab" * 32,
        "file_name": "relatório.pt.txt",
        "completed_at": 1_700_000_000_000,
    }
    return TranslationResult(**{**fields, **changes})


def test_a_document_that_is_under_way_shows_its_stage_and_what_is_known_of_it(http, world):
    world.views[JOB] = JobView(
        key=JOB, stage=JobStage.EXTRACTING, kind="document", file_name="a.pptx", content_bytes=9, pages=3, words=70
    )
    job = http.get(f"{URL}/job").json()
    assert (job["stage"], job["is_finished"], job["result"]) == ("EXTRACTING", False, None)
    assert job["document_info"] == {
        "file_name": "a.pptx",
        "content_type": "",
        "content_bytes": 9,
        "pages": 3,
        "word_count": 70,
    }


def test_the_translated_file_is_sent_under_its_name(http, world):
    world.results[JOB] = result()
    world.documents.files["tenants/default/jobs/1/v1/file.txt"] = b"Bom dia."
    for url in (f"{URL}/job/download", "/api/v1/translations/job/download"):
        sent = http.get(url)
        assert (sent.status_code, sent.content) == (200, b"Bom dia.")
        assert sent.headers["Content-Disposition"] == (
            "attachment; filename=\"relat_rio.pt.txt\"; filename*=UTF-8''relat%C3%B3rio.pt.txt"
        )
        assert (sent.headers["Content-Length"], sent.headers["ETag"]) == ("8", f'"{"ab" * 32}"')
        assert sent.headers["X-Content-Type-Options"] == "nosniff"


MARK, LONG = "\ufeff", "a" * 1_000


@pytest.mark.parametrize(
    ("content", "media_type", "told"),
    [
        ("Olá.".encode(), "text/plain", "text/plain; charset=utf-8"),
        (b"", "text/plain", "text/plain; charset=utf-8"),
        (f"{MARK}Olá.".encode(), "text/csv", "text/csv; charset=utf-8"),
        (f"{MARK}Olá.".encode("utf-16-le"), "text/plain", "text/plain; charset=utf-16"),
        (f"{MARK}Olá.".encode("utf-16-be"), "text/plain", "text/plain; charset=utf-16"),
        (f"{MARK}Olá.".encode("utf-32-le"), "text/plain", "text/plain; charset=utf-32"),
        ("Olá.".encode("latin-1"), "text/plain", "text/plain"),
        ("Olá.".encode("latin-1"), "text/html; charset=iso-8859-1", "text/html; charset=iso-8859-1"),
        (b"PK\x03\x04\xff", "application/epub+zip", "application/epub+zip"),
    ],
)
def test_a_file_says_which_charset_it_is_in_where_that_can_be_told(http, world, content, media_type, told):
    world.results[JOB] = changed(result(), content_type=media_type)
    world.documents.files["tenants/default/jobs/1/v1/file.txt"] = content
    sent = http.get(f"{URL}/job/download")
    assert (sent.content, sent.headers["Content-Type"]) == (content, told)


@pytest.mark.parametrize(
    ("chunks", "charset"),
    [
        (["a" * 9, "é".encode("latin-1")], None),
        (["é" * 9, "é"], "utf-8"),
        (["é".encode()[:1], "é".encode()[1:]], None),
        (["é".encode() + "é".encode()[:1], "é".encode()[1:]], "utf-8"),
    ],
)
def test_of_a_long_file_the_beginning_has_to_tell(chunks, charset):
    content = [one.encode() if isinstance(one, str) else one for one in chunks]
    first, rest = asyncio.run(begun(iter(content)))
    assert b"".join(rest) == b"".join(content)
    assert charset_of(first, is_whole=False) == charset


def test_the_text_of_a_finished_text_can_be_downloaded_too(http, world):
    of_a_text = {"kind": "text", "content_ref": None, "file_name": None, "content_sha256": None}
    world.results[JOB] = result(text="Bom dia.", **of_a_text)
    sent = http.get("/api/v1/translations/job/download")
    assert (sent.text, sent.headers["Content-Disposition"].partition(";")[2].split(";")[0].strip()) == (
        "Bom dia.",
        'filename="job.pt.txt"',
    )


@pytest.mark.parametrize(
    ("found", "status", "cause"),
    [
        (result(status=ResultStatus.FAILED, content_ref=None, error_cause="no_text"), 409, "no_file"),
        (result(), 404, "file_expired"),
    ],
)
def test_where_there_is_no_file_the_answer_says_why(http, world, found, status, cause):
    world.results[JOB] = found
    assert problem(http.get(f"{URL}/job/download"), status) == (cause, "job_id")


def test_a_document_that_is_not_finished_has_no_file_yet(http, world):
    world.views[JOB] = JobView(key=JOB, kind="document")
    assert problem(http.get(f"{URL}/job/download"), 409) == ("not_finished", "job_id")


def test_who_has_just_heard_of_the_result_gets_the_file_though_redis_does_not_show_it_yet(http, world):
    world.views[JOB] = JobView(key=JOB, kind="document")
    world.documents.files["tenants/default/jobs/1/v1/file.txt"] = b"Bom dia."
    world.finishes_at_look[2] = result()
    assert http.get(f"{URL}/job/download", params={"wait": 1}).content == b"Bom dia."


def test_a_job_shows_a_document_without_reading_its_file(http, world):
    world.results[JOB] = result()
    job = http.get("/api/v1/translations/job").json()
    assert (job["result"]["text"], job["result"]["file_name"]) == (None, "relatório.pt.txt")


def test_too_many_uploads_at_a_time_are_refused():
    async def two_at_a_time() -> None:
        uploads = OpenUploads(1)
        async with uploads.one():
            with pytest.raises(OverloadedError):
                async with uploads.one():
                    pass
        async with uploads.one():
            pass

    asyncio.run(two_at_a_time())


def bilingual_job(world):
    world.documents.files |= {
        "tenants/default/jobs/x/v1/units": b"Bom dia.\x1eAbra.",
        source_units_name(JOB, "v7-txt-1"): json.dumps(
            [
                {"text": "Good morning.", "place": "line 1", "translate": True},
                {"text": "1234", "place": "line 2", "translate": False},
                {"text": "Open.", "place": "line 3", "translate": True},
            ]
        ).encode(),
    }
    world.results[JOB] = TranslationResult(
        **JOB._asdict(),
        kind="document",
        status=ResultStatus.PARTIAL,
        content_ref="tenants/default/jobs/x/v1/file.txt",
        units_ref="tenants/default/jobs/x/v1/units",
        file_name="a.pt.txt",
        source_language="en",
        target_language="pt",
        pipeline_version="v7-txt-1",
        holes=(Hole(segment=1, cause="truncated", unit=1),),
    )


def test_a_document_is_sent_in_both_languages_side_by_side(http, world):
    bilingual_job(world)
    for path in (f"{URL}/job/download", "/api/v1/translations/job/download"):
        sent = http.get(path, params={"bilingual": "csv"})
        assert (sent.status_code, sent.text) == (
            200,
            "place,en,pt\r\nline 1,Good morning.,Bom dia.\r\nline 3,Open.,Abra.\r\n",
        )
        assert 'filename="a.en-pt.csv"' in sent.headers["content-disposition"]
        assert sent.headers["x-content-type-options"] == "nosniff"
    xliff = http.get(f"{URL}/job/download", params={"bilingual": "xliff"})
    assert xliff.headers["content-type"].startswith("application/xliff+xml")
    assert (xliff.text.count('"translated"'), xliff.text.count('"initial"')) == (1, 1)


def test_what_cannot_be_shown_in_both_languages_is_told(http, world):
    bilingual_job(world)
    del world.documents.files["tenants/default/jobs/x/v1/units"]
    assert problem(http.get(f"{URL}/job/download?bilingual=tmx"), 404)[0] == "file_expired"
    assert problem(http.get(f"{URL}/job/download?bilingual=docx"), 422)[0] == "invalid_request"
    world.results[JOB] = TranslationResult(**JOB._asdict(), status=ResultStatus.COMPLETED, text="Bom dia.")
    assert problem(http.get(f"{URL}/job/download?bilingual=tmx"), 409)[0] == "no_source"


SENT: dict = {"target_language": "pt", "keep_source": True}


def kept(http, world, body: dict, **result) -> str:
    """Send texts whose source is kept, let them be answered so, and name their job."""
    job_id: str = http.post("/api/v1/translations", json=SENT | body).json()["job_id"]
    asked = world.appended[-1][0]
    world.results[asked.key] = TranslationResult(
        **asked.key._asdict(),
        status=ResultStatus.COMPLETED,
        source_language="en",
        target_language="pt",
        metadata=asked.metadata,
        source_characters=sum(map(len, asked.texts)) + len(asked.text or ""),
        **result,
    )
    return f"/api/v1/translations/{job_id}/download"


def test_a_text_whose_source_is_kept_is_sent_in_both_languages(http, world):
    hole = Hole(segment=1, cause="truncated", start=10, length=5)
    text = "Good\nmorning.\n\nOpen.\n"
    url = kept(http, world, {"text": text}, text="Bom\ndia.\n\nAbra.\n", holes=(hole,))
    sent = http.get(url, params={"bilingual": "csv"})
    assert (sent.status_code, sent.text) == (
        200, 'place,en,pt\r\nparagraph 1,"Good\nmorning.","Bom\ndia."\r\nparagraph 2,Open.,Abra.\r\n',
    )  # fmt: skip
    xliff = http.get(url, params={"bilingual": "xliff"}).text
    assert (xliff.count('"translated"'), xliff.count('"initial"')) == (1, 1)


def test_a_text_with_another_number_of_paragraphs_is_one_pair(http, world):
    url = kept(http, world, {"text": "One.\n\nTwo."}, text="Um. Dois.")
    assert http.get(url, params={"bilingual": "csv"}).text == 'place,en,pt\r\ntext,"One.\n\nTwo.",Um. Dois.\r\n'


def test_each_text_of_an_array_is_a_pair_with_its_id(http, world):
    texts = [{"id": "save", "text": "Save"}, "", "Open"]
    url = kept(http, world, {"texts": texts}, texts=("Salvar", "", "Abrir"), kind="texts")
    assert http.get(url, params={"bilingual": "csv"}).text == (
        "place,en,pt\r\nsave,Save,Salvar\r\ntext 3,Open,Abrir\r\n"
    )


def test_a_repeat_changes_no_source_that_is_kept_and_another_source_is_not_shown(http, world):
    url = kept(http, world, {"text": "Good morning.", "request_id": "a"}, text="Bom dia.")
    http.post("/api/v1/translations", json=SENT | {"text": "Bad", "request_id": "a"})
    assert "Good morning." in http.get(url, params={"bilingual": "csv"}).text
    key = world.appended[0][0].key
    world.results[key] = changed(world.results[key], source_characters=3)
    assert problem(http.get(url, params={"bilingual": "csv"}), 409)[0] == "no_source"
