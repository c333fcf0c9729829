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
# # Sweeps, statistics, clusters
# A study is a scenario with a `[sweep]` table. Every run that finishes is on disk at once; a sweep that
# was stopped goes on.

# %%
import os
from pathlib import Path

import rsim
from rsim import plots

ROOT = (Path(__file__).parent if "__file__" in globals() else Path.cwd()).resolve()
EXPERIMENTS = next(p for p in (ROOT, *ROOT.parents) if (p / "experiments").exists()) / "experiments"
QUICK = bool(os.environ.get("RSIM_QUICK"))  # The tests set it: shorter runs, fewer seeds.

import tempfile

from rsim.sweep import open_report

OUT = Path(tempfile.mkdtemp()) / "flood"
STUDY = EXPERIMENTS / "registration-flood" / "study.toml"
study = rsim.load_study(
    STUDY, {"duration": "3min" if QUICK else "20min"}, quick=True, replications=2 if QUICK else 4
)
print(len(study.points), "points,", len(study), "runs")

# %%
sweep = rsim.sweep(study, OUT, jobs=2)
runs = rsim.read(OUT)
runs[["arm", *study.parameters, "seed", "handling_speed_pct", "digest"]].head()

# %% [markdown]
# ## Means, intervals, differences
# Seeds are common to all points, so differences between arms are paired: their intervals are narrower
# than those of the means.

# %%
report = open_report(OUT)
arms = list(study.sweep.arms)
speed = report.summary[report.summary["metric"] == "handling_speed_pct"]
differences = report.differences(arms[-1], ["handling_speed_pct"])
print("half-width of means      ", round(speed["ci95"].median(), 2))
print("half-width of differences", round(differences["ci95"].median(), 2))

# %% [markdown]
# ## Breaking points
# Where does the attack take the speed below 70% of what it is without it? Each run is paired with
# the one of its own policy and seed.

# %%
points = report.breaking_points(
    "attackers.flood.interval", "handling_speed_pct", arm=arms[-1], share=0.7
)
labels = [
    f"{row.arm}, {policy}" for row, policy in zip(points.itertuples(), points["pools.pool.policy"])
]
axes = plots.plot_breaking(points, labels=labels, x_label="attack interval (s)")
axes.figure

# %% [markdown]
# ## When does a run begin to count?
# MSER-5 finds the end of the start-up.

# %%
settled = rsim.run(
    rsim.load(STUDY, {"warm_up": "mser5", "duration": "1h", "attackers.flood.count": 0})
)
print(f"measured from {settled.observation.begin:.0f} s")

# %% [markdown]
# ## A cluster
# Any `concurrent.futures.Executor` does the runs. On SLURM, with dask-jobqueue:
#
# ```python
# from dask_jobqueue import SLURMCluster
# from distributed import Client
#
# cluster = SLURMCluster(cores=16, memory="32GB", walltime="01:00:00")
# cluster.scale(jobs=8)
# rsim.sweep(study, "results/flood", executor=Client(cluster).get_executor(), resume=True)
# ```
#
# Here a Dask cluster of this machine:

# %%
from distributed import Client, LocalCluster

cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
with cluster, Client(cluster) as client:
    again = rsim.sweep(study, executor=client.get_executor(), jobs=2)
print("the same, run by run:", again.runs["digest"].tolist() == runs["digest"].tolist())
