"""Transfers over a lossy link, packet by packet beside those of usrsctp (FreeBSD's SCTP).

The traces of usrsctp 0.9.5 are in usrsctp.json; usrsctp_trace.c made them, in virtual time, over a
link of 10 Mbit/s and 50 ms that loses the packets named. Both send the same TSNs in the same order,
and report the same. Where they differ, usrsctp goes by RFC 4960 or beyond either RFC:

- It lets T3 run on when the earliest TSN is acknowledged (RFC 9260 6.3.2, R3, restarts it), so that
  time-outs come earlier.
- Its first window is 4380 octets (RFC 4960) instead of 4404, three full packets instead of four.
- It sends three packets at once in fast retransmission (RFC 9260 7.2.4: one), and a packet that is
  lost again once more, for which RFC 9260 waits for T3.
- It lets the window grow with the very report that ends fast recovery.
"""

import json
from pathlib import Path

import pytest

from rsim.network import Tap

from .conftest import Pair

KEPT = json.loads(Path(__file__).with_name("usrsctp.json").read_text(encoding="utf-8"))


class LossyTrace(Tap):
    """Notes TSNs and reports with their times in ms, and loses packets by their number."""

    def __init__(self, lost_data, lost_sacks):
        super().__init__()
        self.lost_data, self.lost_sacks = lost_data, lost_sacks
        self.data, self.sacks = [], []
        self.packets = 0

    def begin(self):
        self.start = self.network.clock.now

    def frame(self, frame):
        now = 1000 * (self.network.clock.now - self.start)
        sacks = [chunk for chunk in frame.chunks if type(chunk).__name__ == "Sack"]
        if frame.messages:
            self.packets += 1
            self.data += [(now, message.tsn) for message in frame.messages]
            return None if self.packets in self.lost_data else frame
        if sacks:
            self.sacks.append((now, sacks[0].cumulative, sacks[0].gaps))
            return None if len(self.sacks) in self.lost_sacks else frame
        return frame

    def relative(self):
        """As usrsctp's are kept: TSNs from 1 on."""
        before = self.data[0][1] - 1
        return (
            [[time, tsn - before] for time, tsn in self.data],
            [
                [time, cumulative - before, [[a - before, b - before] for a, b in gaps]]
                for time, cumulative, gaps in self.sacks
            ],
        )


def transfer(case):
    two = Pair(bandwidth=10e6, delay=0.05)
    association = two.connect()
    two.run(5)
    # usrsctp acknowledges the first packet of an association at once.
    association.send(1, bytes(100))
    two.run(3)
    trace = LossyTrace(case["lost_data"], case["lost_sacks"])
    two.network.tap(two.links, trace)
    trace.begin()
    for _ in range(case["messages"]):
        association.send(1, bytes(case["octets"]))
    two.run(60)
    assert len(two.server.seen) == 1 + case["messages"]
    return trace.relative()


@pytest.mark.parametrize("name", KEPT)
def test_packets_and_reports_are_those_of_usrsctp(name):
    case = KEPT[name]
    data, sacks = transfer(case)
    assert [tsn for _, tsn in data] == [tsn for _, tsn in case["data"]]
    assert [report for _, *report in sacks] == [report for _, *report in case["sacks"]]


def test_without_loss_they_travel_at_the_same_times():
    data, sacks = transfer(KEPT["no loss"])
    for ours, theirs in ((data, KEPT["no loss"]["data"]), (sacks, KEPT["no loss"]["sacks"])):
        for (time, *_), (other, *_) in zip(ours, theirs, strict=True):
            # Within the time of two packets on the link.
            assert time == pytest.approx(other, abs=2.4)


def test_a_packet_that_is_lost_twice_waits_for_t3():
    """The 27th packet is the second try of TSN 14: RFC 9260 7.2.4, step 5."""
    data, _ = transfer({**KEPT["one loss"], "lost_data": [14, 27]})
    tries = [time for time, tsn in data if tsn == 14]
    assert len(tries) == 3 and tries[2] - tries[1] > 900
