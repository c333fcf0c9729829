import pytest

from rsim.scenario import Deployment, Scenario


def deploy(**attack):
    return Deployment(
        Scenario.model_validate(
            {
                "profile": "rspsim",
                "pools": {"pool": {"policy": "least_used"}},
                "attackers": {
                    "flood": {"kind": "registration-flood", "start": 100, "interval": 2, **attack}
                },
            }
        )
    )


@pytest.mark.parametrize(("new", "registered"), [(True, 10), (False, 1)])
def test_identifiers_are_new_each_time_or_always_the_same(new, registered):
    deployment = deploy(new_identifiers=new)
    deployment.world.clock.run_until(121)
    server = deployment.servers[0][1]
    assert server.handlespace.pool_size(b"pool") == registered
    assert server.counters.registrations == 10
    assert deployment.attackers[0].counters.attack_messages == 10


def test_attack_stops_and_silent_fakes_are_found_out():
    deployment = deploy(stop=111, answer_keep_alives=False)
    deployment.world.clock.run_until(150)
    server = deployment.servers[0][1]
    assert server.handlespace.pool_size(b"pool") == 5
    deployment.world.clock.run_until(300)
    assert server.handlespace.pool_size(b"pool") == 0


def test_answered_keep_alives_keep_fakes_for_ever():
    deployment = deploy(stop=111)
    deployment.world.clock.run_until(2000)
    assert deployment.servers[0][1].handlespace.pool_size(b"pool") == 5
