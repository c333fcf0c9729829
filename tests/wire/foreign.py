"""Reads messages described by the foreign vectors' `fields` into this project's terms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rsim import wire

DATA = Path(__file__).parent / "data"


def load(name: str) -> list[dict[str, Any]]:
    """The vectors in a data file."""
    return json.loads((DATA / name).read_text())


def _policy(fields: dict[str, Any] | None) -> wire.Policy | None:
    if fields is None:
        return None
    values = {k: v for k, v in fields.items() if k not in ("policy", "type")}
    policy = wire.Policy(fields["type"], **values)
    assert policy.name == fields["policy"]
    return policy


def _transport(fields: dict[str, Any] | None) -> wire.Transport | None:
    if fields is None:
        return None
    kind = fields["protocol"]
    if kind == "opaque":
        return wire.OpaqueTransport(data=bytes.fromhex(fields["data"]))
    common = {"port": fields["port"], "addresses": fields["addresses"]}
    if kind == "dccp":
        return wire.DccpTransport(service_code=fields["service_code"], **common)
    if kind in ("sctp", "tcp"):
        use = {"data_only": 0, "data_plus_control": 1}[fields["use"]]
        cls = wire.SctpTransport if kind == "sctp" else wire.TcpTransport
        return cls(use=use, **common)
    return {"udp": wire.UdpTransport, "udp_lite": wire.UdpLiteTransport}[kind](**common)


def _element(fields: dict[str, Any]) -> wire.PoolElement:
    life = fields["registration_life"]
    return wire.PoolElement(
        identifier=fields["identifier"],
        home_server=fields["home_server"],
        registration_life=life - (1 << 32) if life >= 1 << 31 else life,
        user_transport=_transport(fields["user_transport"]),
        policy=_policy(fields["policy"]),
        asap_transport=_transport(fields["asap_transport"]),
    )


def _server(fields: dict[str, Any]) -> wire.ServerInformation:
    return wire.ServerInformation(
        server_identifier=fields["server_identifier"], transport=_transport(fields["transport"])
    )


_CONVERT = {
    "pool_handle": bytes.fromhex,
    "cookie": bytes.fromhex,
    "pool_element": _element,
    "policy": _policy,
    "server_information": _server,
    "pool_elements": lambda items: tuple(map(_element, items)),
    "servers": lambda items: tuple(map(_server, items)),
    "transports": lambda items: tuple(map(_transport, items)),
    "pools": lambda items: tuple(
        wire.PoolEntry(
            pool_handle=bytes.fromhex(item["pool_handle"]),
            pool_elements=list(map(_element, item["pool_elements"])),
        )
        for item in items
    ),
    "error_causes": lambda items: tuple(
        wire.ErrorCause(item["code"], bytes.fromhex(item["info"])) for item in items
    ),
}

_FLAGS = {
    "RegistrationResponse": {1: "reject"},
    "HandleResolution": {1: "send_updates"},
    "HandleResolutionResponse": {1: "accept_updates"},
    "EndpointKeepAlive": {1: "home"},
    "Presence": {1: "reply_required"},
    "HandleTableRequest": {1: "own_only"},
    "HandleTableResponse": {1: "reject", 2: "more"},
    "HandleUpdate": {1: "takeover_suggested"},
    "ListResponse": {1: "reject"},
}


def _class_name(name: str) -> str:
    protocol, _, rest = name.partition("_")
    if rest == "ERROR":
        return f"{protocol.title()}Error"
    return rest.title().replace("_", "")


def message(fields: dict[str, Any]) -> wire.Message:
    """The message that a vector's fields describe."""
    fields = dict(fields)
    name = _class_name(fields.pop("message"))
    flags = fields.pop("flags")
    values = {key: _CONVERT.get(key, lambda v: v)(value) for key, value in fields.items()}
    for bit, attribute in _FLAGS.get(name, {}).items():
        values[attribute] = bool(flags & bit)
    return getattr(wire, name)(**values)
