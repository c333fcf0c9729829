"""The codec a second time, in plain Python, written from RFC 5352, 5353, 5354 and 5356.

Messages are dictionaries as `to_dict` gives them. Slow and simple on purpose: the native codec
is held against it.
"""

from __future__ import annotations

import ipaddress
from typing import Any

POLICIES = {
    1: ("round_robin", ()),
    2: ("weighted_round_robin", ("weight",)),
    3: ("random", ()),
    4: ("weighted_random", ("weight",)),
    5: ("priority", ("priority",)),
    0x40000001: ("least_used", ("load",)),
    0x40000002: ("least_used_degradation", ("load", "load_degradation")),
    0x40000003: ("priority_least_used", ("load", "load_degradation")),
    0x40000004: ("randomized_least_used", ("load",)),
    0xB0001001: ("randomized_priority_least_used", ("load", "load_degradation")),
    0xB0001002: ("randomized_least_used_degradation", ("load", "load_degradation")),
    0xB0001003: ("priority_least_used_degradation", ("load", "load_degradation")),
    0xB0001004: ("randomized_priority_least_used_degradation", ("load", "load_degradation")),
    0xB0002001: ("weighted_random_dpf", ("weight", "weight_dpf", "distance")),
    0xB0002002: ("least_used_dpf", ("load", "load_dpf", "distance")),
    0xB0002003: (
        "least_used_degradation_dpf",
        ("load", "load_degradation", "load_dpf", "distance"),
    ),
    0xB0002004: ("priority_least_used_dpf", ("load", "load_degradation", "load_dpf", "distance")),
    0xB0002005: (
        "priority_least_used_degradation_dpf",
        ("load", "load_degradation", "load_dpf", "distance"),
    ),
}
TRANSPORTS = {3: "dccp", 4: "sctp", 5: "tcp", 6: "udp", 7: "udp_lite", 16: "opaque"}

# Each message: type, then its content in order, as (kind of field, name).
ASAP = {
    "Registration": (
        1,
        [("handle", "pool_handle"), ("element", "pool_element"), ("extension?8041", "statement")],
    ),
    "Deregistration": (2, [("handle", "pool_handle"), ("identifier", "pe_identifier")]),
    "RegistrationResponse": (
        3,
        [
            ("flag1", "reject"),
            ("handle", "pool_handle"),
            ("identifier", "pe_identifier"),
            ("error?", "error_causes"),
        ],
    ),
    "DeregistrationResponse": (
        4,
        [("handle", "pool_handle"), ("identifier", "pe_identifier"), ("error?", "error_causes")],
    ),
    "HandleResolution": (
        5,
        [
            ("flag1", "send_updates"),
            ("handle", "pool_handle"),
            ("option?", "items"),
            ("extension?8043", "evidence"),
        ],
    ),
    "HandleResolutionResponse": (
        6,
        [
            ("flag1", "accept_updates"),
            ("handle", "pool_handle"),
            ("policy?", "policy"),
            ("element*", "pool_elements"),
            ("error?", "error_causes"),
            ("extension?8042", "statements"),
            ("extension?8040", "choice_grant"),
        ],
    ),
    "EndpointKeepAlive": (
        7,
        [
            ("flag1", "home"),
            ("word", "server_identifier"),
            ("handle", "pool_handle"),
            ("identifier?", "pe_identifier"),
        ],
    ),
    "EndpointKeepAliveAck": (8, [("handle", "pool_handle"), ("identifier", "pe_identifier")]),
    "EndpointUnreachable": (9, [("handle", "pool_handle"), ("identifier", "pe_identifier")]),
    "ServerAnnounce": (10, [("word", "server_identifier"), ("transport*", "transports")]),
    "Cookie": (11, [("cookie", "cookie")]),
    "CookieEcho": (12, [("cookie", "cookie")]),
    "BusinessCard": (
        13,
        [("handle", "pool_handle"), ("policy?", "policy"), ("element*", "pool_elements")],
    ),
    "AsapError": (14, [("error", "error_causes")]),
}
_PARTIES = [("word", "sender"), ("word", "receiver")]
ENRP = {
    "Presence": (
        1,
        [
            ("flag1", "reply_required"),
            *_PARTIES,
            ("checksum?", "pe_checksum"),
            ("server?", "server_information"),
        ],
    ),
    "HandleTableRequest": (2, [("flag1", "own_only"), *_PARTIES]),
    "HandleTableResponse": (
        3,
        [("flag1", "reject"), ("flag2", "more"), *_PARTIES, ("pool*", "pools")],
    ),
    "HandleUpdate": (
        4,
        [
            ("flag1", "takeover_suggested"),
            *_PARTIES,
            ("action", "update_action"),
            ("handle", "pool_handle"),
            ("element", "pool_element"),
        ],
    ),
    "ListRequest": (5, [*_PARTIES]),
    "ListResponse": (6, [("flag1", "reject"), *_PARTIES, ("server*", "servers")]),
    "InitTakeover": (7, [*_PARTIES, ("word", "target")]),
    "InitTakeoverAck": (8, [*_PARTIES, ("word", "target")]),
    "TakeoverServer": (9, [*_PARTIES, ("word", "target")]),
    "EnrpError": (10, [*_PARTIES, ("error", "error_causes")]),
}
MESSAGES = {"asap": ASAP, "enrp": ENRP}


