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
# # Cheating
# Users that ignore the pool's policy, and elements that state what is not true.

# %%
import os
from pathlib import Path

import rsim
from rsim import plots

ROOT = (Path(__file__).parent if "__file__" in globals() else Path.cwd()).resolve()
EXPERIMENTS = next(p for p in (ROOT, *ROOT.parents) if (p / "experiments").exists()) / "experiments"
QUICK = bool(os.environ.get("RSIM_QUICK"))  # The tests set it: shorter runs, fewer seeds.

from rsim.threats import threat

LENGTH = {"duration": 120.0 if QUICK else 900.0}

# %% [markdown]
# ## Users that take the fastest
# A tenth of the users ignores the policy. Proofs of choice (an extension of rsim's) bind a user to the
# element that the server drew.

# %%
users = threat("2.17a")
runs = {arm: rsim.run(users.scenario(arm, LENGTH)) for arm in ("baseline", "attack", "mitigated")}
for arm, result in runs.items():
    metrics = result.metrics
    print(
        f"{arm:10} honest {metrics['honest_speed_pct']:5.1f}%  cheats {metrics['cheat_speed_pct']:5.1f}%"
    )

# %% [markdown]
# ## Elements that lie
# Two of ten state twice their weight and get twice the load. With signed statements, users that compare
# them with what they see, and penalties, they are found.

# %%
liars = threat("2.17b")
lying = rsim.run(liars.scenario("attack", {**LENGTH, "series_interval": 20.0}))
held = rsim.run(liars.scenario("mitigated", LENGTH))
print(f"load of liars: {lying.metrics['liars_gain']:.2f} times that of honest elements")
print(
    f"held to account: {held.metrics['liars_gain']:.2f}; signatures checked: "
    f"{held.metrics['signature_checks']:.0f}"
)
axes = plots.plot_loads(lying)
axes.figure

# %% [markdown]
# How sure the evidence is, and what it costs honest elements: `experiments/cheating-elements`.
