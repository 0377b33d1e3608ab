"""How Hypothesis and the measurement of coverage work in all tests."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# pytest-timeout limits a test as a whole, so no example has a limit of its own.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    """End what pytest-cov 7.1 begins in a worker of xdist before it knows it for one.

    Nobody asks for that measurement, and it would go on under the worker's own where a test says `no_cover`.
    """
    measured = config.pluginmanager.getplugin("_cov")
    if hasattr(config, "workerinput") and measured and measured.cov_controller:
        measured.cov_controller.cov.stop()
