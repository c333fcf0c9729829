"""What pool elements and pool users do on a network, requirement by requirement."""

import numpy as np
import pytest
from scipy.stats import kstest

import rsim
from rsim.errors import ScenarioError
from rsim.scenario import Deployment
from rsim.wire import (
    MESSAGE_KINDS,
    PPID_ASAP,
    BusinessCard,
    Cookie,
    Registration,
    decode,
    read_capture,
)

from .test_network import scenario

requirement = pytest.mark.conformance


def captured(tmp_path, **changes):
    """Result and ASAP messages of a run: time, source, destination, message."""
    file = tmp_path / "run.pcapng"
    result = rsim.run(scenario(**changes), pcap=file)
    messages = [
        (one.departure, one.source, one.destination, decode(one.data, "asap"))
        for one in read_capture(file)
        if one.ppid == PPID_ASAP
    ]
    return result, messages


@requirement("ASAP-001")
@requirement("ARC-006")
def test_an_element_has_one_home_and_both_sides_know():
    deployment = Deployment(
        scenario(
            enrp_servers__server={"count": 4},
            pool_elements__element__count=8,
            network__outages=[
                {"site": "lan", "what": "hosts", "groups": ["server"], "share": 0.25}
                | {"schedule": "down@15min, up@20min"}
            ],
        )
    )
    checked = 0
    for minute in (8, 14, 19, 25, 30):
        deployment.world.clock.run_until(60 * minute)
        for element in deployment.elements:
            endpoint = element.endpoint
            owners = [
                server
                for _, server in deployment.servers
                if server.serving and server.store.own(b"pool", endpoint.identifier)
            ]
            assert len(owners) == 1
            home = endpoint._home
            assert home is not None
            [ports] = [ports for ports, server in deployment.servers if server is owners[0]]
            assert home.remote_address == ports.host.address
            checked += 1
    assert checked == 40


@requirement("ARC-006")
@requirement("ARC-014")
def test_one_registration_reaches_the_other_servers_by_enrp():
    deployment = Deployment(
        scenario(enrp_servers__server={"count": 4}, pool_elements__element={"count": 1})
    )
    deployment.world.clock.run_until(5 * 60 - 1)
    before = deployment.world.recorder.totals()
    deployment.world.clock.run_until(5 * 60 + 5)
    after = deployment.world.recorder.totals()
    assert after["enrp_servers.registrations"] - before["enrp_servers.registrations"] == 1
    updates = "network.enrp_handle_update"
    assert after[updates] - before[updates] == 3
    identifier = deployment.elements[0].endpoint.identifier
    assert all(s.handlespace.find(b"pool", identifier) for _, s in deployment.servers)


@requirement("ASAP-003")
@requirement("ASAP-156")
@requirement("ASAP-174")
def test_without_cookies_a_request_begins_anew_elsewhere():
    changes = {
        "pool_elements__element": {
            "count": 3,
            "failures": {"uptime": 60, "downtime": 5, "clean_shutdown_probability": 0},
        },
        "pool_users__user__request_size": {"distribution": "fixed", "mean": 2e7},
        "pool_users__user__request_interval": {"distribution": "fixed", "mean": 60},
        "pool_users__user__keep_alive_interval": "1s",
        "pool_users__user__keep_alive_timeout": "1s",
        "duration": "40min",
    }
    cookies, restart, none = (
        rsim.run(scenario(**changes, pool_users__user__failover=mode))
        for mode in ("cookies", "restart", "none")
    )
    assert cookies.counters["pool_users.cookie_echoes"] > 10
    assert restart.counters["pool_users.cookie_echoes"] == 0
    assert restart.counters["pool_users.failovers"] > 10
    assert restart.metrics["work_lost_pct"] > cookies.metrics["work_lost_pct"] > 0
    assert none.counters["pool_users.failovers"] == 0
    assert none.metrics["requests_failed"] > 10
    failed = none.requests["failed"].notna()
    assert not (failed & none.requests["completed"].notna()).any()


