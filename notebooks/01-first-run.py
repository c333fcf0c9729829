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
# # A first run
# Ten servers in a pool, a hundred users, and an attacker who registers servers that do not serve.

# %%
import os
from pathlib import Path

import rsim
from rsim import plots

ROOT = (Path(__file__).parent if "__file__" in globals() else Path.cwd()).resolve()
EXPERIMENTS = next(p for p in (ROOT, *ROOT.parents) if (p / "experiments").exists()) / "experiments"
QUICK = bool(os.environ.get("RSIM_QUICK"))  # The tests set it: shorter runs, fewer seeds.

STUDY = EXPERIMENTS / "registration-flood" / "study.toml"
DURATION = "5min" if QUICK else "20min"

# %% [markdown]
# ## One run
# A scenario is a TOML file. You can change any of its settings by its dotted path.

# %%
scenario = rsim.load(STUDY, {"attackers.flood.interval": "5s", "duration": DURATION})
scenario

# %% [markdown]
# `result` shows all metrics; their definitions are in `rsim.results.METRICS`.

# %%
result = rsim.run(scenario)
result

# %% [markdown]
# Every request is a row: when it was generated, started, accepted and completed (seconds), and how
# many pool elements it took.

# %%
result.requests.head()

# %% [markdown]
# ## With and without the attacker
# The same seed gives the same arrivals and request sizes, so the two runs differ by the attack alone.

# %%
calm = rsim.run(rsim.load(STUDY, {"attackers.flood.count": 0, "duration": DURATION}))
for name in ("handling_speed_pct", "startup_delay_s", "requests_completed"):
    print(f"{name:20} {calm.metrics[name]:10.2f} without  {result.metrics[name]:10.2f} with attack")

# %% [markdown]
# The messages of both runs, by kind:

# %%
plots.plot_messages({"without": calm, "with attack": result}).figure

# %% [markdown]
# ## A sweep
# You run several attack intervals with several seeds, and get means with 95% intervals.

# %%
study = rsim.load_study(STUDY, {"duration": DURATION}, quick=True, replications=2)
sweep = rsim.sweep(study, jobs=2)
axes = plots.plot_effect(
    sweep.summary,
    metric="handling_speed_pct",
    x="attackers.flood.interval",
    lines="pools.pool.policy",
    x_scale="log",
)
axes.figure
