"""Files through the interfaces of LibreTranslate and DeepL, by their own words and by DeepL's client."""

import io
from urllib.parse import urlsplit

import deepl
import pytest

from connectors.redis.job_view import JobView
from producers.http.compatible.documents import FileKey
from schemas.accounts import TenantStatus
from schemas.messages import TranslationRequest, TranslationResult
from schemas.states import JobStage, ResultStatus
from stream_apps.accounts.changes import Change, TenantChange, changed_tenant
from tests.accounts import NOW_MS, key_of

SENT = {"source": "en", "target": "pt"}
DEEPL = {"source_lang": "EN", "target_lang": "PT-BR"}


def shouted(world):
    """Answer a document as the pipeline would, whose engine writes capitals."""

    def answer(request: TranslationRequest) -> TranslationResult:
        ref = f"tenants/{request.tenant}/jobs/x/v1/file.txt"
        world.documents.files[ref] = world.documents.files[request.content_ref or ""].upper()
        return TranslationResult(
            **request.key._asdict(),
            kind="document",
            status=ResultStatus.COMPLETED,
            content_ref=ref,
            content_type="text/plain",
            file_name="a.pt.txt",
            source_characters=13,
        )

    return answer


def failed(request: TranslationRequest) -> TranslationResult:
    return TranslationResult(
        **request.key._asdict(),
        kind="document",
        status=ResultStatus.FAILED,
        error_cause="no_text",
        error_message="nothing to translate",
        error_field="content_ref",
    )


@pytest.fixture
def answering(http, world):
    world.answer, world.served = shouted(world), ["en-pt", "pt-en"]
    return http


def sent(http, path="/translate_file", name="a.txt", content=b"Good morning.", **fields):
    data = fields or (SENT if path == "/translate_file" else DEEPL)
    return http.post(path, files={"file": (name, content, "text/plain")}, data=data)


def of_result(world):
    """The tail has told of the result; a later look finds it where results are kept."""
    world.results.update(world.published)


def test_a_file_is_translated_while_its_sender_waits_and_fetched_by_its_address(answering, world, store):
    answer = sent(answering)
    assert answer.status_code == 200, answer.text
    ((asked, priority, _),) = world.appended
    assert (asked.file_name, asked.target_language, asked.filter_options) == ("a.txt", "pt", {})
    assert priority == "standard"
    of_result(world)
    address = urlsplit(answer.json()["translatedFileUrl"])
    assert address.path.startswith("/download_file/default.")
    assert address.path.endswith(".a.txt")
    assert asked.request_id not in address.path
    got = answering.showing("").get(address.path)
    assert (got.status_code, got.content) == (200, b"GOOD MORNING.")
    assert 'filename="a.pt.txt"' in got.headers["content-disposition"]


def test_a_file_that_takes_longer_than_the_wait_has_its_address_all_the_same(answering, world):
    world.answer = None
    answer = sent(answering)
    address = urlsplit(answer.json()["translatedFileUrl"]).path
    key = world.appended[0][0].key
    world.views[key] = JobView(key=key, stage=JobStage.EXTRACTING)
    waiting = answering.get(address)
    assert (waiting.status_code, waiting.json()) == (503, {"error": waiting.json()["error"]})
    assert "not finished" in waiting.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/download_file/x",
        "/download_file/default.abc.txt",
        f"/download_file/default.{'0' * 64}",
    ],
)
def test_an_address_that_was_never_told_opens_nothing(answering, path):
    assert answering.get(path).status_code == 404


def test_only_who_knows_an_address_hears_that_its_tenant_is_suspended(answering, world, store):
    told = urlsplit(sent(answering).json()["translatedFileUrl"]).path
    of_result(world)
    never_told = "/download_file/{}.{}".format
    wish = TenantChange(status=TenantStatus.SUSPENDED)
    store.change(lambda found: [changed_tenant(found, "default", wish, Change("tests", NOW_MS))])
    strangers = [
        answering.get(never_told(tenant, rest)) for tenant in ("default", "nobody") for rest in ("x", "0" * 64)
    ]
    assert {one.status_code for one in strangers} == {404}
    assert answering.get(told).status_code == 403


def test_a_file_that_cannot_be_read_is_the_senders_mistake(answering, world):
    world.answer = failed
    answer = sent(answering)
    assert (answer.status_code, answer.json()) == (400, {"error": "nothing to translate"})


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/translate_file", {"source": "en"}, "target is missing"),
        ("/translate_file", {"source": "en", "target": "ja"}, "no model translates en-ja"),
        ("/v2/document", {"source_lang": "en"}, "target_lang is missing"),
        ("/v2/document", {**DEEPL, "formality": "more"}, "formality"),
        ("/v2/document", {"target_lang": "pt", "glossary_id": "a"}, "send it with glossary_id"),
    ],
)
def test_a_wrong_field_is_told_by_its_name(answering, world, path, fields, words):
    answer = sent(answering, path, **fields)
    assert answer.status_code == 400
    assert words in next(iter(answer.json().values()))
    assert not world.appended


