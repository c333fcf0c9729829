"""The network and its security as scenarios set them."""

import shutil
import subprocess

import pytest

import rsim
from rsim.errors import ScenarioError
from rsim.plots import read_sequence
from rsim.scenario import Deployment
from rsim.wire import read_capture


def scenario(**changes):
    table = {
        "profile": "rfc",
        "warm_up": "11min",
        "duration": "10min",
        "network": {"delay": "10ms"},
        "pool_elements": {"element": {"count": 3}},
        "pool_users": {
            "user": {
                "count": 6,
                "request_size": {"distribution": "exponential", "mean": "1e6"},
                "request_interval": {"distribution": "exponential", "mean": 5},
            }
        },
    }
    for path, value in changes.items():
        place = table
        *parents, last = path.split("__")
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = value
    return rsim.scenario(table)


SECURE = {
    "pe_enrp": "psk-aes128-cbc",
    "pu_enrp": "rsa-aes128-cbc",
    "pu_pe": "tls13-rsa",
}


def test_sctp_without_loss_and_delay_gives_what_the_instant_transport_gives():
    results = [
        rsim.run(scenario(network={"transport": transport, "delay": 0}))
        for transport in ("instant", "sctp")
    ]
    assert results[0].requests.equals(results[1].requests)


def test_loss_slows_service_and_loses_no_request():
    plain, lossy = (
        [rsim.run(scenario(network={"delay": "10ms", "loss": loss}), seed) for seed in range(1, 5)]
        for loss in (0, 0.1)
    )

    def mean(results, name):
        return sum(result.metrics[name] for result in results) / len(results)

    assert mean(lossy, "packets_lost_pct") == pytest.approx(10, abs=0.5)
    assert mean(lossy, "handling_speed_pct") < 0.9 * mean(plain, "handling_speed_pct")
    # In one of them all elements are taken for dead for a while.
    assert mean(lossy, "requests_completed") > 0.9 * mean(plain, "requests_completed")
    assert all(result.counters["pool_users.requests_failed"] == 0 for result in lossy)


@pytest.mark.conformance("SEC-024")
def test_tls_on_every_kind_of_association():
    plain, secure = rsim.run(scenario()), rsim.run(scenario(security=SECURE))
    ratio = secure.metrics["handling_speed_pct"] / plain.metrics["handling_speed_pct"]
    assert 0.8 < ratio < 1
    handshakes = secure.counters["pool_users.handshakes"]
    assert handshakes == pytest.approx(secure.metrics["accepts"], abs=5)
    assert plain.counters["pool_users.handshakes"] == 0


@pytest.mark.conformance("SEC-002")
@pytest.mark.conformance("SEC-027")
@pytest.mark.parametrize(
    ("credential", "joins"),
    [
        ("valid", True),
        ("none", False),
        ("wrong_key", False),
        ("unknown_identity", False),
        ("revoked", False),
    ],
)
def test_only_elements_with_the_key_join(credential, joins):
    result = rsim.run(scenario(security=SECURE, pool_elements__element__credential=credential))
    assert (result.metrics["mean_pool_elements"] > 2.9) is joins
    assert (result.metrics["requests_completed"] > 0) is joins


@pytest.mark.conformance("SEC-008")
@pytest.mark.conformance("SEC-033")
@pytest.mark.conformance("SEC-029")
@pytest.mark.parametrize("credential", ["wrong_name", "expired", "unknown_authority", "revoked"])
def test_users_refuse_a_server_with_a_bad_certificate(credential):
    result = rsim.run(
        scenario(
            security={"pu_enrp": "rsa-aes128-cbc"}, enrp_servers__server__credential=credential
        )
    )
    assert result.metrics["requests_completed"] == 0
    assert result.metrics["handshakes_refused"] > 0


