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
# # Floods and countermeasures
# A flood of registrations fills the pool with elements that do not serve; a flood of resolutions with
# reports empties it. What gives the service back?

# %%
import os
from pathlib import Path

import rsim
from rsim import plots
from rsim.studies import study_figure

ROOT = (Path(__file__).parent if "__file__" in globals() else Path.cwd()).resolve()
EXPERIMENTS = next(p for p in (ROOT, *ROOT.parents) if (p / "experiments").exists()) / "experiments"
QUICK = bool(os.environ.get("RSIM_QUICK"))  # The tests set it: shorter runs, fewer seeds.

DURATION = "5min" if QUICK else "30min"
STUDY = EXPERIMENTS / "resolution-flood" / "study.toml"

# %% [markdown]
# ## An attack over time
# The attacker begins in the middle of the run.

# %%
from rsim.threats import threat

LENGTH = 300.0 if QUICK else 900.0
attacked = threat("2.3a").scenario(
    "attack",
    {"duration": LENGTH, "series_interval": 10.0, "attackers.attacker.start": 300 + LENGTH / 3},
)
result = rsim.run(attacked)
timeline = result.timeline(["completed_share_pct", "listed_pct"])
axes = plots.plot_over_time(timeline, "listed_pct", warm_up=300.0, title=threat("2.3a").name)
axes.figure

# %% [markdown]
# ## How strong must it be?
# Handling speed against the time between two of the attacker's resolutions, with and without limits on
# what a sender may ask for.

# %%
study = rsim.load_study(STUDY, {"duration": DURATION}, quick=True, replications=2)
sweep = rsim.sweep(study, jobs=2)
study_figure(sweep.report)