@pytest.mark.parametrize(("path", "name"), [("/translate_file", "error"), ("/v2/document", "message")])
def test_what_is_no_upload_is_refused_in_the_words_of_the_original(answering, path, name):
    answer = answering.post(path, json={"target": "pt"})
    assert answer.status_code == 415
    assert "multipart" in answer.json()[name]
    answer = answering.post(path, files={"other": ("a.txt", b"a")}, data=SENT | DEEPL)
    assert (answer.status_code, "file is missing" in answer.json()[name]) == (400, True)
    answer = answering.post(path, data={"file": "its text"}, files={"other": ("a.txt", b"a")})
    assert (answer.status_code, "filename=" in answer.json()[name]) == (400, True)
    strange = {"content-type": "multipart/form-data; boundary=b; charset=undefined"}
    part = b'--b\r\nContent-Disposition: form-data; name="target"\r\n\r\npt\r\n--b--\r\n'
    assert answering.post(path, content=part, headers=strange).status_code == 415


@pytest.mark.parametrize("path", ["/translate_file", "/v2/document"])
def test_the_type_of_a_form_may_be_written_in_capitals(answering, path):
    body = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--B--\r\n'
    answer = answering.post(path, content=body, headers={"Content-Type": "Multipart/Form-Data; boundary=B"})
    assert (answer.status_code, "file is missing" in answer.text) == (400, True), answer.text


def test_who_shows_no_key_sends_no_file(answering, store):
    assert sent(answering.showing("")).status_code == 403
    viewer = key_of(store, "acme", role="viewer").text
    assert "documents:write" in sent(answering.showing(""), **SENT, api_key=viewer).json()["error"]
    member = key_of(store, "acme", role="member").text
    assert sent(answering.showing(""), **SENT, api_key=member).status_code == 200


@pytest.fixture
def client(url, store):
    return deepl.DeepLClient(key_of(store, "acme", role="member").text, server_url=url)


def test_deepls_client_translates_a_document(client, world, tmp_path):
    world.answer, world.look = shouted(world), looking_at_published(world)
    (tmp_path / "a.txt").write_bytes(b"Good morning.")
    output = tmp_path / "b.txt"
    status = client.translate_document_from_filepath(
        tmp_path / "a.txt", output, target_lang="PT-BR", source_lang="EN"
    )
    assert (status.done, status.billed_characters, output.read_bytes()) == (True, 13, b"GOOD MORNING.")
    ((asked, _, _),) = world.appended
    assert (asked.tenant, asked.file_name, asked.target_language) == ("acme", "a.txt", "pt-BR")


def looking_at_published(world):
    look = world.look

    async def at_once(key):
        of_result(world)
        return await look(key)

    return at_once


def test_deepls_client_hears_how_far_a_document_is_and_why_it_failed(client, world, monkeypatch):
    monkeypatch.setattr(deepl.http_client, "max_network_retries", 0)
    world.answer = None
    handle = client.translate_document_upload(b"Good morning.", target_lang="PT-BR", filename="a.txt")
    key = world.appended[0][0].key
    world.views[key] = JobView(key=key)
    assert client.translate_document_get_status(handle).status.value == "queued"
    world.views[key] = JobView(key=key, stage=JobStage.SEGMENTED)
    assert client.translate_document_get_status(handle).status.value == "translating"
    with pytest.raises(deepl.DocumentNotReadyException):
        client.translate_document_download(handle, io.BytesIO())
    world.results[key] = failed(world.appended[0][0])
    status = client.translate_document_get_status(handle)
    assert (status.ok, status.error_message) == (False, "nothing to translate")


def test_another_format_is_asked_for_by_its_ending(answering, world):
    for name, wanted in (("a.pdf", "docx"), ("a.docx", "docx")):
        sent(answering, "/v2/document", name, **DEEPL, output_format=wanted)
    assert [asked.filter_options for asked, _, _ in world.appended] == [{"output": "docx"}, {}]


def test_a_document_opens_by_its_own_key_for_its_own_tenant_only(answering, world, store):
    handle = sent(answering, "/v2/document").json()
    path, key = f"/v2/document/{handle['document_id']}", {"document_key": handle["document_key"]}
    of_result(world)
    assert answering.post(path, data=key).json()["status"] == "done"
    assert answering.get(path, params=key).json()["status"] == "done"
    assert answering.post(path, json={"document_key": "0" * 64}).status_code == 404
    assert answering.post(path).status_code == 404
    stranger = answering.showing(key_of(store, "acme", role="member").text)
    assert stranger.post(path, data=key).status_code == 404
    assert stranger.post(f"{path}/result", data=key).status_code == 404
    assert answering.post(f"{path}/result", data=key).content == b"GOOD MORNING."


def test_a_job_id_tells_nothing_of_the_secret_behind_it():
    key = FileKey("acme", "0" * 64)
    assert key.is_sound
    assert not key._replace(secret="0" * 63).is_sound
    assert (
        key.job.request_id == FileKey("acme", "0" * 64).job.request_id != FileKey("acme", "1" * 64).job.request_id
    )
    assert key.secret not in str(key.job)
