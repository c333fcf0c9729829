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
# # Failover and timers
# What happens to a request when the pool element that serves it dies, how users find out, and what
# timers and cookies have to do with it.

# %%
import os
from pathlib import Path

import rsim
from rsim import plots

ROOT = (Path(__file__).parent if "__file__" in globals() else Path.cwd()).resolve()
EXPERIMENTS = next(p for p in (ROOT, *ROOT.parents) if (p / "experiments").exists()) / "experiments"
QUICK = bool(os.environ.get("RSIM_QUICK"))  # The tests set it: shorter runs, fewer seeds.

SETTINGS = {"duration": "10min" if QUICK else "30min", "series_interval": "30s"}
STUDY = EXPERIMENTS / "failover" / "study.toml"

# %% [markdown]
# Elements fail silently after an exponential up-time. Users notice it by keep-alives within the session.
# They report the element (ASAP_ENDPOINT_UNREACHABLE) and continue at another one with the last cookie.

# %%
scenario = rsim.load(STUDY, SETTINGS)
result = rsim.run(scenario)
begin = result.observation.begin
for name in ("failovers", "failover_mean_s", "work_lost_pct", "handling_speed_pct"):
    print(f"{name:20} {result.metrics[name]:8.2f}")
axes = plots.plot_failovers(result, begin=begin, end=begin + 300, most=25)
axes.figure

# %% [markdown]
# Dark stripes in an element's load show when it was down.

# %%
plots.plot_loads(result).figure

# %% [markdown]
# ## Timers
# A failover begins after half a keep-alive interval plus the time-out, on average. Shorter timers cost
# messages.

# %%
import pandas as pd

rows = []
for interval in (2, 10, 30):
    changes = {
        **SETTINGS,
        "pool_users.user.keep_alive_interval": interval,
        "pool_users.user.keep_alive_timeout": interval,
    }
    metrics = rsim.run(rsim.load(STUDY, changes)).metrics
    rows.append(
        {"interval": interval, **{k: metrics[k] for k in ("failover_mean_s", "handling_speed_pct")}}
    )
pd.DataFrame(rows)

# %% [markdown]
# The study `experiments/failover` varies timers and cookies, and gives 95% intervals.
