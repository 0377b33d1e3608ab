"""Full and failing disk."""

from __future__ import annotations

from tests.chaos.faults import ATTACKS as ATTACKS
