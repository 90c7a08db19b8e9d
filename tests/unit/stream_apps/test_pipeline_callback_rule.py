"""Where a webhook may be sent, by its URL alone."""

import pytest

from schemas.errors import PermanentError
from stream_apps.pipeline.callback_rule import check_callback
from stream_apps.pipeline.request_limits import RequestLimits

LIMITS = RequestLimits(callback_schemes=("https",))


@pytest.mark.parametrize(
    "url", [None, "https://hooks.acme.example/in?a=1", "https://8.8.8.8:8443", "https://[2606:4700::1]/x"]
)
def test_a_public_url_may_be_told(url):
    check_callback(url, LIMITS)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://hooks.acme.example/", "bad_callback"),
        ("ftp://hooks.acme.example/", "bad_callback"),
        ("hooks.acme.example", "bad_callback"),
        ("https:///in", "bad_callback"),
        ("https://user:pw@hooks.acme.example/", "bad_callback"),
        ("https://hooks.acme.example:0/", "bad_callback"),
        ("https://hooks.acme.example:99999/", "bad_callback"),
        ("https://hooks.acme.example/#part", "bad_callback"),
        ("https://hooks.acme.example\\@10.0.0.1/", "bad_callback"),
        ("https://hooks.acme.example/a b", "bad_callback"),
        ("https://hooks.acme.example/\r\nx: y", "bad_callback"),
        ("https://höoks.example/", "bad_callback"),
        ("https://hooks.acme.example/" + "x" * 2000, "bad_callback"),
        ("https://localhost/", "private_callback"),
        ("https://LOCALHOST./", "private_callback"),
        ("https://kafka/", "private_callback"),
        ("https://db.internal/", "private_callback"),
        ("https://printer.local/", "private_callback"),
        ("https://127.0.0.1/", "private_callback"),
        ("https://169.254.169.254/latest/meta-data", "private_callback"),
        ("https://[::ffff:10.0.0.1]/", "private_callback"),
        ("https://[::1]/", "private_callback"),
    ],
)
def test_any_other_is_refused_by_its_field_with_the_cure(url, cause):
    with pytest.raises(PermanentError) as raised:
        check_callback(url, LIMITS)
    error = raised.value
    assert (error.cause, error.field) == (cause, "callback")
    assert error.limit
    assert error.cure
    assert "pw" not in error.message


def test_settings_allow_http_and_private_hosts():
    check_callback("http://10.0.0.1/", RequestLimits(callback_schemes=("http",), callback_private_hosts=True))


def test_where_nothing_is_delivered_a_callback_is_refused():
    with pytest.raises(PermanentError, match="no process delivers webhooks"):
        check_callback("https://hooks.acme.example/", RequestLimits(callback_schemes=()))
