"""A short round of every attack: the promises hold, and the campaign counts what breaks them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.attacks import ATTACKS
from tests.chaos.tally import Attack


# Its lines are covered by tests of their own; counting them here would take half as long again.
@pytest.mark.no_cover
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_short_round_of_an_attack_loses_doubles_and_tears_nothing(tmp_path: Path, attack: Attack) -> None:
    tally = attack.run(tmp_path, range(attack.short))
    assert tally.rounds == attack.short
    assert tally.holds, tally
