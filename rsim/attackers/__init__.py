"""Attackers: one module for each family of threats of RFC 5355.

An attacker is a class with a `Settings` model and a name, registered by `@attacker`; a scenario
names it as `kind`. Each module here is found by itself, and loaded when attackers are first asked
for.
"""

from rsim.attackers.base import (
    AttackCounters,
    Attacker,
    AttackerSettings,
    Flooder,
    FlooderSettings,
    PositionSettings,
    Surroundings,
    attacker,
    attacker_kinds,
)

__all__ = [
    "AttackCounters",
    "Attacker",
    "AttackerSettings",
    "Flooder",
    "FlooderSettings",
    "PositionSettings",
    "Surroundings",
    "attacker",
    "attacker_kinds",
]