@pytest.mark.conformance("SEC-008")
@pytest.mark.conformance("SEC-028")
@pytest.mark.conformance("SEC-029")
def test_each_server_has_a_certificate_for_the_name_of_its_host_which_users_take():
    deployment = Deployment(
        scenario(security={"pu_enrp": "rsa-aes128-cbc"}, enrp_servers__server__count=3)
    )
    result = deployment.run()
    assert result.metrics["requests_completed"] > 300
    assert result.metrics["handshakes_refused"] == 0
    users = deployment.world.hosts["user"]
    assert sum(host.tls_counters.handshakes for host in users) >= len(users) == 6
    hosts = [ports.host for ports, _ in deployment.servers]
    assert len({host.name for host in hosts}) == 3
    for host in hosts:
        certificate = host.credentials.certificate
        assert certificate.subject == host.name and certificate.names(host.name)
        assert not any(certificate.names(other.name) for other in hosts if other is not host)


INTERFACES = {
    "enrp_enrp": ("server", "server"),
    "pe_enrp": ("element", "server"),
    "pu_enrp": ("user", "server"),
    "pu_pe": ("element", "user"),
}


@pytest.mark.conformance("SEC-011")
@pytest.mark.conformance("SEC-012")
@pytest.mark.conformance("SEC-024")
@pytest.mark.parametrize("secured", [None, *INTERFACES])
def test_a_tap_learns_no_handle_where_an_interface_has_tls(tmp_path, secured):
    handle = "a-handle-that-nobody-may-know"
    profile = "rsa-aes128-cbc" if secured in ("pu_enrp", "pu_pe") else "psk-aes128-cbc"
    settings = scenario(
        warm_up="9min",
        duration="5min",
        pools={handle: {}},
        security={secured: profile} if secured else {},
        enrp_servers__server__count=2,
        pool_elements__element__pool=handle,
        pool_elements__element__business_cards=True,
        pool_users__user__pool=handle,
    )
    deployment = Deployment(settings)
    kinds = {
        address: kind
        for kind, hosts in deployment.world.hosts.items()
        for host in hosts
        for address in host.addresses
    }
    file = tmp_path / "run.pcapng"
    rsim.run(settings, pcap=file)
    readable = dict.fromkeys(INTERFACES, 0)
    unreadable = dict.fromkeys(INTERFACES, 0)
    for one in read_capture(file):
        ends = tuple(sorted((kinds[one.source[0]], kinds[one.destination[0]])))
        [interface] = [
            name for name, parties in INTERFACES.items() if ends == tuple(sorted(parties))
        ]
        (readable if handle.encode() in one.data else unreadable)[interface] += 1
    # Of the others all is there to be read, which shows that one would see it.
    for interface in INTERFACES:
        assert (readable[interface] == 0) is (interface == secured), interface
        assert interface != secured or unreadable[interface] > 20


@pytest.mark.conformance("SEC-002")
def test_a_flood_without_the_key_leaves_no_trace():
    flood = {"kind": "registration-flood", "interval": "1s"}
    plain = rsim.run(scenario(attackers__flood=flood))
    secure = rsim.run(scenario(attackers__flood=flood, security=SECURE))
    assert plain.metrics["mean_pool_elements"] > 100
    assert secure.metrics["mean_pool_elements"] == pytest.approx(3, abs=0.1)
    assert secure.metrics["registrations_refused"] > 500


def test_a_valid_key_of_another_pool_is_no_right_to_join():
    flood = {"kind": "registration-flood", "interval": "5s", "credential": "valid"}
    result = rsim.run(
        scenario(
            security=SECURE,
            pools={"pool": {}, "other": {}},
            attackers__flood={**flood, "pool": "other"},
        )
    )
    assert result.counters["attackers.handshakes"] > 0


def test_a_shared_key_lets_every_holder_register_anything():
    flood = {"kind": "registration-flood", "interval": "5s", "credential": "valid"}
    result = rsim.run(scenario(security={**SECURE, "shared_key": True}, attackers__flood=flood))
    assert result.metrics["mean_pool_elements"] > 50


