"""The settings of a scenario's security: TLS on each kind of association, and who may do what."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from rsim.endpoints import authorisations
from rsim.network import PROFILES, Profile
from rsim.suggestions import unknown
from rsim.units import MOST, Interval, Model, Seconds, SomeCount

_TLS_CHOICES = ("none", *PROFILES)


class SecuritySettings(Model):
    """TLS on each kind of association (RFC 5355 3), and who may do what."""

    pe_enrp: str = Field("none", description="pool element - ENRP server: a TLS profile or none")
    enrp_enrp: str = Field("none", description="ENRP server - ENRP server: a TLS profile or none")
    pu_enrp: str = Field("none", description="pool user - ENRP server: a TLS profile or none")
    pu_pe: str = Field("none", description="pool user - pool element: a TLS profile or none")
    pu_pe_optional: bool = Field(
        False, description="pool elements serve pool users that speak in clear as well"
    )
    sign_cookies: bool = Field(
        False, description="elements sign cookies with a key of their pool (RFC 5352 3.8)"
    )
    proof_of_choice: bool = Field(
        False, description="elements serve only users that prove that the policy has sent them"
    )
    choice_period: Interval = Field(5.0, description="time for which a nonce is good")
    choice_allowance: SomeCount = Field(
        1, description="choices that a user may make with one nonce"
    )
    statements: bool = Field(
        False, description="elements sign what they state, and users hold them to it"
    )
    accusation_level: float = Field(
        5.0, gt=0, le=1e6, description="standard errors beyond which an element is accused"
    )
    accusation_observations: int = Field(
        10, ge=2, le=MOST, description="requests at an element before a user judges it"
    )
    accusers: SomeCount = Field(3, description="different users that it takes for a penalty")
    accusation_memory: Interval = Field(
        "60min", validate_default=True, description="time for which an accusation counts"
    )
    penalty: Literal["quarantine", "worst", "evict"] = Field(
        "quarantine",
        description="elements found to lie are refused for a while, listed last, or banned",
    )
    penalty_time: Interval = Field(
        "30min", validate_default=True, description="how long a penalty lasts"
    )
    shared_key: bool = Field(
        False, description="one pre-shared key for all hosts, instead of one for each"
    )
    resumption: bool = Field(False, description="clients resume sessions by ticket (no 0-RTT)")
    downgrade: bool = Field(
        False, description="clients that are refused, or refuse, go on in clear the next time"
    )
    rekey: Seconds | None = Field(
        None,
        description="when all pre-shared keys are replaced; attackers keep the old ones",
    )
    authorisation: str | None = Field(
        None, description="who may register what; null: identity with TLS, open without"
    )

    @field_validator("pe_enrp", "enrp_enrp", "pu_enrp", "pu_pe")
    @classmethod
    def _profile_exists(cls, value: str) -> str:
        if value not in _TLS_CHOICES:
            raise ValueError(unknown("TLS profile", value, _TLS_CHOICES))
        return value

    @field_validator("authorisation")
    @classmethod
    def _authorisation_exists(cls, value: str | None) -> str | None:
        if value is not None and value not in authorisations():
            raise ValueError(unknown("authorisation", value, authorisations()))
        return value

    @property
    def used(self) -> bool:
        """Whether TLS protects anything."""
        return any(v != "none" for v in (self.pe_enrp, self.enrp_enrp, self.pu_enrp, self.pu_pe))

    @property
    def chosen_authorisation(self) -> str:
        """The authorisation in force."""
        if self.authorisation is not None:
            return self.authorisation
        return "open" if self.pe_enrp == "none" else "identity"

    def profile(self, choice: str) -> Profile | None:
        """The TLS profile with the name `choice`; None for "none"."""
        return PROFILES.get(choice)

    def profiles(self, *choices: str) -> tuple[Profile, ...]:
        """The TLS profiles with these names, each once; "none" gives none.

        Parameters: `choices` names of TLS profiles.
        """
        found = (self.profile(choice) for choice in choices)
        return tuple(dict.fromkeys(profile for profile in found if profile is not None))
