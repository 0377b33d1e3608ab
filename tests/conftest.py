"""How Hypothesis works in all tests: pytest-timeout limits a test as a whole, so no example has a limit of its own."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