def test_new_keys_shut_out_who_has_a_leaked_one():
    flood = {"kind": "registration-flood", "interval": "5s", "credential": "valid"}
    leaked = rsim.run(scenario(security={**SECURE, "shared_key": True}, attackers__flood=flood))
    security = {**SECURE, "shared_key": True, "rekey": "10min"}
    rekeyed = rsim.run(scenario(security=security, attackers__flood=flood))
    assert leaked.metrics["mean_pool_elements"] > 50
    assert rekeyed.metrics["mean_pool_elements"] < 4
    assert rekeyed.metrics["requests_completed"] > 500


def test_resumed_sessions_start_sooner():
    slow, fast = (
        rsim.run(scenario(security={"pu_pe": "rsa-aes128-cbc", "resumption": resumption}))
        for resumption in (False, True)
    )
    saved = slow.metrics["startup_delay_s"] - fast.metrics["startup_delay_s"]
    assert saved == pytest.approx(0.02, abs=0.002)


@pytest.mark.conformance("SEC-036")
def test_downgrade_serves_users_of_a_server_with_a_bad_certificate():
    security = {"pu_enrp": "rsa-aes128-cbc", "downgrade": True}
    result = rsim.run(scenario(security=security, enrp_servers__server__credential="expired"))
    assert result.metrics["requests_completed"] > 500
    # They know that what they were told is not protected.
    assert result.counters["pool_users.answers_unprotected"] > 10


@pytest.mark.conformance("SEC-030")
@pytest.mark.parametrize("profile", ["rsa-aes128-cbc", "rsa-aes128-cbc-mutual"])
def test_users_show_certificates_only_where_the_profile_is_mutual(profile):
    deployment = Deployment(scenario(security={"pu_enrp": profile}))
    result = deployment.run()
    assert result.counters["pool_users.answers_unprotected"] == 0
    network = deployment.world.network
    principals = {
        association.principal and association.principal.name
        for association in deployment.servers[0][0].host.associations
        if (network.name_of(association.remote_address) or "").startswith("user")
    }
    users = {f"user-{n}" for n in range(1, 7)}
    assert principals == (users if profile.endswith("mutual") else {None})


def test_a_server_with_a_cpu_answers_later():
    cpu = {"service_time": "50ms"}
    fresh = {"protocol": {"pool_user": {"stale_cache_value": 0}}}
    fast = rsim.run(scenario(**fresh))
    slow = rsim.run(scenario(**fresh, enrp_servers__server__cpu=cpu))
    assert slow.metrics["startup_delay_s"] > fast.metrics["startup_delay_s"] + 0.04
    assert slow.metrics["server_cpu_load_pct"] > 1


def test_hosts_are_spread_over_sites():
    network = {"sites": ["a", "b", "c"], "topology": "row", "wan": {"delay": "20ms"}}
    table = {"site": ["a", "b", "c"], "count": 5}
    deployment = Deployment(
        scenario(
            network=network,
            enrp_servers__server__site="a",
            pool_elements__element=table,
            pool_users__user__site="b",
        )
    )
    assert [host.site for host in deployment.world.hosts["element"]] == ["a", "b", "c", "a", "b"]
    assert deployment.world.network.delay("a", "c") == pytest.approx(0.04)
    assert deployment.run().metrics["requests_completed"] > 0


def test_multi_homed_elements_serve_through_a_cut_of_one_path():
    network = {
        "sites": ["main", "east", "west"],
        "topology": "mesh",
        "wan": {"delay": "5ms"},
        "outages": [{"path": ["main", "east"], "schedule": "down@12min"}],
        "reroute": False,
        # With the default of 5 a path is given up after 63 s, later than keep-alives wait.
        "sctp": {"path_max_retrans": 0},
    }
    completed = {}
    for homes in ([], ["west"]):
        result = rsim.run(
            scenario(
                network=network,
                enrp_servers__server__site="main",
                pool_users__user__site="main",
                pool_users__user__also_at=homes,
                pool_elements__element={"count": 3, "site": "east", "also_at": homes},
                enrp_servers__server__also_at=homes,
            )
        )
        completed[len(homes)] = result.metrics["requests_completed"]
    assert completed[1] > 3 * completed[0]


