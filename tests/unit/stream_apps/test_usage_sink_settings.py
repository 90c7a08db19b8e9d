"""Who may ask: the query interface never listens to others without a token."""

import pytest
from pydantic import SecretStr, ValidationError

from schemas.errors import FatalError
from stream_apps.usage_sink.settings import AnalyticsSection, AnalyticsSettings

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "analytics.internal"])
def test_an_address_that_others_reach_needs_a_token(monkeypatch, host):
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_HOST", host)
    with pytest.raises(ValidationError, match="DRAGOMAN_ANALYTICS_TOKEN"):
        AnalyticsSettings()
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_TOKEN", TOKEN)
    assert AnalyticsSettings().analytics.read_token() == TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_alone_may_be_listened_to_without_one(monkeypatch, host):
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_HOST", host)
    assert AnalyticsSettings().analytics.read_token() == ""


def test_the_token_is_read_from_its_file_without_the_line_end(tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert AnalyticsSection(token_file=str(tmp_path / "token")).read_token() == TOKEN


def test_a_token_that_is_missing_or_short_ends_the_process_with_its_cure(tmp_path):
    (tmp_path / "empty").write_text("\n")
    for section in (
        AnalyticsSection(token_file=str(tmp_path / "none")),
        AnalyticsSection(token_file=str(tmp_path / "empty")),
        AnalyticsSection(token=SecretStr("short")),
    ):
        with pytest.raises(FatalError, match=r"TOKEN_FILE|openssl"):
            section.read_token()


def test_the_token_stands_in_no_printed_setting():
    assert TOKEN not in repr(AnalyticsSection(token=SecretStr(TOKEN)))
