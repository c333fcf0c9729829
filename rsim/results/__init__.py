"""What a run yields: counters, requests, metrics, statistics, and their storage."""

from rsim.results.breaking import BreakingPoint, breaking_point, search_breaking_point
from rsim.results.control import controlled_interval
from rsim.results.digits import half_width_text, interval_text, p_text, rounded
from rsim.results.kim_nelson import Choice, choose_best
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
    "BreakingPoint",
    "Choice",
    "Interval",
    "Metric",
    "Observation",
    "Recorder",
    "Result",
    "Sample",
    "breaking_point",
    "choose_best",
    "controlled_interval",
    "half_width_text",
    "holm",
    "interval_text",
    "mean_interval",
    "metric",
    "mser5",
    "p_text",
    "paired_interval",
    "quantile_interval",
    "rounded",
    "search_breaking_point",
    "summarise",
]