# Encoding ---------------------------------------------------------------------------------------


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _join(parts: list[bytes]) -> bytes:
    """Children with filler between them and none after the last (RFC 5354 2)."""
    return b"".join([*map(_pad, parts[:-1]), *parts[-1:]])


def _tlv(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2) + (4 + len(value)).to_bytes(2) + value


def _transport(t: dict[str, Any]) -> bytes:
    kind = next(k for k, name in TRANSPORTS.items() if name == t["protocol"])
    if kind == 16:
        return _tlv(16, bytes.fromhex(t["data"]))
    value = t["port"].to_bytes(2) + (t["use"] if kind == 4 else 0).to_bytes(2)
    if kind == 3:
        value += t["service_code"].to_bytes(4)
    for text in t["addresses"]:
        address = ipaddress.ip_address(text)
        value += _tlv(1 if address.version == 4 else 2, address.packed)
    return _tlv(kind, value)


def _policy(p: dict[str, Any]) -> bytes:
    if p["type"] in POLICIES:
        data = b"".join(p[name].to_bytes(4) for name in POLICIES[p["type"]][1])
    else:
        data = bytes.fromhex(p["data"])
    return _tlv(8, p["type"].to_bytes(4) + data)


def _element(e: dict[str, Any]) -> bytes:
    fixed = e["identifier"].to_bytes(4) + e["home_server"].to_bytes(4)
    fixed += e["registration_life"].to_bytes(4, signed=True)
    children = [_transport(e["user_transport"]), _policy(e["policy"])]
    if e["asap_transport"]:
        children.append(_transport(e["asap_transport"]))
    return _tlv(10, fixed + _join(children))


def _server(s: dict[str, Any]) -> bytes:
    return _tlv(11, s["server_identifier"].to_bytes(4) + _transport(s["transport"]))


def _error(causes: list[dict[str, Any]]) -> bytes:
    return _tlv(12, _join([_tlv(c["code"], bytes.fromhex(c["information"])) for c in causes]))


