"""What a run yields: counters, requests, metrics, statistics, and their storage."""

from rsim.results.metric import Metric
from rsim.results.metrics import METRICS
from rsim.results.observation import Observation, Sample
from rsim.results.recorder import Recorder
from rsim.results.registry import metric
from rsim.results.result import Result
from rsim.results.statistics import Interval, mean_interval, summarise
from rsim.results.warm_up import mser5

__all__ = [
    "METRICS",
    "Interval",
    "Metric",
    "Observation",
    "Recorder",
    "Result",
    "Sample",
    "mean_interval",
    "metric",
    "mser5",
    "summarise",
]
