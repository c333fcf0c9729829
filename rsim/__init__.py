"""rsim: a discrete-event simulator of Reliable Server Pooling (RSerPool, RFC 5351 to 5356)."""

from importlib.metadata import version

from rsim.errors import ResultError, RsimError, ScenarioError
from rsim.results import Result
from rsim.scenario import Scenario, load, run
from rsim.sweep import Study, Sweep, load_study, read, sweep

__version__ = version("rsim")

__all__ = [
    "Result",
    "ResultError",
    "RsimError",
    "Scenario",
    "ScenarioError",
    "Study",
    "Sweep",
    "__version__",
    "load",
    "load_study",
    "read",
    "run",
    "sweep",
]
