"""Files through the whole platform: by Kafka and by HTTP, cancelled, refused, and the command line."""

import io
import json
import os
import re
import subprocess
import sys
import time
import uuid
import zipfile
from pathlib import Path

import deepl
import httpx
import pytest

from schemas.documents import source_name
from schemas.ids import JobKey
from tests.outside import Outside

ROOT = Path(__file__).parents[2]
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DOCUMENT_XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<w:document xmlns:w="{_W}"><w:body>
<w:p><w:r><w:t xml:space="preserve">Open the </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>small door</w:t></w:r>\
<w:r><w:t xml:space="preserve"> now. Then wait.</w:t></w:r></w:p>
<w:p><w:r><w:t>The engine is cold.</w:t></w:r></w:p>
</w:body></w:document>"""


@pytest.fixture
def http(stack):
    with httpx.Client(base_url=f"{stack.http_url}/api/v1", headers=stack.headers, timeout=30) as client:
        yield client


def word_file() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        types = f'<Types xmlns="{_TYPES}"><Override PartName="/word/document.xml" ContentType="{_MAIN}"/></Types>'
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("word/document.xml", DOCUMENT_XML)
    return written.getvalue()


def upload(http: httpx.Client, name: str, content: bytes, **fields: str) -> str:
    asked = {"source_language": "en", "target_language": "pt", "priority": "critical", **fields}
    return str(
        http.post("/documents", files={"file": (name, content)}, data=asked).raise_for_status().json()["job_id"]
    )


def finished(http: httpx.Client, job_id: str) -> dict:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = http.get(f"/documents/{job_id}", params={"wait": 10})
        if found.status_code == 200 and found.json()["is_finished"]:
            return dict(found.json())
    raise AssertionError("not in time")


def test_a_word_file_comes_back_as_a_word_file_with_its_bold_words(http):
    job = finished(http, job_id := upload(http, "manual.docx", word_file()))
    info, result = job["document_info"], job["result"]
    assert (job["status"], job["stage"], info["file_name"], info["word_count"]) == (
        "COMPLETED",
        "FINISHED",
        "manual.docx",
        11,
    )
    sent = http.get(f"/translations/{job_id}/download")
    assert 'filename="manual.pt.docx"' in sent.headers["Content-Disposition"]
    assert len(sent.content) == result["content_bytes"]
    with zipfile.ZipFile(io.BytesIO(sent.content)) as archive:
        text = archive.read("word/document.xml").decode()
    assert text.count("<w:b/>") == 1
    assert "motor" in text
    assert "engine" not in text
    both = http.get(f"/translations/{job_id}/download", params={"bilingual": "xliff"}).raise_for_status()
    assert 'filename="manual.en-pt.xlf"' in both.headers["Content-Disposition"]
    first, second = re.findall("<source[^>]*>(.*?)</source><target[^>]*>(.*?)</target>", both.text)
    assert first[0] == 'Open the <pc id="1">small door</pc> now. Then wait.'
    assert (first[1].count('<pc id="1">'), second[0], "motor" in second[1]) == (1, "The engine is cold.", True)


def test_programs_that_speak_deepl_and_libretranslate_translate_files(stack, tmp_path):
    key = stack.headers["Authorization"].removeprefix("Bearer ")
    (tmp_path / "a.docx").write_bytes(word_file())
    status = deepl.DeepLClient(key, server_url=stack.http_url).translate_document_from_filepath(
        tmp_path / "a.docx", tmp_path / "b.docx", source_lang="EN", target_lang="PT-BR", timeout_s=60
    )
    assert status.done
    with zipfile.ZipFile(tmp_path / "b.docx") as archive:
        assert "motor" in archive.read("word/document.xml").decode()
    sent = httpx.post(
        f"{stack.http_url}/translate_file",
        files={"file": ("a.html", b"<p>The <b>engine</b> is cold.</p>")},
        data={"source": "en", "target": "pt", "api_key": key},
        timeout=60,
    )
    got = httpx.get(sent.raise_for_status().json()["translatedFileUrl"], timeout=60).raise_for_status()
    assert "<b>motor</b>" in got.text


def test_a_file_in_the_inbox_of_a_tenant_is_answered_once_with_a_file(stack):
    outside = Outside(stack.kafka_bootstrap)
    results = outside.tail("translation.results")
    objects = stack.root / "data" / "objects"
    ref = f"tenants/default/inbox/{uuid.uuid4().hex}.md"
    (objects / ref).parent.mkdir(parents=True, exist_ok=True)
    (objects / ref).write_bytes(b"# The engine\r\n\r\nIt is *cold*.\r\n")
    asked = {"text": None, "content_ref": ref, "file_name": "notes.md"}
    request_id = outside.send_request("high", tenant="default", **asked)
    found = results.of(request_id)
    results.more(1.0)
    assert results.counts()[request_id] == 1
    assert (found["status"], found["kind"], found["text"], found["file_name"]) == (
        "COMPLETED",
        "document",
        None,
        "notes.pt.md",
    )
    merged = (objects / found["content_ref"]).read_bytes()
    assert merged.startswith(b"# ")
    assert (merged.count(b"\r\n"), merged.count(b"*"), len(merged)) == (3, 2, found["content_bytes"])
    results.close()


def test_a_file_that_is_none_of_ours_is_answered_with_its_reason_and_a_foreign_one_does_not_exist(http, stack):
    job = finished(http, upload(http, "a.bin", os.urandom(2_000)))
    assert (job["status"], job["result"]["error"]["cause"]) == ("FAILED", "unknown_format")
    assert http.get(f"/documents/{job['job_id']}/download").status_code == 409
    asked = {"text": None, "content_ref": "tenants/acme/inbox/a.txt"}
    outside = Outside(stack.kafka_bootstrap)
    results = outside.tail("translation.results")
    foreign = results.of(outside.send_request("high", tenant="default", **asked))
    assert (foreign["status"], foreign["error_cause"]) == ("FAILED", "foreign_content_ref")
    results.close()


def test_a_document_is_cancelled_while_it_waits_for_extraction(http, stack):
    with stack.frozen("extraction"):
        job_id = upload(http, "late.txt", b"Nobody waits for this any more.")
        end = time.monotonic() + 30
        while http.get(f"/documents/{job_id}").json()["stage"] != "EXTRACTING":
            assert time.monotonic() < end
            time.sleep(0.05)
        assert http.delete(f"/translations/{job_id}").status_code == 202
        assert finished(http, job_id)["status"] == "CANCELLED"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_file_that_could_not_be_put_together_is_merged_again_from_its_translation_and_billed_once(http, stack):
    with stack.frozen("merging"):
        job_id = upload(http, "manual.docx", word_file())
        until(lambda: http.get(f"/documents/{job_id}").json()["stage"] == "SEGMENTED")
        copy = stack.root / "data" / "objects" / source_name(JobKey("default", job_id))
        whole = copy.read_bytes()
        copy.write_bytes(b"This is no archive any more.")
    failed = finished(http, job_id)
    assert (failed["status"], failed["result"]["error"]["cause"]) == ("FAILED", "malformed_document")
    assert http.get(f"/documents/{job_id}/download").status_code == 409
    # While the file is damaged, a redrive fails as the merge did.
    assert redriven(stack, job_id) == 1
    until(lambda: [one["stage"] for one in open_dead_letters(stack, job_id)] == ["merging"])
    assert http.get(f"/documents/{job_id}").json()["status"] == "FAILED"
    copy.write_bytes(whole)
    assert [one["stage"] for one in http.get("/dead-letters", params={"job_id": job_id}).json()] == ["merging"]
    told = http.post(f"/translations/{job_id}/redrive").raise_for_status().json()
    assert (len(told["closed"]), told["version"], told["refused"]) == (1, 3, [])
    until(lambda: http.get(f"/documents/{job_id}").json()["status"] == "COMPLETED")
    sent = http.get(f"/documents/{job_id}/download").raise_for_status()
    with zipfile.ZipFile(io.BytesIO(sent.content)) as archive:
        assert "motor" in archive.read("word/document.xml").decode()
    billed = f"SELECT status, source_words FROM usage_events WHERE kind = 'billed' AND request_id = '{job_id}'"
    until(lambda: len(stack.analytics().rows(billed)) == 3)
    found = sorted((one["status"], one["source_words"]) for one in stack.analytics().rows(billed))
    assert found == [("COMPLETED", 11), ("FAILED", 0), ("FAILED", 0)]
    assert open_dead_letters(stack, job_id) == []
    assert http.post(f"/translations/{job_id}/redrive").status_code == 404


def dead_letters(stack, *words: str) -> str:
    command = [sys.executable, "-m", "producers.cli.main", "dead-letters", *words, "--json"]
    environment = os.environ | {"DRAGOMAN_LOCAL_ROOT": str(stack.root)}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    ).stdout


def open_dead_letters(stack, job_id: str) -> list[dict]:
    return list(json.loads(dead_letters(stack, "list", "--request", job_id)))


def redriven(stack, job_id: str) -> int:
    """Redrive what is open of the job, and return how many dead letters that closed."""
    return len(json.loads(dead_letters(stack, "redrive", "--request", job_id))["closed"])


def until(is_so, timeout_seconds: float = 60.0) -> None:
    end = time.monotonic() + timeout_seconds
    while not is_so():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)


def test_the_command_translates_a_folder_and_finds_nothing_left_to_do(stack, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("The house is green.\n")
    (tmp_path / "in/b.html").write_text("<p>The house is <b>red</b>.</p>")
    command = [sys.executable, "-m", "producers.cli.main", "document", str(tmp_path / "in"), "--from", "en"]
    command += ["--to", "pt", "--output", str(tmp_path / "out")]
    environment = os.environ | {"DRAGOMAN_LOCAL_ROOT": str(stack.root)}
    first, second = (
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert sorted(first.stdout.split()) == [str(tmp_path / "out/a.pt.txt"), str(tmp_path / "out/b.pt.html")]
    assert "casa" in (tmp_path / "out/a.pt.txt").read_text()
    assert (second.stdout, second.stderr.startswith("2 translated before")) == ("", True)
