"""Every attack, in the order of the table."""

from __future__ import annotations

from tests.chaos import (
    clocks,
    damage_derived,
    damage_queue,
    damage_shards,
    disk,
    kill,
    load,
    network,
    outages,
    power,
    usage,
)
from tests.chaos.tally import Attack

ATTACKS: tuple[Attack, ...] = (
    *kill.ATTACKS,
    *power.ATTACKS,
    *disk.ATTACKS,
    *network.ATTACKS,
    *clocks.ATTACKS,
    *damage_queue.ATTACKS,
    *damage_shards.ATTACKS,
    *damage_derived.ATTACKS,
    *load.ATTACKS,
    *outages.ATTACKS,
    *usage.ATTACKS,
)


def find(name: str) -> Attack:
    """The attack of a name.

    Raises:
        KeyError: there is none.
    """
    return {attack.name: attack for attack in ATTACKS}[name]
