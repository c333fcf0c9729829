"""CalcApp on a pool element: what its users, or others in their name, send it."""

import rsim
from rsim.scenario import Deployment
from rsim.workload import calcapp


def test_a_request_that_is_repeated_while_in_progress_is_taken_once():
    deployment = Deployment(
        rsim.scenario(
            {
                "profile": "rfc",
                "warm_up": 0,
                "duration": "10min",
                "network": {"delay": "5ms"},
                "pool_elements": {"element": {"count": 1, "start": 1}},
                "pool_users": {
                    "user": {"start": 2, "request_size": "3e7", "request_interval": 60},
                },
            },
        )
    )
    element, clock = deployment.elements[0], deployment.world.clock
    while not element.counters.accepts:
        clock.run_until(clock.now + 1)
    association = deployment.users[0]._session._channel
    before = element.counters.accepts
    repeated = calcapp.encode(calcapp.REQUEST, 1, 3e7)
    association.send(calcapp.PPID_CALCAPP, repeated)
    clock.run_until(clock.now + 1)
    assert element.counters.accepts == before == 1
    deployment.run()
    user = deployment.users[0].counters
    assert element.counters.completions > 3
    assert element.counters.accepts - element.counters.completions in (0, 1)
    assert user.accepts == element.counters.accepts
