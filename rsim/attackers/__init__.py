"""Attackers: one module for each family of threats of RFC 5355.

An attacker is a class with a `Settings` model and a name, registered by `@attacker`; a scenario
names it as `kind`.
"""

from rsim.attackers.base import Attacker, AttackerSettings, Surroundings, attacker, attacker_kinds
from rsim.attackers.registration_flood import RegistrationFlood

__all__ = [
    "Attacker",
    "AttackerSettings",
    "RegistrationFlood",
    "Surroundings",
    "attacker",
    "attacker_kinds",
]