def encode(message: dict[str, Any]) -> bytes:
    """Bytes of a message by the letter of the RFCs."""
    protocol = ASAP if message["message"] in ASAP else ENRP
    kind, content = protocol[message["message"]]
    flags, fixed, parts = 0, b"", []
    for field, name in content:
        value = message[name]
        if field in ("flag1", "flag2"):
            # The takeover suggestion is an extension that the RFCs don't have.
            flags |= int(field[-1]) * value * (name != "takeover_suggested")
        elif field == "word":
            fixed += value.to_bytes(4)
        elif field == "action":
            fixed += value.to_bytes(2) + bytes(2)
        elif field == "handle":
            parts.append(_tlv(9, bytes.fromhex(value)))
        elif field == "cookie":
            parts.append(_tlv(13, bytes.fromhex(value)))
        elif field == "identifier":
            parts.append(_tlv(14, value.to_bytes(4)))
        elif field == "checksum?" and value is not None:
            parts.append(_tlv(15, value.to_bytes(2)))
        elif field == "element":
            parts.append(_element(value))
        elif field == "element*":
            parts += map(_element, value)
        elif field == "transport*":
            parts += map(_transport, value)
        elif field == "policy?" and value and message["message"] != "BusinessCard":
            parts.append(_policy(value))
        elif field == "server?" and value:
            parts.append(_server(value))
        elif field == "server*":
            parts += map(_server, value)
        elif field == "pool*":
            for pool in value:
                parts.append(_tlv(9, bytes.fromhex(pool["pool_handle"])))
                parts += map(_element, pool["pool_elements"])
        elif field in ("error", "error?") and value:
            parts.append(_error(value))
    return _with_extensions(kind, flags, fixed + _join(parts), message, content)


def _with_extensions(
    kind: int, flags: int, body: bytes, message: dict[str, Any], content: list[tuple[str, str]]
) -> bytes:
    """The message with rsim's own extensions at its end, as far as they fit."""
    for field, name in content:
        if field.startswith("extension?") and message[name] is not None:
            parameter = _tlv(int(field[-4:], 16), bytes.fromhex(message[name]))
            if 4 + len(_pad(body)) + len(_pad(parameter)) <= 65_535:
                body = _pad(body) + parameter
    return _pad(bytes([kind, flags]) + (4 + len(body)).to_bytes(2) + body)


# Decoding ---------------------------------------------------------------------------------------


class RefusedError(Exception):
    """The message has no effect; `cause` is what its sender is told, None for nothing."""

    def __init__(self, cause: tuple[int, bytes] | None) -> None:
        super().__init__(cause)
        self.cause = cause


