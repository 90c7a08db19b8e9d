"""Several texts in one request, and several target languages in one call."""

import pytest

from connectors.redis.job_view import JobView
from producers.http.translations.text_ids import TEXT_IDS, text_ids_of
from schemas.errors import TransientError
from schemas.ids import JobKey
from schemas.message_parts import Hole
from schemas.messages import TranslationResult
from schemas.states import ResultStatus
from stream_apps.accounts.changes import Change, TenantChange, changed_tenant
from tests.accounts import NOW_MS, key_of
from tests.unit.producers.problem import problem_of

URL = "/api/v1/translations"
TEXTS = {"texts": ["Save", {"id": "b", "text": ""}, {"text": "Open"}], "source_language": "en"}


def answered(key, **fields):
    return TranslationResult(
        tenant=key.tenant,
        request_id=key.request_id,
        **{"status": ResultStatus.COMPLETED, "kind": "texts", **fields},
    )


def test_texts_go_to_kafka_as_one_request_and_their_ids_with_its_metadata(http, world):
    answer = http.post(URL, json=TEXTS | {"target_language": "pt", "metadata": {"ticket": "7"}})
    (request, _, _) = world.appended[0]
    assert answer.json()["job_id"] == request.request_id
    assert (request.text, request.texts) == (None, ["Save", "", "Open"])
    assert request.metadata == {"ticket": "7", TEXT_IDS: '[null,"b",null]'}


def test_texts_without_ids_add_nothing_to_the_metadata(http, world):
    http.post(URL, json={"texts": ["Save", "Open"], "target_language": "pt"})
    assert world.appended[0][0].metadata == {}


def test_translations_come_in_the_order_of_the_texts_with_their_ids(http, world):
    key = JobKey("default", "r1")
    metadata = {"ticket": "7", TEXT_IDS: '[null,"b",null]'}
    hole = Hole(segment=1, cause="truncated", start=0, length=4, unit=2)
    world.results[key] = answered(key, texts=("Salvar", "", "Open"), metadata=metadata, holes=(hole,))
    result = http.get(f"{URL}/r1").json()["result"]
    assert result["translations"] == [
        {"id": None, "text": "Salvar"},
        {"id": "b", "text": ""},
        {"id": None, "text": "Open"},
    ]
    assert (result["text"], result["metadata"], result["holes"][0]["unit"]) == (None, {"ticket": "7"}, 2)


def test_an_entry_of_that_name_in_the_metadata_of_a_single_text_is_its_callers(http, world):
    world.results[JobKey("default", "r1")] = TranslationResult(
        tenant="default", request_id="r1", status=ResultStatus.COMPLETED, text="Salvar", metadata={TEXT_IDS: "7"}
    )
    assert http.get(f"{URL}/r1").json()["result"]["metadata"] == {TEXT_IDS: "7"}


def test_a_large_array_of_the_object_store_is_shown_like_any_other(http, world):
    key = JobKey("default", "r1")
    world.texts["results/r1"] = "Salvar\x1e\x1eAbrir"
    world.results[key] = answered(key, content_ref="results/r1", units=3)
    result = http.get(f"{URL}/r1").json()["result"]
    assert [one["text"] for one in result["translations"]] == ["Salvar", "", "Abrir"]


@pytest.mark.parametrize("written", ["", "[", "[" * 5000, "{}", "7", '["a"]'])
def test_ids_that_somebody_else_wrote_do_no_harm(written):
    assert text_ids_of({TEXT_IDS: written}, 2) == [None, None]


def test_each_target_is_a_job_of_its_own_and_one_answer_lists_them(http, world):
    body = TEXTS | {"targets": ["pt-br", "es"], "request_id": "labels"}
    answer = http.post(URL, json=body)
    assert answer.status_code == 202
    assert [job["job_id"] for job in answer.json()["jobs"]] == ["labels.pt-BR", "labels.es"]
    assert [job["status_url"] for job in answer.json()["jobs"]] == [
        f"http://testserver{URL}/labels.pt-BR",
        f"http://testserver{URL}/labels.es",
    ]
    assert [(one.request_id, one.target_language, one.texts) for one, _, _ in world.appended] == [
        ("labels.pt-BR", "pt-BR", ["Save", "", "Open"]),
        ("labels.es", "es", ["Save", "", "Open"]),
    ]


def test_a_call_that_waits_gets_all_jobs_once_all_are_finished(http, world):
    body = {"text": "Save", "source_language": "en", "targets": ["pt", "es"], "request_id": "r1"}
    keys = [JobKey("default", f"r1.{target}") for target in ("pt", "es")]
    world.results[keys[0]] = answered(keys[0], kind="text", text="Salvar")
    world.views[keys[1]] = JobView(key=keys[1])
    waiting = http.post(f"{URL}?wait=0.05", json=body)
    assert (waiting.status_code, len(waiting.json()["jobs"])) == (202, 2)
    world.results[keys[1]] = answered(keys[1], kind="text", text="Guardar")
    answer = http.post(f"{URL}?wait=0.05", json=body)
    assert answer.status_code == 200
    assert [job["result"]["text"] for job in answer.json()["jobs"]] == ["Salvar", "Guardar"]


def test_the_same_key_gives_the_same_jobs_whatever_came_between(http):
    def ids(targets):
        answer = http.post(URL, json=TEXTS | {"targets": targets}, headers={"Idempotency-Key": "k"})
        return [job["job_id"] for job in answer.json()["jobs"]]

    first = ids(["pt", "es"])
    assert ids(["pt", "es", "fr"])[:2] == first


def test_one_target_that_nobody_serves_refuses_them_all(http, world):
    world.served = ["en-pt"]
    problem = problem_of(http.post(URL, json=TEXTS | {"targets": ["pt", "ja"]}), 422, "unsupported_pair")
    assert "en-ja" in problem["detail"]
    assert not world.appended


def test_a_call_that_its_tenant_cannot_afford_as_a_whole_takes_nothing(http, world, store):
    wish = TenantChange(tier=None, limits={"characters_per_day": 20})
    store.change(lambda found: [changed_tenant(found, "acme", wish, Change("tests", NOW_MS))])
    caller = http.showing(key_of(store, "acme").text)
    body = {"text": "12345678", "source_language": "en"}
    refused = caller.post(URL, json=body | {"targets": ["pt", "es", "fr"]})
    problem_of(refused, 429, "characters_used_up")
    assert not world.appended
    assert caller.post(URL, json=body | {"targets": ["pt", "es"]}).status_code == 202


def test_a_call_that_was_stored_in_part_says_how_to_complete_it(http, world):
    append = world.append

    async def failing(request, priority, headers):
        if request.target_language == "es":
            raise TransientError("Kafka did not acknowledge", 5)
        await append(request, priority, headers)

    world.append = failing
    body = TEXTS | {"targets": ["pt", "es"], "request_id": "r1"}
    problem = problem_of(http.post(URL, json=body), 503, "temporarily_unavailable")
    assert "1 of 2 jobs may not be stored; the same call with request_id r1" in problem["detail"]
    world.append = append
    assert http.post(URL, json=body).status_code == 202
    assert {one.request_id for one, _, _ in world.appended} == {"r1.pt", "r1.es"}
