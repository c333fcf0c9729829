"""A script that defines one thing of each kind and sweeps with it, as a notebook would."""

import json
import sys
from pathlib import Path

from pydantic import Field

import rsim
from rsim.attackers import Attacker, AttackerSettings, attacker
from rsim.endpoints import authorisation, detector
from rsim.handlespace import SelectionPolicy
from rsim.workload import Request, service, workload

ECHO = 0x12345678


@rsim.policy
class LastCome(SelectionPolicy):
    name = "last_come"
    type_code = 0x80000F77

    def __init__(self):
        self.known = []

    def insert(self, element):
        self.known.append(element.identifier)

    def remove(self, identifier):
        self.known.remove(identifier)

    def update(self, element):
        pass

    def select(self, count, draws):
        return self.known[::-1][:count]


class CallerSettings(AttackerSettings):
    patience: float = Field(60.0, gt=0, description="seconds until it calls")


@attacker
class Caller(Attacker[CallerSettings]):
    """Opens an association, late."""

    kind = "caller"
    Settings = CallerSettings

    def start(self):
        here = self.surroundings
        here.clock.call_at(here.clock.now + self.settings.patience, self.call)

    def call(self):
        self.counters.attack_messages += 1
        self.surroundings.connect(self, 0)

    def stop(self):
        pass


@detector("nobody_is")
class NobodyIs:
    def suspicious(self, kind, source, pool, now):
        return False


@authorisation("everybody")
class Everybody:
    def permits(self, principal, pool, identifier):
        return True


@workload("pinger")
def pinger(user, settings):
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
    element.register(load=0)
    while True:
        association, ppid, data = yield element.inbox.get()
        association.send(ppid, data)
        element.counters.completions += 1


STUDY = """
name = "by hand"
warm_up = 0
duration = "5min"
pools.pool.policy = "last_come"
protocol.enrp_server.detector = "nobody_is"
security.authorisation = "everybody"
attackers.caller = {kind = "caller", start = 20, patience = 20}
pool_elements.element = {count = 3, start = 1, service = "echo"}
pool_users.user = {count = 2, start = 2, workload = "pinger", workload_settings = {interval = 2}}
[sweep]
replications = 2
axes = {"pool_users.user.count" = [1, 2]}
"""


def main(folder):
    study = Path(folder, "study.toml")
    study.write_text(STUDY)
    done = [rsim.sweep(rsim.load_study(study), jobs=jobs) for jobs in (1, 2)]
    print(
        json.dumps(
            [(list(one.runs.get("digest", ())), list(map(str, one.failures))) for one in done]
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