@requirement("ASAP-008")
@requirement("ASAP-041")
@requirement("ASAP-147")
def test_a_card_comes_before_the_first_answer_of_the_application(tmp_path):
    file = tmp_path / "run.pcapng"
    rsim.run(scenario(pool_elements__element={"count": 3, "business_cards": True}), pcap=file)
    first = {}
    for one in read_capture(file):
        first.setdefault((one.source, one.destination), (one.ppid, one.data))
    answered = {
        (one.source, one.destination)
        for one in read_capture(file)
        if one.ppid != PPID_ASAP and one.source[0] in ("10.0.0.2", "10.0.0.3", "10.0.0.4")
    }
    kinds = {pair: data[0] if ppid == PPID_ASAP else None for pair, (ppid, data) in first.items()}
    without = [source for source, user in answered if kinds[source, user] != BusinessCard.type_code]
    # An element that is asked for the first time does not know the others yet.
    assert len(answered) > 50 and len(without) == len(set(without)) <= 3


@requirement("ASAP-147")
@requirement("ASAP-148")
@requirement("ASAP-156")
@requirement("ASAP-162")
def test_elements_give_business_cards_and_users_do_not(tmp_path):
    result, messages = captured(
        tmp_path,
        pool_elements__element={"count": 3, "business_cards": True, "cookie_interval": 1e5},
    )
    elements = {f"10.0.0.{n}" for n in (2, 3, 4)}
    cards = [m for m in messages if isinstance(m[3], BusinessCard)]
    assert len(cards) >= result.counters["pool_elements.cards_sent"] > 100
    assert {source[0] for _, source, _, _ in cards} <= elements
    for _, source, _, card in cards:
        assert card.pool_handle == b"pool"
        # Everybody but the sender, at the port that takes control as well as data.
        assert {e.user_transport.hosts[0] for e in card.pool_elements} == elements - {source[0]}
        assert {e.user_transport.use for e in card.pool_elements} == {1}
    assert cards[0][3].encode()[:2] == b"\x0d\x00"
    registered = {
        (m[3].pool_element.user_transport.hosts[0], m[3].pool_element.user_transport.port)
        for m in messages
        if isinstance(m[3], Registration)
    }
    assert {source for _, source, _, _ in cards} <= registered
    # Each is registered at the addresses of the endpoint that speaks to the server.
    for _, source, _, message in messages:
        if isinstance(message, Registration):
            assert message.pool_element.user_transport.hosts == (source[0],)


@requirement("ASAP-160")
@requirement("ASAP-161")
def test_asap_goes_under_its_identifier_and_the_application_under_another(tmp_path):
    file = tmp_path / "run.pcapng"
    failures = {"uptime": {"distribution": "exponential", "mean": 300}, "downtime": 20}
    element = {"count": 3, "business_cards": True, "failures": failures}
    rsim.run(scenario(pool_elements__element=element), pcap=file)
    with_server, control, data = set(), set(), set()
    for one in read_capture(file):
        if 3863 in (one.source[1], one.destination[1]):
            assert one.ppid == PPID_ASAP
            with_server.add(type(decode(one.data, "asap")).__name__)
        elif one.ppid == PPID_ASAP:
            control.add(type(decode(one.data, "asap")).__name__)
        else:
            data.add(one.ppid)
    assert with_server >= {
        "Registration",
        "RegistrationResponse",
        "Deregistration",
        "DeregistrationResponse",
        "HandleResolution",
        "HandleResolutionResponse",
        "EndpointKeepAlive",
        "EndpointKeepAliveAck",
        "EndpointUnreachable",
    }
    assert control == {"Cookie", "CookieEcho", "BusinessCard"}
    assert len(data) == 1


