"""The settings of the stack: where they come from, and what its processes see of them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from deploy.local.settings import StackSettings, inherited_environment


def test_settings_pass_through_the_environment_unchanged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = StackSettings(
        root=tmp_path, workers=5, fresh=True, kafka_libraries=tmp_path / "libs", http_port=8080
    )
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)

    assert StackSettings() == settings


def test_a_relative_root_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    assert StackSettings().root == tmp_path / ".dragoman"


def test_a_misspelt_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_LOCAL_WROKERS", "3")

    with pytest.raises(ValidationError, match="DRAGOMAN_LOCAL_WROKERS"):
        StackSettings()


def test_the_users_settings_reach_the_processes_but_those_of_the_stack_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRAGOMAN_KAFKA_LINGER_MS", "50")
    monkeypatch.setenv("DRAGOMAN_LOCAL_WORKERS", "3")

    assert inherited_environment()["DRAGOMAN_KAFKA_LINGER_MS"] == "50"
    assert "DRAGOMAN_LOCAL_WORKERS" not in inherited_environment()
