# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Your own attacker, policy and workload
# Each is a class or a function registered by name; a scenario names it like any other.

# %%
import os
from pathlib import Path

import rsim
from rsim import plots

ROOT = (Path(__file__).parent if "__file__" in globals() else Path.cwd()).resolve()
EXPERIMENTS = next(p for p in (ROOT, *ROOT.parents) if (p / "experiments").exists()) / "experiments"
QUICK = bool(os.environ.get("RSIM_QUICK"))  # The tests set it: shorter runs, fewer seeds.


# %% [markdown]
# ## A policy
# It is told of elements that come, change and go, and says which of them an answer lists. This one
# prefers those that registered last.

# %%
from rsim.handlespace import SelectionPolicy, UserRule, policy


@policy
class Freshest(SelectionPolicy):
    """Lists the elements that registered last."""

    name = "freshest"
    type_code = 0x80000101
    values = ("weight",)
    user_rule = UserRule.IN_ORDER

    def __init__(self):
        self.order = []

    def insert(self, element):
        self.order.insert(0, element.identifier)

    def remove(self, identifier):
        self.order.remove(identifier)

    def update(self, element):
        self.remove(element.identifier)
        self.insert(element)

    def select(self, count, draws):
        return self.order[:count]


# %% [markdown]
# ## An attacker
# It registers an element that does not exist, again and again, and so becomes the freshest.

# %%
from pydantic import Field

from rsim.attackers import Attacker, AttackerSettings, attacker
from rsim.handlespace import policy_with
from rsim.wire import PoolElement, Registration, SctpTransport


class DecoySettings(AttackerSettings):
    interval: float = Field(60.0, gt=0, description="seconds between two registrations")


@attacker
class Decoy(Attacker[DecoySettings]):
    """Registers an element at which nobody listens."""

    kind = "decoy"
    Settings = DecoySettings

    def start(self):
        here = self.surroundings
        self.server = here.connect(self, 0)
        place = SctpTransport(port=9, addresses=(here.host.address,), use=1)
        self.element = PoolElement(
            identifier=666, user_transport=place, policy=policy_with(here.policy, {"weight": 1})
        )
        self.again()

    def again(self):
        here = self.surroundings
        self.send(
            self.server, Registration(pool_handle=here.pool_handle, pool_element=self.element)
        )
        self.timer = here.clock.timer(self.again)
        self.timer.start(self.settings.interval)

    def stop(self):
        self.timer.stop()


# %% [markdown]
# ## A workload
# What a pool user does, as a SimPy process.

# %%
from rsim.workload import service, workload

ECHO = 0x12345678  # payload protocol identifier


@workload("pinger")
def pinger(user, settings):
    while True:
        yield user.clock.timeout(settings["interval"])
        sent = user.clock.now
        user.send(ECHO, b"ping")  # to an element that the pool's policy selects
        yield user.inbox.get() | user.clock.timeout(5)
        TIMES.append((sent, user.clock.now - sent))


@service("echo")
def echo(element, settings):
    element.register(load=0)
    while True:
        association, ppid, data = yield element.inbox.get()
        association.send(ppid, data)


TIMES = []

# %% [markdown]
# ## A run with all three
# In files, `code = "mine.py"` in the scenario names the Python file, and `--allow-code` lets it run.

# %%
DURATION = 120 if QUICK else 600
scenario = {
    "warm_up": 0,
    "duration": DURATION,
    "network": {"delay": "10ms"},
    "protocol": {"pool_user": {"stale_cache_value": 0}},
    "pools": {"pool": {"policy": "freshest"}},
    "pool_elements": {"element": {"count": 5, "start": 1, "service": "echo"}},
    "pool_users": {
        "user": {
            "count": 5,
            "start": 5,
            "workload": "pinger",
            "workload_settings": {"interval": 3},
        }
    },
}
rsim.run(rsim.scenario(scenario))
calm = list(TIMES)
TIMES.clear()
rsim.run(
    rsim.scenario({**scenario, "attackers": {"decoy": {"kind": "decoy", "start": DURATION / 2}}})
)
for name, times in (("without", calm), ("with", TIMES)):
    print(
        f"{name:8} the decoy: {1e3 * sum(t for _, t in times) / len(times):5.0f} ms from ping to answer"
    )

# %% [markdown]
# The decoy costs the users who select it a failure and a second selection. Over time:

# %%
import pandas as pd

frame = pd.DataFrame(TIMES, columns=["sent", "time"])
axes = plots.style.axes_or_new(None)
axes.plot(frame["sent"], 1e3 * frame["time"], ".")
axes.set_xlabel("simulated time (s)")
axes.set_ylabel("ping to answer (ms)")
axes.figure