@requirement("ASAP-011")
@requirement("ASAP-047")
@requirement("ASAP-162")
def test_the_endpoint_that_speaks_to_a_server_has_all_addresses_of_the_service():
    network = {"sites": ["main", "east", "west"], "topology": "mesh", "wan": {"delay": "5ms"}}
    deployment = Deployment(
        scenario(
            network=network,
            enrp_servers__server={"site": "main", "also_at": ["west"]},
            pool_users__user__site="main",
            pool_elements__element={"count": 3, "site": "east", "also_at": ["west"]},
        )
    )
    deployment.world.clock.run_until(6 * 60)
    [(ports, server)] = deployment.servers
    for element in deployment.elements:
        stored = server.handlespace.find(b"pool", element.endpoint.identifier)
        addresses = set(element.host.addresses)
        assert len(addresses) == 2 and set(stored.user_transport.hosts) == addresses
        [there] = [a for a in ports.host.associations if a.remote_address in addresses]
        assert set(there.remote_addresses) == addresses == set(stored.asap_transport.hosts)
        # Other servers find it at the port that it speaks from.
        assert stored.asap_transport.port == there.remote_port
        assert element.host.hears(there.remote_port, tcp=False)


@requirement("ASAP-142")
@requirement("ASAP-149")
@pytest.mark.parametrize("use", [0, 1])
def test_without_a_control_channel_an_element_gives_no_card_and_no_cookie(use):
    deployment = Deployment(
        scenario(
            pool_elements__element={
                "count": 3,
                "business_cards": True,
                "control_channel": bool(use),
                "cookie_interval": 1e5,
            }
        )
    )
    deployment.world.clock.run_until(12 * 60)
    before = deployment.world.recorder.totals()
    for server in deployment.servers:
        listed = [e for pool in server[1].store.listed() for e in pool.pool_elements]
        assert [e.user_transport.use for e in listed] == [use] * 3
    deployment.world.clock.run_until(17 * 60)
    after = deployment.world.recorder.totals()
    more = {
        name: after[f"pool_elements.{name}"] - before[f"pool_elements.{name}"]
        for name in ("completions", "cards_sent", "cookies_sent")
    }
    assert more["completions"] > 100
    assert (more["cards_sent"] > 100) is (more["cookies_sent"] > 100) is bool(use)
    assert use or more["cards_sent"] == more["cookies_sent"] == 0


@requirement("ASAP-039")
@requirement("ASAP-142")
def test_cookies_hold_one_parameter_and_need_a_control_channel(tmp_path):
    _, messages = captured(tmp_path, pool_elements__element={"count": 3, "cookie_interval": 1e5})
    cookies = [message for *_, message in messages if isinstance(message, Cookie)]
    assert len(cookies) > 100
    data = cookies[0].encode()
    assert data[:2] == b"\x0b\x00" and data[4:6] == b"\x00\x0d"
    assert int.from_bytes(data[2:4], "big") == 4 + 4 + len(cookies[0].cookie)


@requirement("ASAP-154")
def test_a_user_may_do_without_cookies_cards_and_announcements(tmp_path):
    changes = {
        "pool_elements__element": {
            "count": 3,
            "business_cards": True,
            "cookie_interval": 1e5,
            "failures": {"uptime": 100, "clean_shutdown_probability": 1},
        },
        "pool_users__user__failover": "restart",
        "pool_users__user__heed_business_cards": False,
    }
    result, messages = captured(tmp_path, **changes)
    kinds = {MESSAGE_KINDS[PPID_ASAP, message.type_code] for *_, message in messages}
    assert "ASAP_COOKIE_ECHO" not in kinds and "ASAP_SERVER_ANNOUNCE" not in kinds
    assert {"ASAP_COOKIE", "ASAP_BUSINESS_CARD"} <= kinds
    assert result.metrics["requests_completed"] > 300


