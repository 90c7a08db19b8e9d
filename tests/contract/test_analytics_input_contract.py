"""Whatever stands in a parameter of the analytics process: it is refused with a cure, or is a value like others.

The table holds every parameter of every route; a route or parameter that it does not know fails the first test.
"""

import inspect
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import pytest
from fastapi.routing import APIRoute

from stream_apps.dashboard import parameters, routes
from stream_apps.dashboard.panels import PAGES, PANELS
from stream_apps.dashboard.routes import Dashboard, dashboard_router
from stream_apps.dashboard.settings import DashboardSection
from stream_apps.usage_sink import query_server
from stream_apps.usage_sink.query_server import Access, QueryServer, query_app
from stream_apps.usage_sink.settings import QueryLimits
from tests.unit.stream_apps.test_dashboard_parameters import INJECTIONS, NAMES

TOKEN = "a token of this test"
PANEL = "/dashboard/api/panels/words_by_pair"
ABSURD = [
    "9" * 400,
    "-1",
    "1e309",
    "NaN",
    "\x00",
    "\ufffe",
    "a" * 3000,
    " ",
    "\N{ARABIC-INDIC DIGIT ONE}",
    "%",
    "&#0;",
]
VALUES = [*INJECTIONS, *ABSURD]


@dataclass(frozen=True)
class Place:
    """Where a value is put, and what comes of it: one of these statuses, or a value that is looked for."""

    name: str
    where: Literal["query", "path", "header", "body"]
    route: str
    refused: tuple[int, ...]
    # A name of a tenant may be anything: then it finds nothing.
    may_be_a_value: bool = False


PLACES = [
    *(Place(name, "query", PANEL, (400,), name in ("tenant", "model")) for name in NAMES),
    Place("panel_id", "path", "/dashboard/api/panels/{}", (404,)),
    Place("any other", "query", PANEL, (400,)),
    Place("query", "query", "/", (400, 403)),
    Place("body", "body", "/", (400, 403)),
    Place("default_format", "query", "/?query=SELECT+1", (400,)),
    Place("X-ClickHouse-Format", "header", "/?query=SELECT+1", (400,)),
    Place("Authorization", "header", PANEL, (401,)),
    Place("Cookie", "header", PANEL, (401,)),
    Place("ticket", "query", "/dashboard/in", (303,)),
]


@pytest.fixture(scope="module")
def client(database) -> Iterator[httpx.Client]:
    limits, access = QueryLimits(10, 1000), Access("127.0.0.1", 0, TOKEN)
    with (
        closing(QueryServer([database], access, limits, DashboardSection())) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as made,
    ):
        yield made


def put(client: httpx.Client, place: Place, value: str) -> httpx.Response:
    """Ask with the value in its place."""
    headers: dict[str, Any] = {"Authorization": f"Bearer {TOKEN}"}
    match place.where:
        case "path":
            quoted = "".join(f"%{byte:02x}" for byte in value.encode())
            return client.get(place.route.format(quoted), headers=headers)
        case "header":
            if place.name == "Cookie":
                headers = {}
            # Neither zeros nor blanks at its ends are sent by any client's library.
            sent = value.replace("\x00", "").strip().encode()
            return client.get(place.route, headers={**headers, place.name: sent})
        case "body":
            return client.post(place.route, content=value.encode(), headers=headers)
        case _:
            name = value if place.name == "any other" else place.name
            url = httpx.URL(place.route)
            return client.get(url.copy_merge_params({name: value}), headers=headers)


def test_the_table_knows_every_parameter_of_every_route():
    nothing: Any = None  # nobody asks here
    app = query_app(nothing, Access("127.0.0.1", 0, TOKEN), QueryLimits(5, 10), frozenset())
    asked = Dashboard(nothing, nothing, TOKEN, DashboardSection())
    paths = {
        route.path for one in (app, dashboard_router(asked)) for route in one.routes if isinstance(route, APIRoute)
    }
    # They read no parameter: what a page, a link or a session is needs the header alone.
    bare = {"/ping", "/dashboard", "/dashboard/", "/dashboard/links", "/dashboard/session", "/dashboard/api/pages"}
    known = {
        "/",
        "/dashboard/in",
        "/dashboard/api/panels/{panel_id}",
        *(f"/dashboard/{page.id}" for page in PAGES),
    }
    assert paths == bare | known
    read = re.compile(r'(?:query_params|headers|path_params)(?:\.get(?:list)?\(|\[)"(\w[\w-]*)"')
    of_code = set(read.findall(inspect.getsource(query_server) + inspect.getsource(routes)))
    assert of_code | set(parameters._NAMES) <= {place.name for place in PLACES}


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.name} of {place.route}")
def test_what_a_stranger_writes_is_refused_with_a_cure_or_is_a_value(client, database, place):
    before = database.rows("SELECT count(), (SELECT count() FROM system.tables) FROM usage_events")
    for value in VALUES:
        answer = put(client, place, value)
        if place.name == "ticket":
            assert (answer.status_code, "signed-in=no" in answer.headers["location"]) == (303, True), value
        elif answer.status_code == 200:
            # The default, or the name of nobody.
            assert place.may_be_a_value or not value.replace("\x00", "").strip(), value
            assert "format" in place.name.lower() or answer.json()["rows"] == []
        else:
            told = answer.json()
            assert (answer.status_code in place.refused, "Traceback" in answer.text) == (True, False), (
                value,
                told,
            )
            assert told.get("cure") or told["detail"], value
    assert database.rows("SELECT count(), (SELECT count() FROM system.tables) FROM usage_events") == before


@pytest.mark.slow
@pytest.mark.parametrize("panel", sorted(PANELS))
def test_no_panel_lets_a_name_into_its_sql(client, panel):
    for value in (INJECTIONS[0], INJECTIONS[3], INJECTIONS[4], INJECTIONS[6]):
        for name in ("tenant", "model"):
            answer = client.get(
                f"/dashboard/api/panels/{panel}",
                params={name: value},
                headers={"Authorization": f"Bearer {TOKEN}"},
            )
            assert answer.status_code == 200, (name, value, answer.text)
