import pytest

from rsim.clock import Clock
from rsim.network import Network
from rsim.randomness import Streams
from rsim.scenario.fault import component


class Actor:
    """Someone's own actor; rsim's parts are looked into, others only asked for their host."""

    def __init__(self, host):
        self.host = host

    def fail(self):
        raise RuntimeError("by chance")


class Part:
    """Works for an actor, as a session works for a pool user."""

    __slots__ = ("actor",)

    def __init__(self, actor):
        self.actor = actor

    def fail(self):
        raise RuntimeError("by chance")


Part.__module__ = "rsim.workload.example"


class Touchy:
    @property
    def host(self):
        raise PermissionError("not for you")

    def fail(self, beside=None):
        raise RuntimeError("by chance")


@pytest.fixture
def add_host():
    return Network(Clock(), Streams(1)).add_host


def where(function, *arguments):
    with pytest.raises(RuntimeError) as caught:
        function(*arguments)
    return component(caught.value.__traceback__)


def test_an_error_is_told_of_the_host_whose_actor_raised_it(add_host):
    assert where(Actor(add_host("element-3", "site")).fail) == "element-3"


def test_a_host_itself_is_found_among_what_a_frame_knows(add_host):
    def fail(anything):
        raise RuntimeError("by chance")

    assert where(fail, add_host("user-9", "site")) == "user-9"


def test_a_part_is_told_of_by_the_host_of_whom_it_works_for(add_host):
    assert where(Part(Actor(add_host("user-2", "site"))).fail) == "user-2"


def test_the_innermost_actor_is_the_one(add_host):
    outer, inner = (Actor(add_host(name, "site")) for name in ("server-1", "element-1"))

    def deliver(sender):
        inner.fail()

    assert where(deliver, outer) == "element-1"


def test_a_property_that_raises_is_no_host_and_no_second_error(add_host):
    assert where(Touchy().fail) is None
    assert where(Touchy().fail, add_host("user-1", "site")) == "user-1"


def test_an_error_outside_all_hosts_is_told_of_nobody():
    def fail():
        raise RuntimeError("by chance")

    assert where(fail) is None
    assert component(None) is None
