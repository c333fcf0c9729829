"""rsim: a discrete-event simulator of Reliable Server Pooling (RSerPool, RFC 5351 to 5356)."""

from __future__ import annotations

# As type checkers know it; typing itself takes longer to load than all that stands here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rsim.errors import (
        ResultError,
        RsimError,
        RsimWarning,
        ScenarioError,
        SimulationError,
    )
    from rsim.handlespace import policy
    from rsim.results import Metric, Observation, Result, metric
    from rsim.scenario import Scenario, Simulation, load, run, scenario
    from rsim.sweep import Best, Study, Sweep, best, load_study, read, sweep

    __version__: str

_MODULES = {
    "Best": "rsim.sweep",
    "Metric": "rsim.results",
    "Observation": "rsim.results",
    "Result": "rsim.results",
    "ResultError": "rsim.errors",
    "RsimError": "rsim.errors",
    "RsimWarning": "rsim.errors",
    "Scenario": "rsim.scenario",
    "ScenarioError": "rsim.errors",
    "Simulation": "rsim.scenario",
    "SimulationError": "rsim.errors",
    "Study": "rsim.sweep",
    "Sweep": "rsim.sweep",
    "best": "rsim.sweep",
    "load": "rsim.scenario",
    "load_study": "rsim.sweep",
    "metric": "rsim.results",
    "policy": "rsim.handlespace",
    "read": "rsim.sweep",
    "run": "rsim.scenario",
}

_ROOMS = (
    "attackers",
    "endpoints",
    "errors",
    "handlespace",
    "network",
    "plots",
    "results",
    "scenario",
    "studies",
    "sweep",
    "threats",
    "wire",
    "workload",
)
"""Which are there without being imported; two can be called, as `rsim.sweep(...)`."""

__all__ = [
    "Best",
    "Metric",
    "Observation",
    "Result",
    "ResultError",
    "RsimError",
    "RsimWarning",
    "Scenario",
    "ScenarioError",
    "Simulation",
    "SimulationError",
    "Study",
    "Sweep",
    "__version__",
    "best",
    "load",
    "load_study",
    "metric",
    "policy",
    "read",
    "run",
    "scenario",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """Loads what is asked for: the command line can heed an interrupt before anything is loaded."""
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("rsim")
    elif name in _MODULES:
        value = getattr(import_module(_MODULES[name]), name)
    elif name in _ROOMS:
        return import_module(f"rsim.{name}")
    else:
        raise AttributeError(f"module 'rsim' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
