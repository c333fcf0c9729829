"""What a run yields: counters, requests, metrics, statistics, and their storage."""

from rsim.results.metric import Metric
from rsim.results.metrics import METRICS
from rsim.results.observation import Observation, Sample
from rsim.results.recorder import Recorder
from rsim.results.registry import metric
from rsim.results.result import Result
from rsim.results.statistics import (
    Interval,
    holm,
    mean_interval,
    paired_interval,
    quantile_interval,
)
from rsim.results.summary import summarise
from rsim.results.warm_up import mser5

__all__ = [
    "METRICS",
    "Interval",
    "Metric",
    "Observation",
    "Recorder",
    "Result",
    "Sample",
    "holm",
    "mean_interval",
    "metric",
    "mser5",
    "paired_interval",
    "quantile_interval",
    "summarise",
]
