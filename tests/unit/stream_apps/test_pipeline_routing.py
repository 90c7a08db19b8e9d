"""The pool and the model that a request goes to."""

import asyncio

import pytest

from connectors.memory import FixedModelVersions
from schemas.errors import PermanentError
from schemas.languages import Language, served_as
from schemas.priorities import Priority
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.routing import Route, model_version, pool_of

BRITISH, BRAZILIAN = Language("en", None, "GB"), Language("pt", None, "BR")
PAIRS = served_as(BRITISH, BRAZILIAN)


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        (Route(pool="p"), True),
        (Route(pool="p", priorities=(Priority.CRITICAL,)), True),
        (Route(pool="p", priorities=(Priority.HIGH,)), False),
        (Route(pool="p", pairs=("en-pt",)), True),
        (Route(pool="p", pairs=("en-de",)), False),
        (Route(pool="p", min_words=10, max_words=10), True),
        (Route(pool="p", min_words=11), False),
        (Route(pool="p", max_words=9), False),
    ],
)
def test_every_condition_of_a_route_must_fit(route, fits):
    assert pool_of([route], "default", Priority.CRITICAL, PAIRS, 10) == ("p" if fits else "default")


def test_the_first_route_that_fits_wins():
    routes = [Route(pool="large", min_words=100), Route(pool="small"), Route(pool="never")]
    assert pool_of(routes, "default", Priority.HIGH, PAIRS, 10) == "small"


def test_routes_are_configured_as_json(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_INTAKE_ROUTES", '[{"pool": "premium", "priorities": ["critical"]}]')
    assert IntakeLimits().routes == (Route(pool="premium", priorities=(Priority.CRITICAL,)),)


def version(served, configured=("en-pt",)):
    models = FixedModelVersions({"default": served})
    return asyncio.run(model_version(models, "default", BRITISH, BRAZILIAN, configured))


def test_the_most_specific_model_is_taken():
    assert version({"en-pt": "general", "en-pt-BR": "brazilian"}) == "brazilian"


def test_a_pair_that_no_worker_serves_is_refused_with_the_list_of_those_served():
    with pytest.raises(PermanentError) as refused:
        version({"pt-en": "1", "de-en": "1"})
    assert (refused.value.cause, refused.value.limit) == ("unsupported_pair", "de-en, pt-en")


def test_before_any_worker_is_ready_the_configured_pairs_are_accepted_without_a_version():
    assert version({}) is None


def test_before_any_worker_is_ready_other_pairs_are_refused():
    with pytest.raises(PermanentError):
        version({}, configured=("de-en",))


def test_a_configured_pair_that_is_none_is_refused_at_the_start(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_INTAKE_PAIRS", '["english"]')
    with pytest.raises(ValueError, match="no pair of languages"):
        IntakeLimits()