def test_a_disaster_takes_the_hosts_of_a_site_and_they_return():
    outage = {"site": "lan", "what": "hosts", "groups": ["element"], "share": 0.67}
    result = rsim.run(scenario(network__outages=[{**outage, "schedule": "down@13min, up@16min"}]))
    assert result.counters["pool_elements.registrations_sent"] >= 5
    assert result.metrics["failovers"] + result.metrics["requests_completed"] > 100
    lost = rsim.run(scenario(network__outages=[{**outage, "schedule": "down@13min"}]))
    assert lost.metrics["mean_pool_elements"] < 2


def test_users_on_a_restored_host_hear_servers_announce_themselves():
    outage = {"site": "lan", "what": "hosts", "groups": ["user"]}
    result = rsim.run(
        scenario(
            discovery="multicast",
            protocol__enrp_server__announce=True,
            network__outages=[{**outage, "schedule": "down@1ns, up@30s"}],
        )
    )
    assert result.metrics["requests_completed"] > 100


def test_users_fail_over_when_a_host_is_lost_and_its_heartbeats_or_keep_alives_end():
    outage = {"site": "lan", "what": "hosts", "groups": ["element"], "share": 0.34}
    result = rsim.run(
        scenario(
            network__outages=[{**outage, "schedule": "down@13min"}],
            pool_users__user__request_size="1e8",
            pool_users__user__keep_alive_interval="1s",
            pool_users__user__keep_alive_timeout="1s",
        )
    )
    assert result.metrics["failovers"] >= 1


def test_ipv6():
    deployment = Deployment(scenario(network__ipv6=True))
    assert ":" in deployment.world.hosts["element"][0].address
    assert deployment.run().metrics["requests_completed"] > 100


def test_a_graph_beside_the_scenario_is_read(tmp_path):
    (tmp_path / "sites.csv").write_text("from,to,delay\nlan,far,0.1\n")
    file = tmp_path / "scenario.toml"
    file.write_text('[network]\ngraph = "sites.csv"\n[pool_users.user]\nsite = "far"\n')
    loaded = rsim.load(file)
    assert loaded.network.sites == ("lan", "far")
    assert loaded.network.graph is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": {"transport": "instant", "loss": 0.1}}, "only sctp knows loss"),
        ({"network": {"transport": "instant", "mtu": 1400}}, "transport: only sctp knows an mtu"),
        (
            {"network": {"transport": "instant", "bandwidth": 1e6, "discipline": "codel"}},
            "transport: only sctp knows loss, jitter, bandwidth",
        ),
        (
            {"network": {"transport": "instant", "fair": True}},
            "network: fair: only a link with a bandwidth has a queue",
        ),
        ({"network": {"ipv6": True, "mtu": 1000}}, "mtu: IPv6 needs at least 1280 octets"),
        (
            {"network": {"ipv6": True}, "pool_users__user__access": {"mtu": 600}},
            "pool_users.user.access.mtu: IPv6 needs at least 1280 octets",
        ),
        ({"network": {"mtu": 100}}, "mtu: Input should be greater than or equal to 576"),
        ({"network": {"transport": "instant"}, "security": SECURE}, "knows TLS"),
        (
            {"network": {"transport": "instant"}, "attackers": {"ear": {"kind": "eavesdropper"}}},
            "attackers.ear.kind: 'eavesdropper' listens on a path",
        ),
        (
            {"security": {"pe_enrp": "rot13"}},
            "security.pe_enrp: there is no TLS profile 'rot13'; choose one of none",
        ),
        (
            {"security": {"authorisation": "mother"}},
            "there is no authorisation 'mother'; choose one of open, key",
        ),
        ({"network": {"outages": [{"site": "moon", "uptime": 5}]}}, "no site 'moon'"),
        ({"network": {"outages": [{}]}}, "must name either a path"),
        (
            {
                "network": {
                    "outages": [{"site": "lan", "what": "hosts", "groups": ["x"], "uptime": 5}]
                }
            },
            "there is no group 'x'",
        ),
        ({"network": {"outages": [{"site": "lan", "schedule": "bang"}]}}, "not a change of state"),
        ({"network": {"graph": "missing.csv"}}, "missing.csv: no such file"),
        ({"network": {"queue": 5}}, "only a link with a bandwidth has a queue"),
        (
            {"enrp_servers__server__cpu": {"service_times": {"ASAP_REGISTRATON": 1}}},
            "there is no message 'ASAP_REGISTRATON'; did you mean 'ASAP_REGISTRATION'",
        ),
        (
            {"network": {"transport": "instant"}, "pool_users__user__also_at": ["lan"]},
            "only network.transport = 'sctp' knows also_at",
        ),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(ScenarioError, match=message):
        scenario(**changes)


