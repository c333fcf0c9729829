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
# # Policies and heterogeneity
# The pool's policy decides which pool element gets the next request (RFC 5356). With equal elements
# most policies look alike under low load; unequal elements tell them apart.

# %%
import os
from pathlib import Path

import rsim
from rsim import plots
from rsim.studies import study_figure

ROOT = (Path(__file__).parent if "__file__" in globals() else Path.cwd()).resolve()
EXPERIMENTS = next(p for p in (ROOT, *ROOT.parents) if (p / "experiments").exists()) / "experiments"
QUICK = bool(os.environ.get("RSIM_QUICK"))  # The tests set it: shorter runs, fewer seeds.

STUDY = EXPERIMENTS / "policies-heterogeneous" / "study.toml"
DURATION = "5min" if QUICK else "30min"

# %%
study = rsim.load_study(STUDY, {"duration": DURATION}, quick=True, replications=2)
sweep = rsim.sweep(study, jobs=2)
study_figure(sweep.report)

# %% [markdown]
# ## Where the load goes
# One element of ten is ten times as fast. Random does not know that, weighted random knows the weights, and
# least used knows how busy each element is. But weights act at the ENRP server alone: from the list that
# it gets, a pool user picks at random (RFC 5356, 4.4.3), so an answer that lists the whole pool takes the
# weights away. Answers of one element keep them.

# %%


BASE = {
    "warm_up": 300,
    "duration": 300 if QUICK else 1800,
    "series_interval": 30,
    "pool_elements": {
        "slow": {"count": 9, "start": 10},
        "fast": {"count": 1, "start": 10, "capacity": 1e7},
    },
    "pool_users": {
        "user": {
            "pu_to_pe_ratio": 3,
            "start": 20,
            "request_size": {"distribution": "exponential", "mean": 1e7},
            "target_utilisation": 0.4,
        }
    },
}
for policy in ("random", "weighted_random", "least_used"):
    for items in (None, 1):
        table = {
            **BASE,
            "pools": {"pool": {"policy": policy}},
            "protocol": {"enrp_server": {"max_resolution_items": items}},
        }
        result = rsim.run(rsim.scenario(table))
        print(
            f"{policy:16} {'one element' if items else 'whole list':12}"
            f"speed {result.metrics['handling_speed_pct']:5.1f}%, "
            f"fairness {result.metrics['fairness']:.2f}"
        )
axes = plots.plot_loads(result, title="Least used; element 10 is the fast one")
axes.figure