@requirement("ASAP-048")
def test_identifiers_look_uniform():
    from rsim.randomness import Streams

    streams = Streams(1)
    identifiers = np.array(
        [streams.stream(f"element-{n}", "identifiers").identifier() for n in range(10_000)]
    )
    assert len(set(identifiers.tolist())) == 10_000
    assert identifiers.min() > 0
    assert kstest(identifiers / 2**32, "uniform").pvalue > 1e-3
    for bit in range(32):
        assert abs(np.mean(identifiers >> bit & 1) - 0.5) < 0.025


@requirement("ASAP-048")
@requirement("ASAP-059")
def test_elements_register_under_identifiers_of_chance(tmp_path):
    file = tmp_path / "run.pcapng"
    failures = {"schedule": "down@8min, up@9min", "clean_shutdown_probability": 0}
    settings = scenario(
        pool_elements__element={"count": 400, "failures": failures, "registration_life": 60},
        pool_users__user__count=1,
        duration="1min",
    )
    rsim.run(settings, pcap=file)
    lives = {}
    for one in read_capture(file):
        message = decode(one.data, "asap") if one.ppid == PPID_ASAP else None
        if isinstance(message, Registration):
            life = one.source[0], one.departure > 8.5 * 60
            lives.setdefault(life, set()).add(message.pool_element.identifier)
    # One in each life of an element, kept in all renewals, and another one after a restart.
    assert len(lives) == 800 and all(len(drawn) == 1 for drawn in lives.values())
    identifiers = np.array([number for [number] in lives.values()])
    assert len(set(identifiers.tolist())) == 800 and identifiers.min() > 0
    assert kstest(identifiers / 2**32, "uniform").pvalue > 1e-3
    for bit in range(32):
        assert abs(np.mean(identifiers >> bit & 1) - 0.5) < 0.09


@requirement("ASAP-076")
def test_an_element_that_falls_silent_is_gone_at_its_lifetime():
    deployment = Deployment(
        scenario(
            protocol={"enrp_server": {"keep_alive_interval": "1h"}},
            pool_elements__element={"count": 2, "registration_life": 60},
        )
    )
    deployment.world.clock.run_until(6 * 60)
    server = deployment.servers[0][1]
    # The last renewal was within the last 40 s.
    deployment.elements[0].vanish()
    deployment.world.clock.run_until(6 * 60 + 19)
    assert server.handlespace.pool_size(b"pool") == 2
    deployment.world.clock.run_until(7 * 60 + 1)
    assert server.handlespace.pool_size(b"pool") == 1
    assert server.counters.elements_expired == 1


@requirement("ASAP-163")
@pytest.mark.parametrize(("clean", "deregistrations"), [(1, 3), (0, 0)])
def test_a_clean_stop_deregisters_and_a_crash_does_not(clean, deregistrations):
    failures = {"schedule": "down@12min", "clean_shutdown_probability": clean}
    result = rsim.run(scenario(pool_elements__element={"count": 3, "failures": failures}))
    assert result.metrics["deregistrations"] == deregistrations


@requirement("ASAP-125")
def test_without_multicast_there_is_a_list():
    with pytest.raises(ScenarioError, match="announce"):
        scenario(discovery="multicast")
    with pytest.raises(ScenarioError, match="at least one server"):
        scenario(enrp_servers={"server": {"count": 0}})
    deployment = Deployment(scenario())
    for endpoint in (deployment.elements[0].endpoint, deployment.users[0].endpoint):
        assert endpoint.servers.present() == [(("10.0.0.1",), 3863)]


@requirement("ASAP-121")
def test_elements_and_users_learn_of_servers_by_their_announcements():
    deployment = Deployment(
        scenario(
            discovery="multicast",
            protocol={"enrp_server": {"announce": True}},
            enrp_servers__server={"count": 2},
            network={"delay": "1ms"},
        )
    )
    endpoints = [deployment.elements[0].endpoint, deployment.users[0].endpoint]
    assert [one.servers.present() for one in endpoints] == [[], []]
    deployment.world.clock.run_until(12 * 60)
    servers = {((ports.host.address,), 3863) for ports, _ in deployment.servers}
    for one in endpoints:
        assert set(one.servers.present()) == servers and len(servers) == 2


