"""What tests that register metrics leave behind: nothing."""

from contextlib import contextmanager

from rsim.results import METRICS, registry


@contextmanager
def metrics_as_they_were():
    """Takes back all metrics that are registered within a `with`."""
    known, own = dict(METRICS), dict(registry._own)
    try:
        yield
    finally:
        METRICS.clear()
        METRICS.update(known)
        registry._own.clear()
        registry._own.update(own)
