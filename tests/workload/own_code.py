"""A workload and a service of one's own, as the documentation shows them."""

from rsim.workload import Request, service, workload

ECHO = 0x12345678


@workload("pinger")
def pinger(user, settings):
    """Sends a message every interval and waits for its echo."""
    number = 0
    while True:
        yield user.clock.timeout(settings["interval"])
        number += 1
        user.counters.requests_generated += 1
        request = Request(user.name, number, 1.0, user.clock.now, user.clock.now)
        user.record.append(request)
        user.send(ECHO, b"ping")
        yield user.inbox.get()
        request.accepted = request.completed = user.clock.now
        user.record.ended(request)
        user.counters.requests_completed += 1


@service("echo")
def echo(element, settings):
    """Sends back what it gets, after a while."""
    element.register(load=0)
    while True:
        association, ppid, data = yield element.inbox.get()
        yield element.clock.timeout(settings.get("time", 0.0))
        association.send(ppid, data)
        element.counters.completions += 1
