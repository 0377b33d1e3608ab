"""Every attack, in the order of the table."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from tests.chaos.tally import Attack

#: The modules with attacks; each has `ATTACKS`.
_MODULES = (
    "kill",
    "power",
    "disk",
    "network",
    "clocks",
    "damage_queue",
    "damage_shards",
    "damage_derived",
    "load",
    "usage",
)


def _all() -> tuple[Attack, ...]:
    names = [f"tests.chaos.{name}" for name in _MODULES]
    modules = [import_module(name) for name in names if find_spec(name)]
    return tuple(attack for module in modules for attack in module.ATTACKS)


ATTACKS = _all()


def find(name: str) -> Attack:
    """The attack of a name.

    Raises:
        KeyError: there is none.
    """
    return {attack.name: attack for attack in ATTACKS}[name]
