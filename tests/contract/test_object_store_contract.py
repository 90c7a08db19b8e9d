"""One suite for every object store that needs no cloud; the client is the same for the others."""

import time

import pytest
from pydantic import ValidationError

from connectors.object_store import ObjectSettings, open_objects, open_shared_objects
from schemas.errors import FatalError, PermanentError, TransientError


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    url = "memory:///" if request.param == "memory" else (tmp_path / "objects with space").as_uri()
    return open_objects(ObjectSettings(url=url))


def test_a_written_text_is_read_back(store):
    ref = store.write_text("results/2024/a.txt", "Olá, 世界 🌍\r\n")
    assert store.read_text(ref, 1000) == "Olá, 世界 🌍\r\n"


def test_the_same_name_replaces(store):
    store.write_text("a.txt", "long old text")
    assert store.read_text(store.write_text("a.txt", "new"), 1000) == "new"


def test_texts_are_listed_with_their_time_and_deleted(store):
    # A store may have another clock than we.
    before_ms = time.time_ns() // 1_000_000
    refs = [store.write_text(f"tenants/{name}/results/x.txt", "x") for name in "ab"]
    store.write_text("others/c.txt", "x")
    found = list(store.texts("tenants"))
    assert sorted(text.ref for text in found) == refs
    assert all(before_ms - 2000 < text.written_ms < time.time_ns() // 1_000_000 + 2000 for text in found)
    store.delete(refs[:1])
    store.delete(refs[:1])
    assert [text.ref for text in store.texts("tenants")] == refs[1:]


def test_a_text_that_is_gone_already_keeps_no_other_from_being_deleted(store):
    refs = [store.write_text(f"tenants/a/results/{number}.txt", "x") for number in range(100)]
    store.delete(refs[:1])
    store.delete(refs)
    assert list(store.texts("tenants")) == []


def test_a_store_without_texts_has_none_to_list(store):
    assert list(store.texts("tenants")) == []


@pytest.mark.parametrize("days", [-1, 1, 7])
def test_texts_that_would_go_before_their_requests_are_refused(days):
    with pytest.raises(ValidationError, match="job_days"):
        ObjectSettings(job_days=days)
    assert ObjectSettings(job_days=0).job_days == 0


def test_a_missing_object_names_content_ref(store):
    with pytest.raises(PermanentError, match="does not exist") as refused:
        store.read_text("nobody.txt", 1000)
    assert (refused.value.cause, refused.value.field) == ("content_missing", "content_ref")


def test_an_object_over_the_limit_is_refused(store):
    store.write_text("big.txt", "x" * 101)
    with pytest.raises(PermanentError, match="101 bytes") as refused:
        store.read_text("big.txt", 100)
    assert (refused.value.cause, refused.value.limit) == ("text_too_long", "100 bytes")


@pytest.mark.parametrize(
    "ref",
    [
        "../secret",
        "/etc/passwd",
        "a/../../b",
        "a//b",
        "",
        "file:///etc/passwd",
        "a/.hidden",
        "a\\b",
        "a%2f..",
        "x" * 513,
    ],
)
def test_a_reference_cannot_leave_the_store(store, ref):
    with pytest.raises(PermanentError) as refused:
        store.read_text(ref, 1000)
    assert (refused.value.cause, refused.value.field) == ("bad_content_ref", "content_ref")
    with pytest.raises(PermanentError):
        store.write_text(ref, "x")


def test_bytes_that_are_not_utf8_are_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(PermanentError, match="not UTF-8"):
        open_objects(ObjectSettings(url=tmp_path.as_uri())).read_text("a.txt", 1000)


def test_a_store_that_is_away_is_a_transient_failure(monkeypatch):
    for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("ENDPOINT", "http://127.0.0.1:1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    store = open_objects(ObjectSettings(url="s3://bucket/prefix", timeout_seconds=1, retries=0))
    with pytest.raises(TransientError, match="object store"):
        store.read_text("a.txt", 1000)


@pytest.mark.parametrize("url", ["nowhere://x", "not a url"])
def test_a_url_that_means_nothing_is_fatal(url):
    with pytest.raises(FatalError, match="DRAGOMAN_OBJECTS_URL"):
        open_objects(ObjectSettings(url=url))


def test_without_a_shared_store_texts_are_refused_with_limit_and_cure():
    store = open_shared_objects(ObjectSettings(url="memory:///"), 500, "text_too_long", field="text")
    with pytest.raises(PermanentError) as refused:
        store.write_text("requests/a.txt", "x" * 501)
    assert (refused.value.cause, refused.value.field) == ("text_too_long", "text")
    assert "500 bytes" in (refused.value.limit or "")
    with pytest.raises(PermanentError) as unread:
        store.read_text("results/a.txt", 1000)
    for error in (refused.value, unread.value):
        assert "DRAGOMAN_OBJECTS_URL" in (error.cure or "")


def test_with_a_shared_store_it_is_opened(tmp_path):
    store = open_shared_objects(ObjectSettings(url=tmp_path.as_uri()), 500, "text_too_long")
    assert store.read_text(store.write_text("a.txt", "text"), 1000) == "text"
