"""The measurement of coverage, which costs half as much time again as the tests themselves."""

from __future__ import annotations

import sys

import pytest


@pytest.mark.no_cover
def test_nothing_follows_a_test_that_is_not_counted() -> None:
    assert sys.gettrace() is None
    if sys.version_info >= (3, 12):
        assert sys.monitoring.get_tool(sys.monitoring.COVERAGE_ID) is None
