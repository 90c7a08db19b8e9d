"""The header of a request that is sent again on purpose."""

import pytest

from schemas.records import redrive_header, redriven_revision


@pytest.mark.parametrize("revision", [1, 2, 40])
def test_the_revision_comes_back_from_the_header(revision):
    assert redriven_revision(redrive_header(revision)) == revision


@pytest.mark.parametrize("headers", [{}, {"redrive": b""}, {"redrive": b"two"}, {"redrive": b"9" * 9}])
def test_a_header_that_names_no_revision_is_no_redrive(headers):
    assert redriven_revision(headers) is None


def test_there_is_no_revision_before_the_first():
    assert redriven_revision({"redrive": b"0"}) == 1
