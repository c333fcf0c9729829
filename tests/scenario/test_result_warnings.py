"""A run in which nothing happens says so."""

import warnings

import pytest

import rsim
from rsim.errors import RsimWarning
from rsim.sweep import load_study, open_report, sweep

TABLE = {
    "warm_up": 10,
    "duration": 20,
    "network": {"sites": ["lan", "far"], "paths": [{"sites": ["lan", "far"], "delay": 0.01}]},
    "pool_elements": {"element": {"count": 2, "start": 1}},
    "pool_users": {"user": {"count": 2, "start": 2, "request_size": 1e5, "request_interval": 1}},
}
PATH = {"between": ["lan", "far"]}


def run(**changes):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        result = rsim.run(rsim.scenario({**TABLE, **changes}))
    assert [str(one.message) for one in told] == list(result.warnings)
    assert all(one.category is RsimWarning for one in told)
    return result


def attacked(**settings):
    return run(attackers={"bad": {"start": 5, **settings}})


def test_a_run_in_which_something_happens_has_no_warning():
    assert run().warnings == ()
    assert attacked(kind="registration-flood", interval=1).warnings == ()
    assert attacked(kind="registration-flood", count=0).warnings == ()


def test_users_that_ask_for_nothing_are_told():
    late = {"user": {**TABLE["pool_users"]["user"], "start": 40}}
    [text] = run(pool_users=late).warnings
    assert text.startswith(
        "pool_users: no request was generated in the measured time (10 s to 30 s)"
    )
    assert "user starts at 40 s" in text
    assert run(pool_users={"user": {**TABLE["pool_users"]["user"], "count": 0}}).warnings == ()
    assert run(pool_users={}).warnings == ()


def test_an_attacker_that_begins_too_late_is_told():
    [text] = attacked(kind="registration-flood", start=100).warnings
    assert text == "attackers.bad: begins at 100 s, after the end of the run"


def test_an_attacker_where_nothing_passes_is_told():
    assert attacked(kind="eavesdropper", position=PATH).warnings == (
        "attackers.bad: no message passed where it stands",
    )


def test_an_attacker_that_sees_and_changes_nothing_is_told():
    position = {"at": "user"}
    changes = {"kind": "on-path", "position": position, "action": "drop", "start": 0}
    assert attacked(**changes, messages=["ASAP_DEREGISTRATION"]).warnings == (
        "attackers.bad: read messages, but changed, dropped and sent none",
    )
    assert attacked(**changes, messages=["ASAP_HANDLE_RESOLUTION"]).warnings == ()
    assert attacked(kind="eavesdropper", position=position).warnings == ()


def test_limits_that_drop_news_of_loads_are_told_and_counted():
    changes = {
        "warm_up": 0,
        "pools": {"pool": {"policy": "least_used"}},
        "pool_users": {
            "user": {"count": 6, "start": 2, "request_size": 1e6, "request_interval": 1}
        },
    }
    free = run(**changes)
    assert free.warnings == () and free.metrics["load_updates_ignored"] == 0
    limited = run(**changes, protocol={"enrp_server": {"max_registration_rate": 0.2}})
    assert limited.metrics["load_updates_ignored"] > 0
    [text] = limited.warnings
    assert "a limit or a detector dropped news of loads" in text


STUDY = """
warm_up = 10
duration = 20
[pool_elements.element]
start = 1
[pool_users.user]
start = 2
request_size = 1e5
request_interval = 1
[attackers.bad]
kind = "registration-flood"
start = 5
[sweep]
replications = 2
[sweep.axes]
"attackers.bad.start" = [5, 100]
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_tells_each_warning_once_and_keeps_it(tmp_path, jobs):
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    out = tmp_path / "out"
    text = "attackers.bad: begins at 100 s, after the end of the run (in 2 of 4 runs)"
    with pytest.warns(RsimWarning) as told:
        result = sweep(file, out, jobs=jobs)
    assert [str(one.message) for one in told] == [text]
    assert result.warnings == (text,)
    assert open_report(out).warnings == (text,)
    assert "warnings" not in result.runs
    # A sweep that goes on knows those of the runs that it had.
    with pytest.warns(RsimWarning, match="in 3 of 6 runs"):
        sweep(load_study(file, replications=3), out, jobs=jobs, resume=True)
    assert open_report(out).warnings[0].endswith("(in 3 of 6 runs)")


LATE = {"start": 40}
AFTER = {"schedule": "down@40s, up@+5s"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"pool_elements": {"element": {"start": 1}, "late": LATE}},
            "pool_elements.late: begins at 40 s, after the end of the run",
        ),
        (
            {
                "pool_users": {
                    **TABLE["pool_users"],
                    "late": {**TABLE["pool_users"]["user"], **LATE},
                }
            },
            "pool_users.late: begins at 40 s, after the end of the run",
        ),
        (
            {"enrp_servers": {"server": {}, "late": LATE}},
            "enrp_servers.late: begins at 40 s, after the end of the run",
        ),
        (
            {"enrp_servers": {"server": {"failures": AFTER}}},
            "enrp_servers.server.failures.schedule: begins at 40 s, after the end of the run",
        ),
        (
            {"pool_elements": {"element": {"start": 1, "failures": AFTER}}},
            "pool_elements.element.failures.schedule: begins at 40 s, after the end of the run",
        ),
        (
            {"network": {**TABLE["network"], "outages": [{"site": "far", **AFTER}]}},
            "network.outages.0.schedule: begins at 40 s, after the end of the run",
        ),
        (
            {"security": {"pe_enrp": "psk-aes128-cbc", "rekey": 40}},
            "security.rekey: is at 40 s, after the end of the run",
        ),
        ({"series_interval": 60}, "series_interval: 60 s is longer than the run, 30 s"),
        ({"observe_interval": 60}, "observe_interval: 60 s is longer than the run, 30 s"),
    ],
)
def test_what_begins_after_the_end_is_told(changes, told):
    assert run(**changes).warnings == (told,)


def test_an_attack_that_is_over_before_the_measured_time_is_told():
    assert attacked(kind="registration-flood", interval=1, stop=8).warnings == (
        "attackers.bad: ends at 8 s, before the measured time begins at 10 s",
    )


def test_pools_in_which_somebody_has_nobody_to_talk_to_are_told():
    user, pools = TABLE["pool_users"]["user"], {"pool": {}, "other": {}}
    alone = {"user": user, "alone": {**user, "pool": "other"}}
    assert run(pools=pools, pool_users=alone).warnings == (
        "pool_users.alone: pool 'other' has no elements, so nobody serves them",
    )
    idle = {**TABLE["pool_elements"], "idle": {"start": 1, "pool": "other"}}
    assert run(pools=pools, pool_elements=idle).warnings == (
        "pool_elements.idle: pool 'other' has no users",
    )
    both = {"element": {"count": 2, "start": 1, "further_pools": ["other"]}}
    assert run(pools=pools, pool_elements=both).warnings == ()
    assert run(pools=pools, pool_elements=both, pool_users=alone).warnings == ()
    assert run(pool_users={}).warnings == ()
