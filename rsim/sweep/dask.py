"""What a Dask cluster tells of its workers, which its executor does not."""

from __future__ import annotations

from concurrent.futures import Executor
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def client_of(executor: Executor | None) -> Any:
    """The Dask client behind an executor, None if it is another kind of executor.

    Parameters: `executor` of any kind, or None.
    """
    if executor is None or not type(executor).__module__.startswith("distributed."):
        return None
    return getattr(executor, "_client", None)


def is_closed(client: Any) -> bool:
    """Whether the client has given its scheduler up.

    Parameters: `client` of Dask.
    """
    return client.status in ("closing", "closed")


def count_workers(client: Any) -> int:
    """How many workers the cluster has now; 0 if its scheduler does not answer.

    Parameters: `client` of Dask.
    """
    try:
        if client.status != "running":
            return 0
        return len(client.scheduler_info(n_workers=-1)["workers"])
    except Exception:
        # Its own errors are of many kinds, and all mean the same here.
        return 0


def scheduler_of(client: Any) -> str:
    """What tells the scheduler from one that is started anew in its place; empty if unknown.

    Parameters: `client` of Dask.
    """
    try:
        return str(client.scheduler_info(n_workers=0)["id"])
    except Exception:
        return ""


def workers_without_rsim(client: Any) -> list[str]:
    """Addresses of the workers on which rsim is not installed.

    Such a worker can't even read what it is to do, and ends. What is asked here it can read.

    Parameters: `client` of Dask.
    """
    try:
        answers = client.run(version, "rsim", on_error="return")
    except Exception:
        # A worker that goes meanwhile, which is found out otherwise.
        return []
    return sorted(a for a, answer in answers.items() if isinstance(answer, PackageNotFoundError))
