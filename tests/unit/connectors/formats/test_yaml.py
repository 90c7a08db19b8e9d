"""What is in the quotes of YAML."""

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs are installed

from tests.unit.connectors.formats.documents import translated


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_in_single_quotes_of_yaml_are_indented(newline):
    source = "a:\n  b: 'one\n\n    two'\n".replace("\n", newline)
    written = translated("a.yaml", source.encode(), "um\n--- dois").decode()
    assert yaml.safe_load(written) == {"a": {"b": "um\n--- dois"}}
    assert written.split(newline)[3].startswith("     ")