# Captures ----------------------------------------------------------------------------------------


def test_a_capture_shows_records_as_sent_and_decrypted_on_request(tmp_path):
    secure = scenario(security=SECURE)
    plain = tmp_path / "opaque.pcapng", tmp_path / "readable.pcapng"
    digests = {
        rsim.run(secure, pcap=plain[0]).digest,
        rsim.run(secure, pcap=plain[1], decrypted=True).digest,
        rsim.run(secure).digest,
    }
    assert len(digests) == 1
    opaque, readable = ([step.message for step in read_sequence(str(file))] for file in plain)
    assert "ASAP_REGISTRATION" in readable and "ASAP_HANDLE_RESOLUTION_RESPONSE" in readable
    assert "ASAP_REGISTRATION" not in opaque


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("loss", [0, 0.05])
def test_tshark_reads_every_packet_of_a_run(tmp_path, loss):
    file = tmp_path / "run.pcapng"
    rsim.run(scenario(network={"delay": "10ms", "loss": loss}, duration="2min"), pcap=file)
    command = ["tshark", "-r", file, "-n", "-o", "sctp.checksum:CRC 32c", "-T", "fields"]
    fields = ["sctp.checksum.status", "_ws.malformed", "sctp.chunk_type"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) > 500
    assert {row[0] for row in rows} == {"1"}
    assert {row[1] for row in rows} == {""}
    kinds = {kind for row in rows for kind in row[2].split(",")}
    assert {"0", "1", "2", "10", "11"} <= kinds


@pytest.mark.conformance("SEC-037")
def test_a_secure_question_about_an_unsecured_handlespace_is_answered():
    flood = {"kind": "registration-flood", "interval": "5s"}
    security = {"pu_enrp": "rsa-aes128-cbc"}
    result = rsim.run(scenario(warm_up="9min", security=security, attackers__flood=flood))
    assert result.counters["pool_users.handshakes"] == 6
    assert result.metrics["requests_completed"] > 10
    assert result.metrics["mean_pool_elements"] > 50


def test_an_authorisation_of_ones_own_decides():
    from rsim.endpoints import KeyAuthorisation, authorisation

    @authorisation("even")
    class Even(KeyAuthorisation):
        """Only elements with an even identifier."""

        def permits(self, principal, pool, identifier):
            return super().permits(principal, pool, identifier) and identifier % 2 == 0

    deployment = Deployment(
        scenario(
            security={"pe_enrp": "psk-aes128-cbc", "authorisation": "even"},
            pool_elements__element__count=20,
        )
    )
    deployment.run()
    refusals = sum(e.counters.registrations_told_refused for e in deployment.elements)
    assert refusals > 5
    assert {element.endpoint.identifier % 2 for element in deployment.elements} == {0}


@pytest.mark.conformance("ARC-011")
@pytest.mark.parametrize("group", ["enrp_servers", "pool_elements"])
def test_no_single_failure_stops_the_service(group):
    outage = {"site": "lan", "what": "hosts", "groups": ["victim"], "schedule": "down@13min"}
    settings = {"enrp_servers__server__count": 2, f"{group}__victim": {}}
    result = rsim.run(scenario(**settings, network__outages=[outage]))
    late = result.requests[result.requests["generated"] > 16 * 60]
    assert late["completed"].notna().mean() > 0.95