@requirement("ASAP-194")
@pytest.mark.parametrize(
    ("changes", "group"),
    [
        ({}, "224.0.1.185"),
        ({"ipv6": True}, "ff05::133"),
        ({"multicast_group": "239.1.2.3"}, "239.1.2.3"),
    ],
)
def test_announcements_go_to_the_group_of_the_rfc(changes, group):
    announce = {"announce": True}
    deployment = Deployment(
        scenario(
            discovery="multicast",
            protocol={"enrp_server": announce},
            network={"delay": "1ms", **changes},
        )
    )
    assert deployment.world.network._groups.keys() == {group}
    deployment.world.clock.run_until(6 * 60)
    assert all(e.endpoint.state.name == "REGISTERED" for e in deployment.elements)


@requirement("ARC-016")
def test_an_element_in_two_pools_has_an_identifier_in_each():
    table = {
        "pools": {"pool": {"policy": "least_used"}, "second": {"policy": "random"}},
        "pool_elements__element": {"count": 3, "further_pools": ["second"]},
        "pool_users__other": {"pool": "second", "count": 6, "request_interval": 5},
        "pool_users__other__request_size": 1e6,
    }
    deployment = Deployment(scenario(**table))
    result = deployment.run()
    server = deployment.servers[0][1]
    assert server.handlespace.pool_size(b"pool") == server.handlespace.pool_size(b"second") == 3
    for element in deployment.elements:
        first, second = (membership.endpoint.identifier for membership in element.memberships)
        assert first != second
    done = result.requests.dropna(subset="completed")
    assert done["user"].str.startswith("other").sum() > 100
    assert done["user"].str.startswith("user").sum() > 100
    # The two pools share the elements' capacity.
    work = result.counters["pool_elements.work"]
    assert work == pytest.approx(done["size"].sum(), rel=0.1)


def test_an_element_in_two_pools_leaves_both_and_returns_to_both():
    failures = {"schedule": "down@12min, up@15min"}
    deployment = Deployment(
        scenario(
            pools={"pool": {}, "second": {}},
            pool_elements__element={"further_pools": ["second"], "failures": failures},
        )
    )
    server = deployment.servers[0][1]
    sizes = []
    for minute in (11, 13, 16):
        deployment.world.clock.run_until(60 * minute)
        sizes.append([server.handlespace.pool_size(p) for p in (b"pool", b"second")])
    assert sizes == [[1, 1], [0, 0], [1, 1]]


@requirement("ARC-013")
def test_pool_management_stays_small_in_a_mass_failure():
    """Half of a hundred elements die at once; control bytes stay below twice the calm rate."""
    outage = {"site": "lan", "what": "hosts", "groups": ["element"], "share": 0.5}
    changes = {
        "pool_elements__element": {"count": 100},
        "pool_users__user__count": 50,
        "warm_up": "11min",
        "duration": "5min",
    }
    calm = rsim.run(scenario(**changes))
    failing = rsim.run(scenario(**changes, network__outages=[{**outage, "schedule": "down@12min"}]))
    limit = 2 * calm.metrics["asap_octets_per_s"]
    assert failing.metrics["asap_octets_per_s"] < limit
    assert failing.metrics["endpoint_keep_alive_timeouts"] >= 50


@requirement("ARC-018")
def test_users_feed_back_what_they_find():
    failures = {"uptime": 100, "clean_shutdown_probability": 0}
    result = rsim.run(
        scenario(
            pool_elements__element={"count": 3, "failures": failures},
            protocol={"enrp_server": {"keep_alive_interval": "10min"}},
            duration="30min",
        )
    )
    assert result.metrics["endpoint_unreachables"] > 5
    assert result.counters["enrp_servers.keep_alives_sent"] > 5
