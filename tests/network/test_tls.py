"""The TLS model: what handshakes and records cost, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsim.network import (
    PROFILES,
    Authority,
    Cpu,
    CpuSettings,
    Credentials,
    Event,
    Key,
    RecordingTap,
    Refusal,
    Tap,
)
from rsim.network.counters import TlsCounters
from rsim.network.records import Flight
from rsim.network.tls import TlsSession
from rsim.randomness import Streams

from .conftest import Pair

PSK = PROFILES["psk-aes128-cbc"]
PSK13 = PROFILES["tls13-psk-ecdhe"]
# Where a suite is missing, the tests of it fail, and not the whole module.
CERTIFICATE = PROFILES.get("rsa-aes128-cbc")
MUTUAL = PROFILES.get("rsa-aes128-cbc-mutual")


def secured(profile=PSK, cpu=False, server=None, client=None, **link):
    """A pair with good credentials at both sides, but for what is given."""
    two = Pair(offers=tuple(PROFILES.values()), **link)
    authority = Authority("authority")
    key = Key("client", "secret", frozenset({"pool"}))
    two.client_host.credentials = client or Credentials(
        key, certificate=authority.issue("client"), trusted=frozenset({authority})
    )
    two.server_host.credentials = server or Credentials(
        keys={"client": key},
        certificate=authority.issue("server"),
        trusted=frozenset({authority}),
    )
    if cpu:
        for host in (two.client_host, two.server_host):
            stream = Streams(1).stream(host.name, "cpu")
            host.cpu = Cpu(two.clock, CpuSettings(), stream)
    two.association = two.connect(profile=profile)
    return two


@pytest.mark.conformance("SEC-025")
@pytest.mark.conformance("SEC-026")
@pytest.mark.parametrize(
    ("name", "round_trips"),
    [
        ("psk-aes128-cbc", 3),
        ("psk-aes128-gcm", 3),
        ("rsa-aes128-cbc", 3),
        ("rsa-aes128-cbc-mutual", 3),
        ("rsa-3des-cbc", 3),
        ("tls13-psk-ecdhe", 2),
        ("tls13-rsa", 2),
    ],
)
def test_round_trips_of_each_profile(name, round_trips):
    two = secured(PROFILES[name])
    two.association.send(1, b"hello")
    two.run(2)
    assert two.server.seen == [(pytest.approx(0.1 * round_trips + 0.05), 1, b"hello")]


@pytest.mark.conformance("SEC-025")
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_round_trips_until_the_first_message_arrives(profile):
    """1 for SCTP, 2 for TLS 1.2 or 1 for TLS 1.3, and half a one for the message itself."""
    two = secured(profile)
    two.association.send(1, b"?hello")
    two.run(2)
    round_trips = 1 + (2 if profile.version < 1.3 else 1)
    assert two.server.seen == [(pytest.approx(0.1 * round_trips + 0.05), 1, b"?hello")]
    assert two.client.data == [b"hello"]
    assert two.association.protected


class Sizes(Tap):
    def __init__(self):
        super().__init__()
        self.bytes = {}

    def message(self, seen):
        self.bytes[seen.source[1]] = self.bytes.get(seen.source[1], 0) + len(seen.data)
        return seen.data


@pytest.mark.conformance("SEC-026")
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_bytes_of_a_handshake(profile):
    two = secured(profile)
    sizes = Sizes()
    two.network.tap(two.links, sizes)
    two.run(5)
    assert sizes.bytes == {two.association.local_port: profile.up, 7: profile.down}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_cpu_time_of_a_handshake(profile):
    two = secured(profile, cpu=True)
    two.run(5)
    assert two.client_host.cpu.counters.cpu_busy == pytest.approx(profile.client_time)
    assert two.server_host.cpu.counters.cpu_busy == pytest.approx(profile.server_time)


@pytest.mark.conformance("SEC-025")
@pytest.mark.conformance("SEC-026")
@pytest.mark.parametrize(
    ("name", "length", "size"),
    [
        # A header of 5 octets, an IV of 16, SHA-1 of 20, and 1 to 16 of padding.
        ("rsa-aes128-cbc", 16, 73),
        ("rsa-aes128-cbc", 31, 73),
        ("rsa-aes128-cbc", 32, 89),
        ("rsa-aes128-cbc", 47, 89),
        # Blocks and an IV of 8 octets.
        ("rsa-3des-cbc", 16, 57),
        ("rsa-3des-cbc", 23, 57),
        ("rsa-3des-cbc", 24, 65),
        ("psk-aes128-cbc", 16, 73),
        ("psk-aes128-cbc", 24, 73),
        ("psk-aes128-cbc", 31, 73),
        ("psk-aes128-cbc", 32, 89),
        ("psk-aes128-gcm", 100, 129),
        ("tls13-rsa", 100, 122),
        ("tls13-rsa", 65535, 65535 + 4 * 22),
    ],
)
def test_sizes_of_records(name, length, size):
    assert PROFILES[name].size(length) == size


def test_records_cost_time_at_the_receiver():
    two = secured(cpu=True)
    two.run(5)
    before = two.server_host.cpu.counters.cpu_busy
    for _ in range(100):
        two.association.send(1, b"x")
    two.run(5)
    assert two.server_host.cpu.counters.cpu_busy - before == pytest.approx(100 * PSK.record_time)


def test_a_principal_is_known_by_its_key():
    two = secured()
    two.run(5)
    principal = two.accepted[0].principal
    assert (principal.name, principal.pools) == ("client", frozenset({"pool"}))


@pytest.mark.parametrize("profile", [PSK, CERTIFICATE, PSK13, PROFILES["tls13-rsa"]])
def test_resumption_saves_a_round_trip_of_tls_12_and_most_of_the_cpu_time(profile):
    two = secured(profile, cpu=True)
    two.client_host.tickets = {}
    two.association.close()
    two.connect(profile=profile)
    two.run(5)
    busy = two.server_host.cpu.counters.cpu_busy
    start = two.clock.now
    association = two.connect(profile=profile)
    association.send(1, b"again")
    two.run(5)
    assert two.server.seen[-1] == (pytest.approx(start + 0.25, abs=1e-3), 1, b"again")
    resumed = two.server_host.cpu.counters.cpu_busy - busy - profile.record_time
    assert resumed == pytest.approx(profile.resumed.server_time)
    assert two.accepted[-1].principal == two.accepted[-2].principal


def test_a_ticket_of_a_revoked_key_is_refused_and_forgotten():
    two = secured()
    two.client_host.tickets = {}
    two.association.close()
    two.connect(profile=PSK)
    two.run(5)
    assert two.client_host.tickets
    two.server_host.credentials.revoked = {"client"}
    association = two.connect(profile=PSK)
    two.run(5)
    assert association.refusal is Refusal.REVOKED
    assert not two.client_host.tickets


GOOD = Authority("good")
OTHER = Authority("other")
REVOKED = GOOD.issue("server")
GOOD.revoked.add(REVOKED.serial)
TRUST = Credentials(trusted=frozenset({GOOD}))


def with_certificate(certificate):
    return {"profile": CERTIFICATE, "server": Credentials(certificate=certificate), "client": TRUST}


def with_keys(mine, theirs, profile=PSK, revoked=()):
    server = Credentials(keys={key.identity: key for key in theirs}, revoked=set(revoked))
    return {"profile": profile, "client": Credentials(mine), "server": server}


KEY = Key("client", "secret")


@pytest.mark.conformance("SEC-022")
@pytest.mark.conformance("SEC-031")
@pytest.mark.conformance("SEC-033")
@pytest.mark.conformance("SEC-028")
@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        (with_keys(None, [KEY]), Refusal.NO_KEY),
        (with_keys(KEY, []), Refusal.UNKNOWN_IDENTITY),
        (with_keys(Key("client", "guess"), [KEY]), Refusal.WRONG_KEY),
        (with_keys(Key("other", "secret"), [KEY]), Refusal.UNKNOWN_IDENTITY),
        (with_keys(KEY, [KEY], revoked=["client"]), Refusal.REVOKED),
        (with_keys(KEY, [], PSK13), Refusal.UNKNOWN_IDENTITY),
        (with_keys(Key("client", "guess"), [KEY], PSK13), Refusal.WRONG_KEY),
        (with_certificate(GOOD.issue("elsewhere")), Refusal.WRONG_NAME),
        (with_certificate(OTHER.issue("server")), Refusal.UNKNOWN_AUTHORITY),
        (with_certificate(GOOD.issue("server", 100, 200)), Refusal.EXPIRED),
        (with_certificate(GOOD.issue("server", -5, 0)), Refusal.EXPIRED),
        (with_certificate(REVOKED), Refusal.REVOKED),
        (with_certificate(None), Refusal.NO_KEY),
        (
            {
                "profile": MUTUAL,
                "server": Credentials(certificate=GOOD.issue("server"), trusted=frozenset({GOOD})),
                "client": Credentials(certificate=OTHER.issue("client"), trusted=frozenset({GOOD})),
            },
            Refusal.UNKNOWN_AUTHORITY,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Refusal) else "",
)
def test_who_has_not_what_it_takes_is_refused_told_and_forgotten(setting, reason):
    two = secured(**setting)
    two.association.send(1, b"secret")
    two.run(10)
    assert two.association.refusal is reason
    assert two.client.kinds == [Event.REFUSED]
    assert two.server.data == []
    assert two.client_host.associations == two.server_host.associations == ()
    refused = (two.client_host, two.server_host)
    assert sum(host.tls_counters.handshakes_refused for host in refused) >= 1
    assert sum(host.tls_counters.handshakes for host in refused) == 0


@pytest.mark.conformance("SEC-032")
def test_wildcards_stand_for_the_left_most_label_only():
    certificate = GOOD.issue("*.example.org")
    assert certificate.names("a.example.org")
    assert not certificate.names("a.b.example.org")
    assert not certificate.names("example.org")
    assert not certificate.names("a.example.com")


@pytest.mark.conformance("SEC-032")
@pytest.mark.parametrize(
    ("subject", "address", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:0DB8:0:0::1", True),
        ("2001:db8::1", "2001:db8::2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", False),
        ("*.0.0.1", "10.0.0.1", False),
        ("server", "10.0.0.1", False),
        ("10.0.0.1", "server", False),
    ],
)
def test_addresses_are_compared_by_their_octets(subject, address, same):
    assert GOOD.issue(subject).names(address) is same


@pytest.mark.conformance("SEC-022")
@pytest.mark.conformance("SEC-028")
@pytest.mark.parametrize(
    ("flight", "reason"),
    [
        (Flight(1), Refusal.NO_KEY),
        (Flight(1, certificate=OTHER.issue("server")), Refusal.UNKNOWN_AUTHORITY),
        # Out of its turn.
        (Flight(3, certificate=GOOD.issue("server")), Refusal.BAD_RECORD),
        (None, Refusal.BAD_RECORD),
    ],
)
def test_a_client_takes_no_server_that_shows_too_little_or_speaks_out_of_turn(flight, reason):
    refusals, opened = [], []
    session = TlsSession(
        1,
        Credentials(trusted=frozenset({GOOD})),
        TlsCounters(),
        time=lambda: 0.0,
        transmit=lambda flight, size: None,
        work=lambda time, function: function(),
        opened=lambda: opened.append(True),
        failed=refusals.append,
        profile=CERTIFICATE,
        peer_name="server",
    )
    session.start()
    session.take(flight)
    session.take(Flight(3))
    assert refusals == [reason] and opened == []
    assert session.principal is None


@pytest.mark.conformance("SEC-022")
def test_who_speaks_in_clear_to_a_protected_port_is_refused():
    two = secured()
    plain = two.connect()
    plain.send(1, b"in clear")
    two.run(10)
    assert two.server.data == []
    assert Event.REFUSED in two.server.kinds
    assert len(two.server_host.associations) == 1


def test_tls_to_a_port_without_it_ends_the_association():
    two = Pair()
    two.client_host.credentials = Credentials(KEY)
    two.connect(profile=PSK).send(1, b"secret")
    two.run(10)
    assert two.server.data == []
    assert two.client.kinds == [Event.REFUSED]


@pytest.mark.conformance("SEC-012")
def test_a_tap_sees_sizes_but_no_content():
    two = secured()
    two.run(5)
    tap = RecordingTap()
    two.network.tap(two.links, tap)
    two.association.send(11, b"the secret handle")
    two.run(5)
    (seen,) = tap.seen
    assert seen.protected and len(seen.data) == PSK.size(17)
    assert b"secret" not in seen.data and b"handle" not in seen.data
    assert two.server.data == [b"the secret handle"]


class Mutator(Tap):
    """Does to the n-th protected message what a test says."""

    def __init__(self, number, change):
        super().__init__()
        self.number = number
        self.change = change
        self.count = -1

    def message(self, seen):
        if not seen.protected:
            return seen.data
        self.count += 1
        return self.change(self, seen) if self.count == self.number else seen.data


@st.composite
def changes(draw):
    kind = draw(st.sampled_from(["flip", "cut", "extend", "replace", "replay", "inject"]))
    position = draw(st.integers(0, 10_000))
    other = draw(st.binary(min_size=1, max_size=80))

    def change(tap, seen):
        data = seen.data
        place = position % len(data)
        if kind == "flip":
            return data[:place] + bytes([data[place] ^ (1 + position % 255)]) + data[place + 1 :]
        if kind == "cut":
            return data[:place]
        if kind == "extend":
            return data + other
        if kind == "replace":
            return other
        tap.inject(seen.source, seen.destination, seen.ppid, data if kind == "replay" else other)
        return data

    return change


@pytest.mark.conformance("SEC-011")
@pytest.mark.conformance("SEC-009")
@settings(max_examples=150)
@given(changes(), st.integers(0, 9), st.sampled_from(list(PROFILES)))
def test_no_altered_replayed_or_injected_record_reaches_an_endpoint(change, number, profile):
    two = secured(PROFILES[profile])
    two.run(5)
    two.network.tap(two.links, Mutator(number, change))
    sent = [b"message %d" % i for i in range(5)]
    for data in sent:
        two.association.send(11, b"?" + data)
        two.run(0.5)
    two.run(20)
    questions = [b"?" + data for data in sent]
    assert two.server.data == questions[: len(two.server.data)]
    assert two.client.data == sent[: len(two.client.data)]
    refused = two.client_host.tls_counters, two.server_host.tls_counters
    if number <= len(two.server.data) + len(two.client.data):
        assert sum(counters.records_refused for counters in refused) >= 1
        assert two.client_host.associations == two.server_host.associations == ()


def test_without_tls_a_replayed_message_is_taken():
    two = Pair()
    two.network.tap(two.links, tap := RecordingTap())
    association = two.connect()
    association.send(11, b"withdraw")
    two.run(5)
    tap.replay(0)
    two.run(5)
    assert two.server.data == [b"withdraw", b"withdraw"]
    assert two.server_host.counters.messages_injected == 1
