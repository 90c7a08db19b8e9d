"""GET /api/v1/formats: what is taken as a document."""

from connectors.formats.registry import FORMATS
from tests.accounts import key_of
from tests.unit.producers.problem import problem_of

URL = "/api/v1/formats"


def test_every_format_is_listed_with_its_names_and_the_largest_file(http):
    answer = http.get(URL).json()
    assert [one["name"] for one in answer["formats"]] == list(FORMATS)
    assert answer["max_document_bytes"] == http.app.state.limits.max_document_bytes
    by_name = {one["name"]: one for one in answer["formats"]}
    assert by_name["docx"]["extensions"] == ["docx", "dotx"]
    assert by_name["html"]["media_types"][0] == "text/html"
    assert by_name["pdf"]["outputs"] == ["docx", "md"]
    assert by_name["csv"]["options"] == ["columns", "header", "output"]


def test_it_needs_the_scope_of_documents(http, store):
    key = key_of(store, "acme", scopes=["translations:read"]).text
    problem_of(http.showing(key).get(URL), 403, "missing_scope")