class _Parameters:
    """Known parameters of a container one after the other; unknown ones by their high bits."""

    def __init__(self, data: bytes, reports: list[tuple[int, bytes]]) -> None:
        self.data = data
        self.reports = reports
        self.extensions: tuple[int, ...] = ()

    def peek(self) -> tuple[int, bytes, bytes] | None:
        """Type, value and whole TLV of the next known parameter, or None at the end."""
        while self.data:
            if len(self.data) < 4:
                raise RefusedError((3, self.data[:1400]))
            kind, length = (int.from_bytes(self.data[i : i + 2]) for i in (0, 2))
            if not 4 <= length <= len(self.data):
                raise RefusedError((3, self.data[:1400]))
            whole = self.data[:length]
            if 1 <= kind <= 16 or kind in self.extensions:
                return kind, whole[4:], whole
            if kind & 0x4000:
                self.reports.append((1, whole[:1400]))
            if not kind & 0x8000:
                raise RefusedError(self.reports.pop() if kind & 0x4000 else None)
            self.skip(length)
        return None

    def skip(self, length: int) -> None:
        self.data = self.data[(length + 3) // 4 * 4 :]

    def take(self, *kinds: int) -> tuple[int, bytes, bytes]:
        found = self.peek()
        if found is None:
            raise RefusedError((3, b""))
        if found[0] not in kinds:
            raise RefusedError((3, found[2][:1400]))
        self.skip(len(found[2]))
        return found

    def next_is(self, *kinds: int) -> bool:
        found = self.peek()
        return found is not None and found[0] in kinds

    def inside(self, data: bytes) -> _Parameters:
        return _Parameters(data, self.reports)

    def finish(self) -> None:
        found = self.peek()
        if found:
            raise RefusedError((3, found[2][:1400]))


def _require(holds: bool, whole: bytes) -> None:
    if not holds:
        raise RefusedError((3, whole[:1400]))


def _read_transport(parent: _Parameters, found: tuple[int, bytes, bytes]) -> dict[str, Any]:
    kind, value, whole = found
    if kind == 16:
        return {"protocol": "opaque", "data": value.hex()}
    fixed = 8 if kind == 3 else 4
    _require(len(value) >= fixed, whole)
    result: dict[str, Any] = {"protocol": TRANSPORTS[kind], "port": int.from_bytes(value[:2])}
    use = int.from_bytes(value[2:4])
    if kind == 4:
        _require(use <= 1, whole)
    if kind == 3:
        result["service_code"] = int.from_bytes(value[4:8])
    inner = parent.inside(value[fixed:])
    addresses: list[str] = []
    while address := inner.peek():
        size = {1: 4, 2: 16}.get(address[0])
        _require(size is not None and len(address[1]) == size, whole)
        _require(kind == 4 or not addresses, whole)
        addresses.append(str(ipaddress.ip_address(address[1])))
        inner.skip(len(address[2]))
    _require(bool(addresses), whole)
    result["addresses"] = addresses
    if kind == 4:
        result["use"] = use
    if kind == 5:
        result["use"] = use if use <= 1 else 0
    return result


def _read_policy(found: tuple[int, bytes, bytes]) -> dict[str, Any]:
    _, value, whole = found
    _require(len(value) >= 4, whole)
    kind = int.from_bytes(value[:4])
    _require(kind not in (0, 0x40000000), whole)
    if kind not in POLICIES:
        return {"policy": None, "type": kind, "data": value[4:].hex()}
    name, words = POLICIES[kind]
    _require(len(value) == 4 + 4 * len(words), whole)
    values = {w: int.from_bytes(value[4 + 4 * i : 8 + 4 * i]) for i, w in enumerate(words)}
    return {"policy": name, "type": kind, **values}


def _read_element(parent: _Parameters) -> dict[str, Any]:
    _, value, whole = parent.take(10)
    _require(len(value) >= 12, whole)
    inner = parent.inside(value[12:])
    _require(inner.next_is(*TRANSPORTS), whole)
    user = _read_transport(inner, inner.take(*TRANSPORTS))
    if inner.next_is(*TRANSPORTS):
        inner.take(0)
    policy = _read_policy(inner.take(8))
    asap = None
    if inner.peek():
        asap = _read_transport(inner, inner.take(4))
    inner.finish()
    return {
        "identifier": int.from_bytes(value[:4]),
        "home_server": int.from_bytes(value[4:8]),
        "registration_life": int.from_bytes(value[8:12], signed=True),
        "user_transport": user,
        "policy": policy,
        "asap_transport": asap,
    }


def _read_server(parent: _Parameters) -> dict[str, Any]:
    _, value, whole = parent.take(11)
    _require(len(value) >= 4, whole)
    inner = parent.inside(value[4:])
    transport = _read_transport(inner, inner.take(4))
    inner.finish()
    return {"server_identifier": int.from_bytes(value[:4]), "transport": transport}


def _read_error(parent: _Parameters) -> list[dict[str, Any]]:
    _, value, whole = parent.take(12)
    causes = []
    while value:
        length = int.from_bytes(value[2:4]) if len(value) >= 4 else 0
        _require(4 <= length <= len(value), whole)
        causes.append({"code": int.from_bytes(value[:2]), "information": value[4:length].hex()})
        value = value[(length + 3) // 4 * 4 :]
    _require(bool(causes), whole)
    return causes


def _read_fixed(parameters: _Parameters, kind: int, size: int) -> int:
    _, value, whole = parameters.take(kind)
    _require(len(value) == size, whole)
    return int.from_bytes(value)


def _read_handle(parameters: _Parameters) -> str:
    _, value, whole = parameters.take(9)
    _require(bool(value), whole)
    return value.hex()


def _read_word(parameters: _Parameters) -> int:
    if len(parameters.data) < 4:
        raise RefusedError((3, b""))
    word = int.from_bytes(parameters.data[:4])
    parameters.data = parameters.data[4:]
    return word


def _read_pools(parameters: _Parameters) -> list[dict[str, Any]]:
    pools = []
    while parameters.next_is(9):
        pool = {"pool_handle": _read_handle(parameters), "pool_elements": []}
        while parameters.next_is(10):
            pool["pool_elements"].append(_read_element(parameters))
        if not pool["pool_elements"]:
            raise RefusedError((3, b""))
        pools.append(pool)
    return pools


def _many(parameters: _Parameters, kinds: tuple[int, ...], read: Any) -> list[Any]:
    items = []
    while parameters.next_is(*kinds):
        items.append(read(parameters))
    return items


_REQUIRED = ("word", "action", "handle", "cookie", "identifier", "element", "error")


def _extension(field: str) -> int:
    """Type of an extension's parameter, 0 for other fields."""
    if field == "option?":
        return 0x803F
    return int(field[-4:], 16) if field.startswith("extension?") else 0


def _read_field(field: str, flags: int, p: _Parameters) -> Any:
    if field in ("flag1", "flag2"):
        return bool(flags & int(field[-1]))
    if field == "word":
        return _read_word(p)
    if field == "action":
        action = _read_word(p) >> 16
        if action > 1:
            raise RefusedError((3, b""))
        return action
    if field == "handle":
        return _read_handle(p)
    if field == "cookie":
        return p.take(13)[1].hex()
    if field == "identifier":
        return _read_fixed(p, 14, 4)
    if field == "identifier?":
        return _read_fixed(p, 14, 4) if p.next_is(14) else None
    if field == "option?":
        return _read_fixed(p, 0x803F, 4) if p.next_is(0x803F) else None
    if field.startswith("extension?"):
        kind = _extension(field)
        return p.take(kind)[1].hex() if p.next_is(kind) else None
    if field == "checksum?":
        return _read_fixed(p, 15, 2) if p.next_is(15) else None
    if field == "policy?":
        return _read_policy(p.take(8)) if p.next_is(8) else None
    if field == "element":
        return _read_element(p)
    if field == "element*":
        return _many(p, (10,), _read_element)
    if field == "transport*":
        transports = []
        while p.peek():
            transports.append(_read_transport(p, p.take(4, 5)))
        return transports
    if field == "server?":
        return _read_server(p) if p.next_is(11) else None
    if field == "server*":
        return _many(p, (11,), _read_server)
    if field == "pool*":
        return _read_pools(p)
    if field == "error?" and not p.next_is(12):
        return []
    return _read_error(p)


def _problem(message: dict[str, Any]) -> bool:
    name = message["message"]
    if name == "HandleResolutionResponse":
        content = bool(message["policy"]) or bool(message["pool_elements"])
        return content if message["error_causes"] else not message["pool_elements"]
    if name == "BusinessCard":
        return not message["pool_elements"]
    if name in ("HandleTableResponse", "ListResponse"):
        return message["reject"] and bool(message.get("pools") or message.get("servers"))
    return False


def receive(data: bytes, protocol: str) -> tuple[dict[str, Any] | None, list[tuple[int, bytes]]]:
    """The message or None, and the causes (code, information) that are reported."""
    if len(data) < 4:
        return None, []
    kind, flags, length = data[0], data[1], int.from_bytes(data[2:4])
    if length < 4 or not length <= len(data) <= length + 3:
        return None, []
    silent = kind == (14 if protocol == "asap" else 10)
    found = [(n, c) for n, (k, c) in MESSAGES[protocol].items() if k == kind]
    if not found:
        return None, [(2, data[:length][:1400])] if kind >> 6 == 1 else []
    [(name, content)] = found
    reports: list[tuple[int, bytes]] = []
    parameters = _Parameters(data[4:length], reports)
    numbers = [n for n, (field, _) in enumerate(content) if field in _REQUIRED]
    last = max(numbers, default=-1)
    message: dict[str, Any] = {"message": name}
    try:
        for number, (field, attribute) in enumerate(content):
            if number == last + 1:
                # Behind all that must be there the message's extensions are known.
                parameters.extensions = tuple(_extension(f) for f, _ in content if _extension(f))
            message[attribute] = _read_field(field, flags, parameters)
        parameters.finish()
        if _problem(message):
            raise RefusedError((3, b""))
    except RefusedError as refused:
        if refused.cause is None or silent:
            return None, []
        return None, [*reports, refused.cause]
    return message, [] if silent else reports
