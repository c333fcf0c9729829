import pytest

from rsim.scenario import Scenario


@pytest.fixture
def small():
    """A scenario that takes a few ms, with changes by keyword."""

    def make(policy="least_used", attackers=0, **changes):
        return Scenario.model_validate(
            {
                "profile": "rspsim",
                "warm_up": 900,
                "duration": 600,
                "pools": {"pool": {"policy": policy}},
                "enrp_servers": {"server": {"start": 10}},
                "pool_elements": {"element": {"count": 5, "registration_life": 30}},
                "pool_users": {
                    "user": {
                        "count": 10,
                        "request_interval": {"distribution": "exponential", "mean": 30},
                        "request_timeout": 10,
                    }
                },
                "attackers": {
                    "flood": {
                        "kind": "registration-flood",
                        "interval": 5,
                        "count": attackers,
                    }
                },
                **changes,
            }
        )

    return make
