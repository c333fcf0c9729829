"""Attackers: one module for each family of threats of RFC 5355.

An attacker is a class with a `Settings` model and a name, registered by `@attacker`; a scenario
names it as `kind`.
"""

from rsim.attackers.amplifier import Amplifier
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
from rsim.attackers.cookie_forger import CookieForger
from rsim.attackers.impersonator import Impersonator
from rsim.attackers.keep_alive_flood import KeepAliveFlood
from rsim.attackers.listener import Eavesdropper, Replayer
from rsim.attackers.on_path import OnPath
from rsim.attackers.registration_flood import RegistrationFlood
from rsim.attackers.report_flood import ReportFlood
from rsim.attackers.rogue_server import RogueServer

__all__ = [
    "Amplifier",
    "AttackCounters",
    "Attacker",
    "AttackerSettings",
    "CookieForger",
    "Eavesdropper",
    "Flooder",
    "FlooderSettings",
    "Impersonator",
    "KeepAliveFlood",
    "OnPath",
    "PositionSettings",
    "RegistrationFlood",
    "Replayer",
    "ReportFlood",
    "RogueServer",
    "Surroundings",
    "attacker",
    "attacker_kinds",
]
