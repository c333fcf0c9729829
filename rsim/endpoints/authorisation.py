"""Who may do what at an ENRP server: one object decides for all that hold a key (RFC 5355 3).

Your own policy is a class with `permits`, registered by `@authorisation`. A scenario names it as
`security.authorisation`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rsim.network import Principal
from rsim.registrations import note


class Authorisation(Protocol):
    """Decides for one ENRP server."""

    def permits(self, principal: Principal | None, pool: bytes, identifier: int) -> bool:
        """Whether a peer may register or deregister this element.

        Parameters: `pool` handle of the pool; `identifier` of the element; `principal` who the peer
        has shown to be, None if it has shown nothing.
        """


_KINDS: dict[str, Callable[[], Authorisation]] = {}


def authorisation(name: str) -> Callable[[type], type]:
    """Registers a class under a name.

    Parameters: `name` under which a scenario names it.
    """

    def register(cls: type) -> type:
        _KINDS[name] = cls
        note("authorisation", name, cls)
        return cls

    return register


def authorisations() -> dict[str, Callable[[], Authorisation]]:
    """Registered classes by name."""
    return dict(_KINDS)


@authorisation("open")
class OpenAuthorisation:
    """Everybody may do everything, as where no security is in use."""

    def permits(self, principal: Principal | None, pool: bytes, identifier: int) -> bool:
        """Yes."""
        return True


@authorisation("key")
class KeyAuthorisation:
    """Who holds a key may act in the pools of that key (RFC 5355 2.1.3, 2.4.3)."""

    def permits(self, principal: Principal | None, pool: bytes, identifier: int) -> bool:
        """Whether the key holds in this pool."""
        if principal is None:
            return False
        return principal.pools is None or pool.decode(errors="replace") in principal.pools


@authorisation("identity")
class IdentityAuthorisation(KeyAuthorisation):
    """As `key`, and an identifier belongs to the first key that has used it (RFC 5355 2.3.3)."""

    def __init__(self) -> None:
        self._owners: dict[tuple[bytes, int], str] = {}

    def permits(self, principal: Principal | None, pool: bytes, identifier: int) -> bool:
        """Whether the key holds in this pool and the identifier is nobody else's."""
        if principal is None or not super().permits(principal, pool, identifier):
            return False
        owner = self._owners.setdefault((pool, identifier), principal.name)
        return owner == principal.name
