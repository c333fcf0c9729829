"""Some random deployments; `make soak` does ten thousand."""

from tests.fuzz.deployments import soak


def test_random_deployments_hold():
    assert soak(20261125, 150) == 150
