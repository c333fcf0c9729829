import pytest

import rsim
from rsim.errors import ScenarioError


def users(elements=None, **settings):
    table = {
        "pool_elements": {"element": elements or {"count": 10, "capacity": 1e6}},
        "pool_users": {"user": settings},
    }
    return rsim.scenario(table).pool_users["user"]


def mean(value):
    return {"distribution": "exponential", "mean": value}


def test_interval_follows_from_ratio_size_and_target():
    group = users(pu_to_pe_ratio=10, request_size=mean(1e7), target_utilisation=0.8)
    assert group.count == 100
    assert group.request_interval.mean == 125
    assert group.request_interval.distribution == "exponential"


def test_one_user_for_each_element_or_fewer_uses_the_plain_formula():
    group = users(pu_to_pe_ratio=1, request_size=mean(1e6), target_utilisation=0.8)
    assert (group.count, group.request_interval.mean) == (10, 1.25)
    group = users(pu_to_pe_ratio=0.5, request_size=mean(1e6), target_utilisation=0.4)
    assert (group.count, group.request_interval.mean) == (5, 2.5)


def test_size_or_number_of_users_follow_too():
    group = users(count=100, request_interval=mean(125), target_utilisation=0.8)
    assert group.request_size.mean == pytest.approx(1e7)
    group = users(request_size=mean(1e7), request_interval=mean(125), target_utilisation=0.8)
    assert group.count == 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 5, "pu_to_pe_ratio": 1}, "both say how many"),
        (
            {"pu_to_pe_ratio": 0.5, "request_size": mean(1e6), "target_utilisation": 0.8},
            "can't be met",
        ),
        ({"pu_to_pe_ratio": 3, "target_utilisation": 0.8}, "needs two of"),
        (
            {
                "count": 5,
                "request_size": mean(1),
                "request_interval": mean(1),
                "target_utilisation": 0.5,
            },
            "leave one of the four out",
        ),
    ],
)
def test_contradictions_are_named(settings, message):
    with pytest.raises(ScenarioError, match=message):
        users(**settings)
