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
# # The threats of RFC 5355
# Every threat is an experiment: without the attack, under attack, with the mitigation, and the
# mitigation alone, on the same seeds.

# %%
import os
from pathlib import Path

import rsim
from rsim import plots

ROOT = (Path(__file__).parent if "__file__" in globals() else Path.cwd()).resolve()
EXPERIMENTS = next(p for p in (ROOT, *ROOT.parents) if (p / "experiments").exists()) / "experiments"
QUICK = bool(os.environ.get("RSIM_QUICK"))  # The tests set it: shorter runs, fewer seeds.

from dataclasses import replace

import pandas as pd

from rsim.threats import run_threats, threat, threats
from rsim.threats import QUICK as EFFORT
from rsim.threats import threat_figure

pd.DataFrame(
    [{"id": t.id, "threat": t.name, "needs": t.needs, "measured by": t.metric} for t in threats()]
)

# %% [markdown]
# ## One of them

# %%
deregistration = threat("2.3a")
print(deregistration.attack, deregistration.mitigation, deregistration.reading, sep="\n")

# %%
effort = replace(EFFORT, seeds=2, duration=60.0) if QUICK else EFFORT
[outcome] = run_threats([deregistration], effort, jobs=2)
pd.Series(outcome.row())[["baseline", "attack", "mitigated", "restored"]]

# %%
threat_figure(outcome)

# %% [markdown]
# `rsim threats run all` runs all of them, and `rsim threats report` writes one page. You find the results
# in `experiments/threats`.

# %%
rows = pd.read_csv(EXPERIMENTS / "threats" / "rows.csv")
rows[["id", "name", "metric", "baseline", "attack", "mitigated", "restored"]]
