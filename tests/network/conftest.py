import pytest

from rsim.clock import Clock
from rsim.network import Event, LinkSettings, Network
from rsim.randomness import Streams


class End:
    """An endpoint that keeps what it is told, with the time."""

    def __init__(self, clock):
        self.clock = clock
        self.seen = []
        self.events = []

    def receive(self, association, ppid, data):
        self.seen.append((self.clock.now, ppid, data))
        if data.startswith(b"?"):
            association.send(ppid, data[1:])

    def notify(self, association, event):
        self.events.append((self.clock.now, event))

    @property
    def data(self):
        return [data for _, _, data in self.seen]

    @property
    def kinds(self):
        return [event for _, event in self.events]


class Pair:
    """Two hosts at two sites with a path between them; the second one listens at port 7."""

    def __init__(self, seed=1, homes=1, offers=(), **link):
        self.clock = Clock()
        sctp, capture = link.pop("sctp", None), link.pop("capture", None)
        ipv6 = link.pop("ipv6", False)
        self.tcp = link.pop("tcp", False)
        path = LinkSettings(**{"delay": 0.05, **link})
        sites = [[f"{name}{i}" for i in range(homes)] for name in "ab"]
        paths = dict.fromkeys(zip(*sites, strict=True), path)
        self.network = Network(
            self.clock, Streams(seed), paths=paths, sctp=sctp, capture=capture, ipv6=ipv6
        )
        self.client_host = self.network.add_host("client", *sites[0])
        self.server_host = self.network.add_host("server", *sites[1])
        self.client, self.server = End(self.clock), End(self.clock)
        self.accepted = []
        self.offers = offers
        self.listen()

    def listen(self):
        def accept(association):
            self.accepted.append(association)
            return self.server

        self.server_host.listen(7, accept, self.offers, tcp=self.tcp)

    def connect(self, **options):
        addresses = self.server_host.addresses
        return self.client_host.connect(
            addresses[0], 7, self.client, further=addresses[1:], **options
        )

    def established(self, time=2, **options):
        """An association that is up, with what was told of that forgotten.

        Parameters: `time` in s after which it is; `options` of `connect`.
        """
        association = self.connect(**options)
        self.run(time)
        self.client.events.clear()
        self.server.events.clear()
        return association

    @property
    def links(self):
        return self.network.path_links("a0", "b0")

    def run(self, time):
        self.clock.run_until(self.clock.now + time)


@pytest.fixture
def pair():
    return Pair


@pytest.fixture
def ending():
    """What the network told to end an association."""

    def of(end):
        return [(time, event) for time, event in end.events if event is not Event.UP]

    return of
