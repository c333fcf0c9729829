"""The keys and certificates that hosts hold for TLS."""

from __future__ import annotations

from rsim.network import Authority, Credentials, Host, Key


class KeyRing:
    """Hands hosts what they hold for TLS.

    Parameters: `shared` one key for all instead of one for each.
    """

    def __init__(self, shared: bool) -> None:
        self._shared = shared
        self._authority = Authority("authority")
        self._stranger = Authority("stranger")
        self._keys: dict[str, Key] = {}
        self._revoked: set[str] = set()

    def rekey(self, hosts: list[Host]) -> None:
        """Gives these hosts new keys under their identities; the old ones are worth nothing.

        Parameters: `hosts` that are honest.
        """
        for host in hosts:
            old = host.credentials.key
            if old is not None and old.secret != "wrong":
                new = Key(old.identity, f"new {old.secret}", old.pools)
                host.credentials.key = new
                if old.identity in self._keys:
                    self._keys[old.identity] = new

    def equip(self, host: Host, credential: str, pools: frozenset[str] | None) -> None:
        """Gives a host its key and certificate, good or bad, and the authorities that it trusts.

        Parameters: `host` that gets them; `credential` as the host's group says; `pools` for which
        the key is good, None: any.
        """
        identity = "shared" if self._shared else host.name
        key = Key(identity, f"secret of {identity}", None if self._shared else pools)
        authority = self._stranger if credential == "unknown_authority" else self._authority
        subject = f"not-{host.name}" if credential == "wrong_name" else host.name
        end = 0.0 if credential == "expired" else float("inf")
        certificate = authority.issue(subject, end=end)
        # A pre-shared key proves both sides: who has no good one can't check those of others.
        keys = {} if credential in ("none", "wrong_key", "unknown_identity") else self._keys
        host.credentials = Credentials(
            key,
            keys,
            self._revoked,
            certificate=certificate,
            trusted=frozenset({self._authority}),
        )
        if credential == "none":
            host.credentials.key = None
            host.credentials.certificate = None
        elif credential == "wrong_key":
            host.credentials.key = Key(identity, "wrong", pools)
            self._keys.setdefault(identity, key)
        elif credential == "unknown_identity":
            host.credentials.key = Key("unknown", "unknown", pools)
        else:
            self._keys[identity] = key
            if credential == "revoked":
                self._revoked.add(identity)
                self._authority.revoked.add(certificate.serial)
