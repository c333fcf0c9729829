"""CalcApp on a pool element: what its users, or others in their name, send it."""

import pytest

import rsim
from rsim.scenario import Deployment
from rsim.wire import PPID_ASAP, Cause, CookieEcho, ErrorCause, decode
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


class Stranger:
    """Keeps what an element says."""

    def __init__(self):
        self.seen = []

    def receive(self, _, ppid, data):
        self.seen.append((ppid, data))

    def notify(self, *_):
        pass


@pytest.mark.conformance("ASAP-043")
@pytest.mark.conformance("ASAP-156")
def test_an_element_reports_what_it_does_not_know_and_goes_on_from_a_cookie():
    table = {"network": {"delay": "5ms"}, "pool_elements": {"element": {"count": 1, "start": 1}}}
    deployment = Deployment(rsim.scenario(table))
    clock, element = deployment.world.clock, deployment.elements[0]
    clock.run_until(5)
    host, stranger = deployment.world.network.add_host("stranger", "lan"), Stranger()
    association = host.connect(element.host.address, element._port, stranger)
    unknown_message = bytes([0x4F, 0, 0, 4])
    association.send(PPID_ASAP, unknown_message)
    unknown = bytes([0xC0, 0x77, 0, 8]) + b"what"
    # All is done but a tenth.
    cookie = calcapp.encode_cookie(7, 1e6, 9e5)
    data = CookieEcho(cookie=cookie).encode() + unknown
    association.send(PPID_ASAP, data[:2] + len(data).to_bytes(2) + data[4:])
    clock.run_until(6)
    causes = [decode(d, "asap").error_causes for ppid, d in stranger.seen if ppid == PPID_ASAP]
    assert causes == [
        (ErrorCause(Cause.UNRECOGNIZED_MESSAGE, unknown_message),),
        (ErrorCause(Cause.UNRECOGNIZED_PARAMETER, unknown),),
    ]
    assert (element.counters.accepts, element.counters.completions) == (1, 1)
    assert element.counters.work_claimed == 9e5
    element.settle()
    assert element.counters.work == pytest.approx(1e5)
