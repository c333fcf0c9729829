"""What the parts of a scenario say of each other is checked before anything runs."""

import pytest

import rsim
from rsim.errors import ScenarioError
from rsim.scenario import set_path


def table():
    return {
        "network": {"sites": ["lan", "west", "far"], "paths": [{"sites": ["lan", "west"]}]},
        "pools": {"pool": {}, "other": {}},
        "enrp_servers": {"server": {}},
        "pool_elements": {"element": {"count": 5, "site": ["lan", "west"]}},
        "pool_users": {"user": {"count": 10}},
        "attackers": {
            "spy": {"kind": "eavesdropper", "position": {"at": "user"}},
            "flood": {"kind": "report-flood"},
        },
    }


def test_the_table_itself_is_valid():
    assert rsim.scenario(table()).attackers["spy"].position.at == "user"


IMPERSONATOR = {"kind": "impersonator", "action": "aim"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("network.sites", ["lan", "west", "far", "lan"], "network: sites: 'lan' is there 2 times"),
        ("network.sites", ["lan", "west", "far", "a -> b"], "sites.3: the name of a site has no"),
        ("network.sites", ["lan", ""], "sites.1: '' is not a name"),
        ("network.sites", [], "network.sites: "),
        (
            "network.paths",
            [{"sites": ["lan", "west"]}, {"sites": ["west", "lan"], "delay": 1}],
            "paths.1: joins the same sites as paths.0",
        ),
        ("network.paths", [{"sites": ["lan", "lan"]}], "paths.0: joins 'lan' to itself"),
        ("network.wan", {"delay": 1}, "wan: does nothing without a topology"),
        ("network.delay_from", "coordinates", "delay_from: does nothing without a graph"),
        ("network.multicast_group", "10.0.0.1", "'10.0.0.1' is not a multicast address"),
        ("network.multicast_group", "group", "'group' is not a multicast address"),
        ("network.sctp", {"rto_min": 5, "rto_max": 2}, "rto_min: 5 s is above rto_max, 2 s"),
        ("network.outages", [{"path": ["lan", "far"], "uptime": 5}], "nothing joins these two"),
        ("network.outages", [{"site": "lan"}], "needs an uptime or a schedule"),
        (
            "network.outages",
            [{"site": "lan", "groups": ["user"], "uptime": 5}],
            "groups and share: say which hosts, with what = 'hosts'",
        ),
        (
            "network.outages",
            [{"site": "lan", "what": "hosts", "groups": ["usr"], "uptime": 5}],
            "network.outages.0.groups: there is no group 'usr'; did you mean 'user'",
        ),
        (
            "network.outages",
            [{"site": "lan", "what": "hosts", "groups": ["element"], "share": 0.1, "uptime": 5}],
            "network.outages.0.share: 0.1 of 3 is less than one; .* more than 0.166667",
        ),
        ("pools", {"": {}}, "'' is not a name"),
        ("pools", {"p" * 256: {}}, "too long for a name: at most 255 bytes"),
        ("pools", {"é" * 128: {}}, "too long for a name: at most 255 bytes"),
        ("pools", {"a\nb": {}}, r"'a\\nb' is not a name"),
        ("pool_users", {"a" * 300: {}}, "too long for a name"),
        (
            "pool_elements.element.pool",
            "nope",
            "element.pool: there is no pool 'nope'; choose one of",
        ),
        ("pool_elements.element.further_pools", ["pool"], "they register in 'pool' already"),
        ("pool_elements.element.further_pools", ["other", "other"], "register in 'other' already"),
        (
            "pool_elements.element.service_settings",
            {"a": 1},
            "service_settings: calcapp takes none",
        ),
        ("pool_elements.element.site", [], "site"),
        (
            "pool_elements.element.site",
            "mars",
            "there is no site 'mars'; choose one of lan, west, far",
        ),
        (
            "pool_elements.element.lie",
            {"kind": "idle", "share": 0.05},
            "element.lie.share: 0.05 of 5 is less than one; take 0 for none, or more than 0.1 for",
        ),
        ("pool_users.user.workload_settings", {"a": 1}, "workload_settings: calcapp takes none"),
        (
            "pool_users.user.cheat",
            {"kind": "idle", "share": 0.01},
            "cheat.share: 0.01 of 10 is less",
        ),
        ("attackers.flood.key_for", "nope", "flood.key_for: there is no pool 'nope'"),
        ("attackers.flood.stop", 5, "stop: at 5 s, but it begins at 600 s only"),
        ("attackers.flood.kind", [], r"there is no kind of attacker \[\]; choose one of"),
        ("attackers.flood.kind", {"a": 1}, "there is no kind of attacker {'a': 1}; choose one of"),
        ("attackers.spy.position", {}, "spy.position: says neither 'between' nor 'at'"),
        (
            "attackers.spy.position",
            {"at": "usr"},
            "position.at: there is no group 'usr'; did you mean",
        ),
        ("attackers.spy.position", {"at": "flood"}, "position.at: there is no group 'flood'"),
        ("attackers.spy.position", {"at": "user", "share": 0.01}, "position.share: 0.01 of 10"),
        ("attackers.spy.position", {"between": ["lan", "zz"]}, "between: there is no site 'zz'"),
        ("attackers.spy.position", {"between": ["lan", "lan"]}, "between: names a site twice"),
        ("attackers.spy.position", {"between": ["lan", "far"]}, "no path joins 'lan' and 'far'"),
        ("attackers.spy", {"kind": "eavesdropper"}, "spy.position: says neither"),
        (
            "attackers.a",
            {**IMPERSONATOR, "victim": "5 parsecs"},
            "victim: '5 parsecs' is not an IP",
        ),
        ("attackers.a", {**IMPERSONATOR, "victim": "victim.example"}, "is not an IP address"),
        ("attackers.a", IMPERSONATOR, "victim: '' is not an IP address such as 10.0.0.1"),
        ("attackers.a", {"kind": "impersonator", "victim": "10.0.0.1"}, "only with action = aim"),
        (
            "attackers.a",
            {"kind": "on-path", "action": "drop", "alteration": "values"},
            "alteration",
        ),
        ("attackers.a", {"kind": "cookie-forger", "position": {"at": "user"}}, "cookie = stolen"),
        ("attackers.a", {"kind": "cookie-forger", "cookie": "stolen"}, "says neither"),
        ("attackers.a", {"kind": "rogue-server", "action": "add"}, "with join = true"),
        (
            "attackers.a",
            {"kind": "replayer", "messages": ["ASAP_REGISTRATON"]},
            "did you mean 'ASA",
        ),
        (
            "attackers.a",
            {"kind": "on-path", "action": "cut", "messages": ["ASAP_*"]},
            "messages: does something only with action = drop or alter or delay",
        ),
        (
            "attackers.a",
            {"kind": "on-path", "action": "delay", "break_protected": True},
            "break_protected: does something only with action = drop or alter",
        ),
        (
            "attackers.a",
            {"kind": "on-path", "alteration": "delete", "messages": ["ASAP_*"]},
            "messages: 'delete' alters only ENRP_HANDLE_UPDATE, which they don't name",
        ),
        (
            "attackers.a",
            {"kind": "on-path", "protocols": ["sctp", "udp", "tcp"]},
            "protocols: names all there are",
        ),
        ("attackers.a", {"kind": "on-path", "ports": [3863, 3863]}, "ports: names one twice"),
        ("attackers.a", {"kind": "on-path", "ports": [0]}, r"ports\.0: "),
        ("attackers.a", {"kind": "on-path", "protocols": ["dccp"]}, r"protocols\.0: "),
        ("attackers.a", {"kind": "on-path", "direction": "up"}, "direction: "),
        (
            "attackers.a",
            {"kind": "on-path", "position": {"at": "user"}, "protocols": ["tcp"]},
            "attackers.a.protocols: nobody speaks TCP",
        ),
        ("attackers.a", {"kind": "on-path", "messages": ["X*"]}, r"'X\*' matches no message"),
        ("attackers.a", {"kind": "on-path", "messages": []}, "messages: .*at least 1 item"),
        ("attackers.a", {"kind": "amplifier", "size": 9}, "size: does something only with means"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(path, value, message):
    changed = table()
    set_path(changed, path, value)
    with pytest.raises(ScenarioError, match=message) as caught:
        rsim.scenario(changed)
    assert str(caught.value).startswith("scenario: ")
    assert "\n" not in str(caught.value)


def test_a_name_of_two_groups_is_refused_where_it_is_used():
    changed = table()
    changed["pool_elements"]["user"] = {}
    changed["attackers"]["spy"]["position"] = {"between": ["lan", "west"]}
    assert rsim.scenario(changed)
    changed["attackers"]["spy"]["position"] = {"at": "user"}
    with pytest.raises(ScenarioError, match=r"'user' may be pool_elements.user or"):
        rsim.scenario(changed)
    changed["attackers"]["spy"]["position"] = {"at": "pool_users.user"}
    assert rsim.scenario(changed)


@pytest.mark.parametrize(
    "value", [float("nan"), 10**30, {"a": {"b": float("inf")}}, [[[None]]]], ids=repr
)
def test_settings_of_code_of_ones_own_are_plain_values(value):
    changed = table()
    changed["pool_elements"]["element"]["service_settings"] = {"a": value}
    with pytest.raises(ScenarioError, match="is not a text, finite number of 64 bits"):
        rsim.scenario(changed)


def test_groups_without_hosts_need_no_place():
    changed = table()
    changed["attackers"]["spy"] = {"kind": "eavesdropper", "count": 0}
    assert rsim.scenario(changed).attackers["spy"].count == 0
