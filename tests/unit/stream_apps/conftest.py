"""Records that failed, for the tests of redrives."""

import pytest

from tests.failed_records import Failures


@pytest.fixture
def failures():
    return Failures()
